//! The effect of a control server's answer on the log, and the effect of a missing answer.

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::{AgentExited, Draft, ExitReason, SourceGap};
use townwatch_protocol::id::{Epoch, SourceId};
use townwatch_protocol::limits::SILENCE_LOST_MS;
use townwatch_protocol::time::Timestamp;

use crate::agents::runs::{self, Run, Source};
use crate::agents::{deletion, parse};
use crate::decision::{Decide, Decision};
use crate::log::ingest::{Ingest, Outcome};
use crate::log::reducer::clip;
use crate::relay::silence::{self, silence};
use crate::relay::source_answer::SourceAnswer;
use crate::relay::source_life::{SourceLife, life, set_mark};
use crate::relay::{Position, Reach, UNNAMED, is_retired, position, retire, set_position};
use crate::store::{atomically, atomically_with_room};
use crate::town::Town;

/// An answer of the control server, with the position and the reach that the request for it carried.
#[derive(Debug)]
pub struct RelayAnswer<'a> {
    /// The position at the time of the request.
    pub position: &'a Position,
    /// The reach of the request.
    pub reach: Reach,
    /// The answer.
    pub answer: SourceAnswer,
}

/// The meaning of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerEffect {
    /// Events, perhaps none, were taken over.
    Taken {
        /// Whether the answer had nothing, neither an event nor a preview.
        is_empty: bool,
    },
    /// The control server is in another life. The old life's runs are lost, and the new one is to be asked from its
    /// start.
    NewEpoch,
    /// The answer is to another position than the present one, or of a life that is over. Nothing was changed.
    Stale,
    /// The container names no life, and its answer does not have the last event taken over. Only all events of the
    /// container show whether this is another life. Nothing was changed.
    Unrecognised,
    /// The container names no life, and the last event taken over has another time. Only a later answer shows whether
    /// that means another life. No event was taken over.
    Doubted,
}

/// A request to the control server without an answer, or without one that can be read. After [`SILENCE_LOST_MS`] of
/// failures the open runs are lost; a run is not charged for the silence before its start. The decision's answer is
/// whether the failure is news: the silence has just begun, or has another cause than before.
#[derive(Debug)]
pub struct RelayFailure<'a> {
    /// The failure.
    pub error: &'a Error,
}

/// The stop of the container: nothing answers for its runs any more. A run that is being started does not count as in
/// it yet; its own start, or the silence, settles that run.
#[derive(Debug, Clone, Copy)]
pub struct ContainerStopped;

impl Decide for RelayAnswer<'_> {
    type Answer = AnswerEffect;

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<AnswerEffect>> {
        let Self { position, reach, answer } = self;
        let was_silent = silence(town.store.as_ref())?.is_some();
        let (mut answered, outcome) = town.take_answer(position, reach, &answer, now)?;
        if was_silent {
            town.show(|town, _| if silence(town.store.as_ref())?.is_none() { town.silence_changed() } else { Ok(()) });
        }
        let Some(outcome) = outcome else { return Ok(Decision::unseen(answered)) };
        let mut previews = Vec::new();
        if let AnswerEffect::Taken { is_empty } = &mut answered {
            *is_empty = outcome.stored + outcome.dropped == 0 && answer.previews.is_empty();
            previews = answer.previews;
        }
        Ok(Decision::seen(answered, outcome).with_previews(previews))
    }
}

impl Decide for RelayFailure<'_> {
    type Answer = bool;

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<bool>> {
        let is_silence =
            matches!(self.error.code, Code::ContainerUnavailable | Code::ContainerTimeout | Code::NotConfigured);
        // The problem may quote the answer, but a state has little room.
        let problem = (!is_silence).then(|| clip(&self.error.message));
        let before = silence(town.store.as_ref())?;
        let (outcome, is_news) = atomically(town.store.as_ref(), || {
            let since = before.as_ref().map(|silence| silence.since);
            silence::note(town.store.as_ref(), since.unwrap_or(now), problem.as_deref())?;
            let is_news = silence(town.store.as_ref())? != before;
            let outcome = since.map(|since| town.end_silent(since, problem.as_deref(), now)).transpose()?;
            Ok((outcome.unwrap_or_default(), is_news))
        })?;
        if is_news {
            town.show(|town, _| town.silence_changed());
        }
        Ok(Decision::seen(is_news, outcome))
    }
}

impl Decide for ContainerStopped {
    type Answer = ();

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<()>> {
        let outcome = atomically(town.store.as_ref(), || {
            let open = runs::open_of(town.store.as_ref(), &Source::Container)?;
            let is_there = |run: &Run| run.source_epoch.is_some();
            town.lose(open.into_iter().filter(is_there), "the container stopped while the agent ran in it", now)
        })?;
        Ok(Decision::seen((), outcome))
    }
}

impl Town {
    /// Takes over an answer, in one transaction. Without an outcome nothing was changed.
    fn take_answer(
        &self,
        asked: &Position,
        reach: Reach,
        answer: &SourceAnswer,
        now: Timestamp,
    ) -> Result<(AnswerEffect, Option<Outcome>)> {
        let (store, source) = (self.store.as_ref(), Source::Container);
        let epoch = match &answer.epoch {
            Some(epoch) => epoch.clone(),
            None => parse(Epoch::parse(UNNAMED))?,
        };
        atomically_with_room(store, || {
            if position(store, &source)? != *asked || is_retired(store, &source, &epoch)? {
                return Ok((AnswerEffect::Stale, None));
            }
            silence::end(store)?;
            let life = if asked.epoch.as_ref() == Some(&epoch) {
                life(store, asked, reach, answer, now)?
            } else {
                SourceLife::Other
            };
            match life {
                SourceLife::Unknown => Ok((AnswerEffect::Unrecognised, None)),
                SourceLife::Doubted => Ok((AnswerEffect::Doubted, None)),
                SourceLife::Same => {
                    let mut ingest = self.ingest(source.clone(), Some(epoch.clone()), now)?;
                    if !answer.events.is_empty() {
                        ingest = ingest.with_space()?;
                    }
                    let cursor = self.take_events(&mut ingest, asked.cursor, answer, &epoch, now)?;
                    if cursor != asked.cursor {
                        set_position(store, &source, &epoch, cursor)?;
                        set_mark(store, answer)?;
                    }
                    Ok((AnswerEffect::Taken { is_empty: false }, Some(ingest.finish()?)))
                }
                SourceLife::Again | SourceLife::Other => {
                    let mut ingest = self.ingest(source.clone(), None, now)?;
                    if let Some(old) = &asked.epoch {
                        for run in runs::open_of(store, &source)? {
                            if run.source_epoch.as_ref() == Some(old) {
                                if life == SourceLife::Again {
                                    ingest.take_own_word(&gap(&run, None, now))?;
                                }
                                ingest.take(&lost(&run, "the container went away while the agent ran in it", now))?;
                            }
                        }
                        deletion::forget_erased(store, old)?;
                        if *old != epoch && !asked.is_unnamed() {
                            retire(store, &source, old)?;
                        }
                    }
                    set_position(store, &source, &epoch, SourceId::START)?;
                    Ok((AnswerEffect::NewEpoch, Some(ingest.finish()?)))
                }
            }
        })
    }

    /// Takes the events after the cursor and gives the new cursor.
    fn take_events(
        &self,
        ingest: &mut Ingest<'_>,
        mut cursor: SourceId,
        answer: &SourceAnswer,
        epoch: &Epoch,
        now: Timestamp,
    ) -> Result<SourceId> {
        // A container may not name its oldest event. Then the first event of its answer counts as the oldest.
        let oldest = answer.oldest.or(answer.events.first().map(|event| event.id)).unwrap_or(SourceId::START);
        if oldest > cursor.next() {
            // A run that is known to be in another life of the server has lost nothing in this one.
            let mut open = runs::open_of(self.store.as_ref(), &Source::Container)?;
            open.retain(|run| run.source_epoch.as_ref().is_none_or(|known| known == epoch));
            let count = (open.len() == 1).then(|| oldest.get() - cursor.get() - 1);
            for run in &open {
                ingest.take_own_word(&gap(run, count, now))?;
            }
            cursor = oldest.previous();
        }
        ingest.expect(answer.events.iter().map(|event| &event.agent_id));
        for event in &answer.events {
            if event.id <= cursor {
                continue;
            }
            ingest.take(&Draft {
                agent_id: event.agent_id.clone(),
                run_id: event.run_id.clone(),
                event: event.event.clone(),
                data: event.data.clone(),
                at: event.timestamp,
            })?;
            cursor = event.id;
        }
        Ok(cursor)
    }

    /// Ends the runs of a container that could not be read since a time. The caller holds the transaction.
    fn end_silent(&self, since: Timestamp, problem: Option<&str>, now: Timestamp) -> Result<Outcome> {
        if now.millis_since(since) < SILENCE_LOST_MS {
            return Ok(Outcome::default());
        }
        let is_lost = |run: &Run| now.millis_since(since.max(run.started_at)) >= SILENCE_LOST_MS;
        let why = match problem {
            Some(problem) => format!("nothing could be read for five minutes: {problem}"),
            None => "the container has not answered for five minutes".to_owned(),
        };
        self.lose(runs::open_of(self.store.as_ref(), &Source::Container)?.into_iter().filter(is_lost), &why, now)
    }

    fn lose(&self, runs: impl Iterator<Item = Run>, why: &str, now: Timestamp) -> Result<Outcome> {
        let mut ingest = self.ingest(Source::Container, None, now)?;
        for run in runs {
            ingest.take(&lost(&run, why, now))?;
        }
        ingest.finish()
    }
}

fn gap(run: &Run, count: Option<u64>, now: Timestamp) -> Draft {
    let gap = SourceGap { agent_id: Some(run.agent_id.clone()), count, source: Source::Container.key() };
    Draft::new(run.agent_id.clone(), run.run_id.clone(), gap, now)
}

fn lost(run: &Run, why: &str, now: Timestamp) -> Draft {
    let exit = AgentExited::because(ExitReason::Lost, why);
    Draft::new(run.agent_id.clone(), run.run_id.clone(), exit, now)
}

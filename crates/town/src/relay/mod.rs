//! Carries events from the town's container into its log: what to ask, what an answer means, when to ask again.

pub mod control_answer;
pub mod control_key;
pub mod forwarding;
pub mod source_answer;
pub(crate) mod source_life;

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::event::{AgentExited, Draft, ExitReason, SourceGap};
use townwatch_protocol::id::{Epoch, SourceId};
use townwatch_protocol::limits::SILENCE_LOST_MS;
use townwatch_protocol::time::Timestamp;

use crate::agents::runs::{self, Run, Source};
use crate::agents::{deletion, parse};
use crate::log::ingest::{Ingest, Outcome, RunIdSource};
use crate::log::reducer::clip;
use crate::relay::source_answer::SourceAnswer;
use crate::relay::source_life::{Life, life, set_mark};
use crate::store::{Store, atomically, atomically_with_room};

/// Stands for the life of a container that names none.
const UNNAMED: &str = "unnamed";

/// How far a source has been taken over: what a request carries, and what must still hold when its answer comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The life of the source's buffers; none before the first answer.
    pub epoch: Option<Epoch>,
    /// The last event taken over.
    pub cursor: SourceId,
}

/// What an answer of the control server led to.
#[derive(Debug)]
pub enum Answered {
    /// Events, perhaps none, were taken over.
    Taken(Outcome),
    /// It is another life of the control server: the old one's runs are lost, and the new one is to be asked from its
    /// start.
    NewEpoch(Outcome),
    /// The answer is not to the present position, or of a life that is over: nothing was changed.
    Stale,
    /// The container names no life, and the last event taken over is not in its answer: only what it has from its start
    /// on tells whether it is another life. Nothing was changed.
    Unrecognised,
    /// The container names no life, and the last event taken over has another time: only a later answer tells whether that
    /// means another life. No event was taken over.
    Doubted,
}

/// From where on the container is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// What is new.
    New,
    /// All that it has.
    All,
}

impl Position {
    fn is_unnamed(&self) -> bool {
        self.epoch.as_ref().is_some_and(|epoch| epoch.as_str() == UNNAMED)
    }

    /// The beginning of the request's query, for example `epoch=E&after=7`. Of a container that names no life the last
    /// event is asked for once more: only with it can its next life be told from this one.
    pub fn query(&self, reach: Reach) -> String {
        match &self.epoch {
            _ if reach == Reach::All => "after=0".to_owned(),
            Some(_) if self.is_unnamed() => format!("after={}", self.cursor.previous()),
            Some(epoch) => format!("epoch={epoch}&after={}", self.cursor),
            None => format!("after={}", self.cursor),
        }
    }
}

/// The source's stored position.
pub fn position(store: &dyn Store, source: &Source) -> Result<Position> {
    let rows = store.query("SELECT epoch, cursor FROM sources WHERE source = ?", &[source.key().into()])?;
    match rows.first() {
        None => Ok(Position { epoch: None, cursor: SourceId::START }),
        Some(row) => Ok(Position {
            epoch: Some(parse(Epoch::parse(row.text(0)?))?),
            cursor: SourceId::new(row.number(1)?).ok_or_else(|| Error::internal("a stored cursor is beyond 2^53"))?,
        }),
    }
}

/// Moves the source's position: one row.
pub fn set_position(store: &dyn Store, source: &Source, epoch: &Epoch, cursor: SourceId) -> Result<()> {
    store.query(
        "INSERT INTO sources (source, epoch, cursor) VALUES (?, ?, ?) \
         ON CONFLICT (source) DO UPDATE SET epoch = excluded.epoch, cursor = excluded.cursor",
        &[source.key().into(), epoch.as_str().into(), cursor.into()],
    )?;
    Ok(())
}

/// Whether this life of the source is over.
pub fn is_retired(store: &dyn Store, source: &Source, epoch: &Epoch) -> Result<bool> {
    let found = store.query(
        "SELECT 1 FROM retired_epochs WHERE source = ? AND epoch = ?",
        &[source.key().into(), epoch.as_str().into()],
    )?;
    Ok(!found.is_empty())
}

/// Takes a life of the source for over; nothing of it is accepted any more.
pub fn retire(store: &dyn Store, source: &Source, epoch: &Epoch) -> Result<()> {
    store.query(
        "INSERT OR IGNORE INTO retired_epochs (source, epoch) VALUES (?, ?)",
        &[source.key().into(), epoch.as_str().into()],
    )?;
    Ok(())
}

/// Takes over an answer to a request that carried `asked`, in one transaction.
pub fn apply(
    store: &dyn Store,
    (asked, reach): (&Position, Reach),
    answer: &SourceAnswer,
    now: Timestamp,
    event_cap: u64,
    fresh_run: RunIdSource<'_>,
) -> Result<Answered> {
    let source = Source::Container;
    let epoch = match &answer.epoch {
        Some(epoch) => epoch.clone(),
        None => parse(Epoch::parse(UNNAMED))?,
    };
    atomically_with_room(store, || {
        if position(store, &source)? != *asked || is_retired(store, &source, &epoch)? {
            return Ok(Answered::Stale);
        }
        store.query("DELETE FROM silence", &[])?;
        let life =
            if asked.epoch.as_ref() == Some(&epoch) { life(store, asked, reach, answer, now)? } else { Life::Other };
        match life {
            Life::Unknown => Ok(Answered::Unrecognised),
            Life::Doubted => Ok(Answered::Doubted),
            Life::Same => {
                let mut ingest =
                    Ingest::new(store, source.clone(), Some(epoch.clone()), event_cap, &mut *fresh_run, now)?;
                if !answer.events.is_empty() {
                    ingest = ingest.with_space()?;
                }
                let cursor = take_over(store, &mut ingest, asked.cursor, answer, &epoch, now)?;
                if cursor != asked.cursor {
                    set_position(store, &source, &epoch, cursor)?;
                    set_mark(store, answer)?;
                }
                Ok(Answered::Taken(ingest.finish()?))
            }
            Life::Again | Life::Other => {
                let mut ingest = Ingest::new(store, source.clone(), None, event_cap, &mut *fresh_run, now)?;
                if let Some(old) = &asked.epoch {
                    for run in runs::open_of(store, &source)? {
                        if run.source_epoch.as_ref() == Some(old) {
                            if life == Life::Again {
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
                Ok(Answered::NewEpoch(ingest.finish()?))
            }
        }
    })
}

/// Takes the events after the cursor and gives the new cursor.
fn take_over(
    store: &dyn Store,
    ingest: &mut Ingest<'_>,
    mut cursor: SourceId,
    answer: &SourceAnswer,
    epoch: &Epoch,
    now: Timestamp,
) -> Result<SourceId> {
    // Who does not tell its oldest event has nothing before the first of its answer, where that is not the one asked for.
    let oldest = answer.oldest.or(answer.events.first().map(|event| event.id)).unwrap_or(SourceId::START);
    if oldest > cursor.next() {
        // A run that is known to be in another life of the server has lost nothing in this one.
        let mut open = runs::open_of(store, &Source::Container)?;
        open.retain(|run| run.source_epoch.as_ref().is_none_or(|known| known == epoch));
        let count = (open.len() == 1).then(|| oldest.get() - cursor.get() - 1);
        for run in &open {
            ingest.take_own_word(&gap(run, count, now))?;
        }
        cursor = oldest.previous();
    }
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

fn gap(run: &Run, count: Option<u64>, now: Timestamp) -> Draft {
    let gap = SourceGap { agent_id: Some(run.agent_id.clone()), count, source: Source::Container.key() };
    Draft::new(run.agent_id.clone(), run.run_id.clone(), gap, now)
}

/// Notes that the control server did not answer, or what is wrong with what it answers; after [`SILENCE_LOST_MS`] of that
/// its open runs are lost. A run does not answer for the silence before it.
pub fn unanswered(
    store: &dyn Store,
    problem: Option<&str>,
    now: Timestamp,
    event_cap: u64,
    fresh_run: RunIdSource<'_>,
) -> Result<Outcome> {
    // What an answer holds stands in the problem, too, and a state has little room.
    let problem = problem.map(clip);
    atomically(store, || {
        let since = silence(store)?.map(|silence| silence.since);
        let sql = "INSERT OR REPLACE INTO silence (one, since_ms, problem) VALUES (1, ?, ?)";
        store.query(sql, &[since.unwrap_or(now).millis().into(), problem.as_deref().into()])?;
        let Some(since) = since else { return Ok(Outcome::default()) };
        if now.millis_since(since) < SILENCE_LOST_MS {
            return Ok(Outcome::default());
        }
        let mut ingest = Ingest::new(store, Source::Container, None, event_cap, &mut *fresh_run, now)?;
        let is_lost = |run: &Run| now.millis_since(since.max(run.started_at)) >= SILENCE_LOST_MS;
        let why = match &problem {
            Some(problem) => format!("nothing could be read for five minutes: {problem}"),
            None => "the container has not answered for five minutes".to_owned(),
        };
        for run in runs::open_of(store, &Source::Container)?.into_iter().filter(is_lost) {
            ingest.take(&lost(&run, &why, now))?;
        }
        ingest.finish()
    })
}

/// Ends the runs of a container that has stopped: nothing answers for them any more. A run that is being started is not
/// in it yet; its start, or the silence, settles it.
pub fn stopped(store: &dyn Store, now: Timestamp, event_cap: u64, fresh_run: RunIdSource<'_>) -> Result<Outcome> {
    atomically(store, || {
        let mut ingest = Ingest::new(store, Source::Container, None, event_cap, &mut *fresh_run, now)?;
        for run in runs::open_of(store, &Source::Container)?.into_iter().filter(|run| run.source_epoch.is_some()) {
            ingest.take(&lost(&run, "the container stopped while the agent ran in it", now))?;
        }
        ingest.finish()
    })
}

/// Forgets a silence that no open run is in: the next one counts from its own beginning.
pub fn forget_silence(store: &dyn Store) -> Result<()> {
    if !runs::any_open_of(store, &Source::Container)? {
        store.query("DELETE FROM silence", &[])?;
    }
    Ok(())
}

/// A time in which the container could not be followed.
#[derive(Debug, PartialEq, Eq)]
pub struct Silence {
    /// Since when.
    pub since: Timestamp,
    /// What is wrong with what it answers, for example `the control server answered 500`; absent where it does not answer.
    pub problem: Option<String>,
}

impl Silence {
    /// It in words, for example `the container does not answer`.
    pub fn words(&self) -> String {
        self.problem.clone().unwrap_or_else(|| "the container does not answer".to_owned())
    }
}

/// Whether the container is silent at present.
pub fn silence(store: &dyn Store) -> Result<Option<Silence>> {
    let rows = store.query("SELECT since_ms, problem FROM silence", &[])?;
    let read = |row| Ok(Silence { since: runs::moment(row, 0)?, problem: row.maybe_text(1).map(str::to_owned) });
    rows.first().map(read).transpose()
}

/// Ends a run in the town's own words, in one transaction; nothing if it has ended.
pub fn end_run(
    store: &dyn Store,
    run: &Run,
    exit: AgentExited,
    now: Timestamp,
    event_cap: u64,
    fresh_run: RunIdSource<'_>,
) -> Result<Outcome> {
    let draft = Draft::new(run.agent_id.clone(), run.run_id.clone(), exit, now);
    atomically(store, || {
        let mut ingest = Ingest::new(store, Source::Container, None, event_cap, &mut *fresh_run, now)?;
        ingest.take(&draft)?;
        ingest.finish()
    })
}

fn lost(run: &Run, why: &str, now: Timestamp) -> Draft {
    let exit = AgentExited::because(ExitReason::Lost, why);
    Draft::new(run.agent_id.clone(), run.run_id.clone(), exit, now)
}

/// When the relay has to ask next: now if it is wanted and someone watches, later if a run is open and no one does, else
/// never. `unasked` has somebody watch a container in which nothing was started from here.
pub fn next_turn(
    store: &dyn Store,
    watched: bool,
    unasked: bool,
    now: Timestamp,
    drain_interval_ms: i64,
) -> Result<Option<Timestamp>> {
    Ok(match runs::any_open_of(store, &Source::Container)? {
        true if watched => Some(now),
        false if unasked => Some(now),
        true => Some(now.plus_millis(drain_interval_ms)),
        false => None,
    })
}

//! Carries events from the town's container into its log: what to ask, what an answer means, when to ask again.

use crate::core::agents::parse;
use crate::core::ingest::{FreshRun, Ingest, Outcome};
use crate::core::runs::{self, Run, Source};
use crate::core::store::{Store, atomically};
use crate::error::{Error, Result};
use crate::event::{AgentExited, Draft, ExitReason, SourceGap};
use crate::id::{Epoch, SourceId};
use crate::limits::SILENCE_LOST_MS;
use crate::protocol::ControlEvents;
use crate::time::Timestamp;

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
        "INSERT OR REPLACE INTO sources (source, epoch, cursor) VALUES (?, ?, ?)",
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
    asked: &Position,
    answer: &ControlEvents,
    now: Timestamp,
    event_cap: u64,
    fresh_run: FreshRun<'_>,
) -> Result<Answered> {
    let source = Source::Container;
    atomically(store, || {
        if position(store, &source)? != *asked || is_retired(store, &source, &answer.epoch)? {
            return Ok(Answered::Stale);
        }
        store.query("DELETE FROM silence", &[])?;
        match &asked.epoch {
            Some(epoch) if *epoch == answer.epoch => {
                let mut ingest =
                    Ingest::new(store, source.clone(), Some(answer.epoch.clone()), event_cap, &mut *fresh_run)?;
                let cursor = take_over(store, &mut ingest, asked.cursor, answer, now)?;
                if cursor != asked.cursor {
                    set_position(store, &source, epoch, cursor)?;
                }
                Ok(Answered::Taken(ingest.finish()?))
            }
            old => {
                let mut ingest = Ingest::new(store, source.clone(), None, event_cap, &mut *fresh_run)?;
                if let Some(old) = old {
                    for run in runs::open_of(store, &source)? {
                        if run.source_epoch.as_ref() == Some(old) {
                            ingest.take(&lost(&run, "the container went away while the agent ran in it", now))?;
                        }
                    }
                    retire(store, &source, old)?;
                }
                set_position(store, &source, &answer.epoch, SourceId::START)?;
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
    answer: &ControlEvents,
    now: Timestamp,
) -> Result<SourceId> {
    if answer.oldest > cursor.next() {
        // A run that is known to be in another life of the server has lost nothing in this one.
        let mut open = runs::open_of(store, &Source::Container)?;
        open.retain(|run| run.source_epoch.as_ref().is_none_or(|epoch| *epoch == answer.epoch));
        let count = (open.len() == 1).then(|| answer.oldest.get() - cursor.get() - 1);
        for run in &open {
            let agent_id = Some(run.agent_id.clone());
            let gap = SourceGap { agent_id, count, source: Source::Container.key() };
            ingest.take_own_word(&Draft::new(run.agent_id.clone(), run.run_id.clone(), gap, now))?;
        }
        cursor = answer.oldest.previous();
    }
    for event in &answer.events {
        if event.id <= cursor {
            continue;
        }
        ingest.take(&Draft {
            agent_id: event.agent_id.clone(),
            run_id: Some(event.run_id.clone()),
            event: event.event.clone(),
            data: event.data.clone(),
            at: event.timestamp,
        })?;
        cursor = event.id;
    }
    Ok(cursor)
}

/// Notes that the control server did not answer; after [`SILENCE_LOST_MS`] of that its open runs are lost. A run does not
/// answer for the silence before it.
pub fn unanswered(store: &dyn Store, now: Timestamp, event_cap: u64, fresh_run: FreshRun<'_>) -> Result<Outcome> {
    atomically(store, || {
        let Some(since) = silent_since(store)? else {
            store.query("INSERT INTO silence (one, since_ms) VALUES (1, ?)", &[now.millis().into()])?;
            return Ok(Outcome::default());
        };
        if now.millis_since(since) < SILENCE_LOST_MS {
            return Ok(Outcome::default());
        }
        let mut ingest = Ingest::new(store, Source::Container, None, event_cap, &mut *fresh_run)?;
        let is_lost = |run: &Run| now.millis_since(since.max(run.started_at)) >= SILENCE_LOST_MS;
        for run in runs::open_of(store, &Source::Container)?.into_iter().filter(is_lost) {
            ingest.take(&lost(&run, "the container has not answered for five minutes", now))?;
        }
        ingest.finish()
    })
}

/// Ends the runs of a container that has stopped: nothing answers for them any more. A run that is being started is not
/// in it yet; its start, or the silence, settles it.
pub fn stopped(store: &dyn Store, now: Timestamp, event_cap: u64, fresh_run: FreshRun<'_>) -> Result<Outcome> {
    atomically(store, || {
        let mut ingest = Ingest::new(store, Source::Container, None, event_cap, &mut *fresh_run)?;
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

/// Since when the control server has not answered.
pub fn silent_since(store: &dyn Store) -> Result<Option<Timestamp>> {
    store.query("SELECT since_ms FROM silence", &[])?.first().map(|row| runs::moment(row, 0)).transpose()
}

/// Ends a run in the town's own words, in one transaction; nothing if it has ended.
pub fn end_run(
    store: &dyn Store,
    run: &Run,
    exit: AgentExited,
    now: Timestamp,
    event_cap: u64,
    fresh_run: FreshRun<'_>,
) -> Result<Outcome> {
    let draft = Draft::new(run.agent_id.clone(), run.run_id.clone(), exit, now);
    atomically(store, || {
        let mut ingest = Ingest::new(store, Source::Container, None, event_cap, &mut *fresh_run)?;
        ingest.take(&draft)?;
        ingest.finish()
    })
}

fn lost(run: &Run, why: &str, now: Timestamp) -> Draft {
    let exit = AgentExited::because(ExitReason::Lost, why);
    Draft::new(run.agent_id.clone(), run.run_id.clone(), exit, now)
}

/// When the relay has to ask next: now if a run is open and someone watches, later if no one does, never if none is open.
pub fn next_turn(
    store: &dyn Store,
    watched: bool,
    now: Timestamp,
    drain_interval_ms: i64,
) -> Result<Option<Timestamp>> {
    if !runs::any_open_of(store, &Source::Container)? {
        return Ok(None);
    }
    Ok(Some(if watched { now } else { now.plus_millis(drain_interval_ms) }))
}

//! The writer of the log, within one transaction. Rows are written in groups, because each statement costs a small event
//! more than its row.

use std::collections::{BTreeMap, VecDeque};

use serde_json::value::RawValue;
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::event::{Draft, EventData};
use townwatch_protocol::id::{AgentId, EventId, RunId};
use townwatch_protocol::limits::{EVENT_BYTES_MAX, EVENT_BYTES_PER_AGENT_MAX, EVENT_FRAME_BYTES_MAX};
use townwatch_protocol::wire::TownEvent;

use crate::agents::runs::{self, Run};
use crate::agents::{Agent, position};
use crate::log::cut::cut;
use crate::log::recent::RecentEvents;
use crate::log::reducer::ReducerInput;
use crate::store::{PARAMETERS_MAX, Store, Value, places};

/// The columns that a new event has values for.
const COLUMNS: usize = 5;
/// Rows of one statement, 20.
const GROUP_ROWS: usize = PARAMETERS_MAX / COLUMNS;
/// Events of all agents that are read ahead, 64 of 48 KiB: 3 MiB. Beyond it each is read when it goes.
const AHEAD_MAX: usize = 64;

/// The writer of the log.
pub(crate) struct LogWriter<'a> {
    store: &'a dyn Store,
    event_cap: u64,
    /// Rows that are not written yet: all of them new ones, or all in the place of others.
    rows: Vec<NewRow>,
    /// The oldest events of agents at their cap, as far as they were read ahead, the oldest first.
    oldest: BTreeMap<AgentId, VecDeque<OldestEvent>>,
    /// The events that are still to come of each agent, as far as the caller has said. Of an agent at its cap so many of
    /// the oldest ones will go.
    coming: BTreeMap<AgentId, usize>,
    /// The events of this transaction for the viewers; `None` where nobody watches.
    pub(crate) recent: Option<RecentEvents>,
}

/// A row that is about to be written.
struct NewRow {
    id: EventId,
    run_id: RunId,
    event: String,
    frame: String,
    place: RowPlace,
}

/// The place of a new row.
enum RowPlace {
    /// A row of its own, of this agent.
    New(AgentId),
    /// The row of this event, which goes.
    Over(EventId),
}

struct OldestEvent {
    id: EventId,
    frame: String,
}

impl<'a> LogWriter<'a> {
    pub(crate) fn new(store: &'a dyn Store, event_cap: u64) -> Self {
        Self { store, event_cap, rows: Vec::new(), oldest: BTreeMap::new(), coming: BTreeMap::new(), recent: None }
    }

    /// Stores one event under the id `id`, as viewers will get it, and takes it into its agent's state. The state is made
    /// of the frame form, so that what is retained leads to it again. Of an agent that is at its cap the oldest event
    /// goes, and the new one takes over its row: that counts as two rows written, a deletion and an insertion as three.
    pub(crate) fn append(&mut self, id: EventId, agent: &mut Agent, run: &Run, draft: &Draft) -> Result<()> {
        let Framed { frame, whole, data } = framed(id, agent, &run.run_id, draft);
        let bytes = frame.len() + whole.as_ref().map_or(0, String::len);
        let is_full = agent.event_count >= self.event_cap.max(1);
        let place = match if is_full { self.forget_oldest(agent, id, id)? } else { None } {
            Some(oldest) => RowPlace::Over(oldest),
            None => RowPlace::New(agent.id().clone()),
        };
        if let Some(recent) = &mut self.recent {
            recent.push(id, agent.id(), draft.event.as_str(), &frame);
        }
        let is_over = |place: &RowPlace| matches!(place, RowPlace::Over(_));
        if self.rows.first().is_some_and(|row| is_over(&row.place) != is_over(&place)) {
            self.flush()?;
        }
        let (run_id, event) = (run.run_id.clone(), draft.event.as_str().to_owned());
        self.rows.push(NewRow { id, run_id, event, frame, place });
        if self.rows.len() == GROUP_ROWS {
            self.flush()?;
        }
        if let Some(coming) = self.coming.get_mut(agent.id()) {
            *coming = coming.saturating_sub(1);
        }
        if let Some(whole) = whole {
            self.store.query("INSERT INTO whole_events (id, event) VALUES (?, ?)", &[id.into(), whole.into()])?;
        }
        agent.event_count += 1;
        agent.event_bytes += bytes as u64;
        if agent.first_id == EventId::START {
            agent.first_id = id;
        }
        agent.now.reduce(&ReducerInput { id, run: Some((&run.run_id, run.number)), data: &data, at: draft.at });
        Ok(())
    }

    /// Says of which agents the next events are.
    pub(crate) fn expect<'e>(&mut self, agents: impl Iterator<Item = &'e AgentId>) {
        for agent_id in agents {
            *self.coming.entry(agent_id.clone()).or_default() += 1;
        }
    }

    /// Writes the rows that are not written yet. It comes before whatever reads the log.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let (Some(first), Some(newest)) = (self.rows.first(), self.rows.last().map(|row| row.id)) else {
            return Ok(());
        };
        let places = places(self.rows.len(), COLUMNS);
        let sql = match first.place {
            RowPlace::New(_) => {
                format!("INSERT INTO agent_events (id, run_id, event, frame, agent_id) VALUES {places}")
            }
            RowPlace::Over(_) => format!(
                "UPDATE agent_events SET id = column1, run_id = column2, event = column3, frame = column4 \
                 FROM (VALUES {places}) WHERE agent_events.id = column5"
            ),
        };
        let values = self.rows.drain(..).flat_map(|NewRow { id, run_id, event, frame, place }| -> [Value; COLUMNS] {
            let place = match place {
                RowPlace::New(agent_id) => agent_id.as_str().into(),
                RowPlace::Over(oldest) => oldest.into(),
            };
            [id.into(), run_id.as_str().into(), event.into(), frame.into(), place]
        });
        let values: Vec<Value> = values.collect();
        self.store.query(&sql, &values)?;
        self.store.known_head().newest.set(Some(newest));
        Ok(())
    }

    /// Deletes what the agent still has beyond its bounds, oldest first and never its newest: what its bytes exceed, and
    /// what a lowered cap leaves over.
    pub(crate) fn prune(&mut self, agent: &mut Agent, head: EventId) -> Result<()> {
        while agent.event_count > self.event_cap.max(1)
            || (agent.event_bytes > EVENT_BYTES_PER_AGENT_MAX && agent.event_count > 1)
        {
            if !self.delete_oldest(agent, head, head)? {
                break;
            }
        }
        Ok(())
    }

    /// Deletes an agent's oldest event, if its id is at most `through`. The answer is whether an event was deleted.
    /// `head` is the id that the town's newest event has after the present write. It is noted with the agent: a
    /// viewer that was told of this agent's gaps at an earlier head is told once more.
    pub(crate) fn delete_oldest(&mut self, agent: &mut Agent, through: EventId, head: EventId) -> Result<bool> {
        self.flush()?;
        let Some(oldest) = self.forget_oldest(agent, through, head)? else { return Ok(false) };
        self.store.query("DELETE FROM agent_events WHERE id = ?", &[oldest.into()])?;
        Ok(true)
    }

    /// Moves an agent's base behind its oldest event, and counts that event as pruned. The event's row is still
    /// there: the caller deletes or overwrites it.
    fn forget_oldest(&mut self, agent: &mut Agent, through: EventId, head: EventId) -> Result<Option<EventId>> {
        let Some(OldestEvent { id, frame }) = self.take_oldest(agent.id(), through)? else { return Ok(None) };
        let event: TownEvent = serde_json::from_str(&frame).map_err(Error::internal)?;
        let base = agent.base.read()?;
        let run_number = match &event.run_id {
            Some(run_id) if base.state.run_id.as_ref() == Some(run_id) => Some(base.state.run_number),
            Some(run_id) => runs::load(self.store, run_id)?.map(|run| run.number),
            None => None,
        };
        let data = EventData::read(&event.event, &event.data);
        base.reduce(&ReducerInput { id, run: event.run_id.as_ref().zip(run_number), data: &data, at: event.at });
        let mut bytes = frame.len() as u64;
        if event.cut.is_some() {
            let sql = "DELETE FROM whole_events WHERE id = ? RETURNING length(CAST(event AS BLOB))";
            bytes += self.store.query(sql, &[id.into()])?.first().map_or(Ok(0), |row| row.number(0))?;
        }
        agent.event_count -= 1;
        agent.event_bytes = agent.event_bytes.saturating_sub(bytes);
        agent.pruned_id = id;
        agent.pruned_count += 1;
        agent.pruned_at_head = head;
        Ok(Some(id))
    }

    /// The agent's oldest event that this writer has not taken yet, if its id is at most `through`.
    fn take_oldest(&mut self, agent_id: &AgentId, through: EventId) -> Result<Option<OldestEvent>> {
        if self.oldest.get(agent_id).is_none_or(VecDeque::is_empty) {
            // What was taken before is still in the table, as long as the rows over it are not written.
            self.flush()?;
            let sql = "SELECT id, frame FROM agent_events WHERE agent_id = ? ORDER BY id LIMIT ?";
            let held: usize = self.oldest.values().map(VecDeque::len).sum();
            let room = AHEAD_MAX.saturating_sub(held).min(GROUP_ROWS);
            let count = self.coming.get(agent_id).map_or(1, |coming| (*coming).min(room).max(1)) as u64;
            let rows = self.store.query(sql, &[agent_id.as_str().into(), count.into()])?;
            let read = rows.iter().map(|row| Ok(OldestEvent { id: position(row, 0)?, frame: row.text(1)?.to_owned() }));
            self.oldest.insert(agent_id.clone(), read.collect::<Result<_>>()?);
        }
        let Some(known) = self.oldest.get_mut(agent_id) else { return Ok(None) };
        Ok(if known.front().is_some_and(|event| event.id <= through) { known.pop_front() } else { None })
    }
}

struct Framed {
    frame: String,
    whole: Option<String>,
    data: EventData,
}

/// An event's frame form, of at most [`EVENT_FRAME_BYTES_MAX`], and beside it the whole event if the frame form is
/// cut. Data beyond [`EVENT_BYTES_MAX`] is stored in the frame form only. No sender may exceed that bound; but an
/// event that could not be stored would hold up all later events.
fn framed(id: EventId, agent: &Agent, run_id: &RunId, draft: &Draft) -> Framed {
    let prefix = format!(
        "{{\"id\":{id},\"agent_id\":\"{}\",\"rig_id\":\"{}\",\"run_id\":\"{run_id}\",\"event\":\"{}\",\"data\":",
        agent.id(),
        agent.rig_id,
        draft.event
    );
    let suffix = format!(",\"at\":\"{}\"", draft.at);
    let data = draft.data.get();
    let budget = EVENT_FRAME_BYTES_MAX - prefix.len() - suffix.len() - ",\"cut\":}".len();
    let shortened = cut(data, budget)
        .and_then(|(short, parts)| Some((RawValue::from_string(short).ok()?, serde_json::to_string(&parts).ok()?)));
    match shortened {
        None => Framed {
            frame: format!("{prefix}{data}{suffix}}}"),
            whole: None,
            data: EventData::read(&draft.event, &draft.data),
        },
        Some((short, parts)) => Framed {
            frame: format!("{prefix}{}{suffix},\"cut\":{parts}}}", short.get()),
            whole: (data.len() <= EVENT_BYTES_MAX).then(|| format!("{prefix}{data}{suffix}}}")),
            data: EventData::read(&draft.event, &short),
        },
    }
}

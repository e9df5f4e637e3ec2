//! The rig's own log: new events behind its head, and the bounds of each agent.

use townwatch_protocol::error::Result;
use townwatch_protocol::id::{AgentId, EventKey, RunId, SourceId};
use townwatch_protocol::limits::EVENT_BYTES_PER_AGENT_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::PostEvent;

use crate::rig::posting::data_of;
use crate::rig::rig_outbox::OutboxState;
use crate::rig::{Rig, position};
use crate::store::{PARAMETERS_MAX, Value, places};

/// The columns that a new event has values for.
const COLUMNS: usize = 7;

/// An agent's oldest event: its id, and the bytes of its data.
pub(crate) struct Oldest {
    pub(crate) id: SourceId,
    pub(crate) bytes: u64,
}

/// The number and the bytes of the events that the rig keeps for an agent.
#[derive(Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

impl Kept {
    pub(crate) fn lose(&mut self, oldest: Option<&Oldest>) {
        let Some(oldest) = oldest else { return };
        self.count -= 1;
        self.bytes = self.bytes.saturating_sub(oldest.bytes);
    }
}

/// An event that is about to be stored.
struct NewEvent<'e> {
    id: SourceId,
    event: &'e PostEvent,
    /// The event that goes, and leaves its row.
    over: Option<SourceId>,
}

impl Rig {
    /// Stores events of an agent behind the head, and gives log and outbox as they are then. If the agent is at its cap,
    /// each event takes over the row of the oldest one, if the town has that. So two rows are written (three with an
    /// `event_id`) instead of three (four).
    pub(crate) fn append(
        &self,
        agent_id: &AgentId,
        events: &[&PostEvent],
        mut kept: Kept,
        mut outbox: OutboxState,
        now: Timestamp,
    ) -> Result<OutboxState> {
        if events.is_empty() {
            return Ok(outbox);
        }
        if self.make_space(outbox.forwarded)? {
            kept = self.poster(agent_id)?.kept;
        }
        let over_cap = (kept.count + events.len() as u64).saturating_sub(self.event_cap).min(events.len() as u64);
        let mut going = self.oldest(agent_id, outbox.forwarded, over_cap)?.into_iter();
        let mut new_events = Vec::with_capacity(events.len());
        for event in events {
            let oldest = if kept.count >= self.event_cap { going.next() } else { None };
            outbox.head = outbox.head.next();
            new_events.push(NewEvent { id: outbox.head, event, over: oldest.as_ref().map(|oldest| oldest.id) });
            kept.lose(oldest.as_ref());
            let bytes = data_of(event).len() as u64;
            kept = Kept { count: kept.count + 1, bytes: kept.bytes + bytes };
            outbox.waiting_bytes += bytes;
        }
        // Neighbours of one kind share a statement: those with a row of their own, and those that take one over.
        for same in new_events.chunk_by(|one, other| one.over.is_some() == other.over.is_some()) {
            for group in same.chunks(PARAMETERS_MAX / COLUMNS) {
                self.write(agent_id, group, now)?;
            }
        }
        // Here go the events beyond the bound of bytes, and those that the town did not have before. The newest event
        // always stays, because ids are never given twice.
        while kept.count > 1 && (kept.count > self.event_cap || kept.bytes > EVENT_BYTES_PER_AGENT_MAX) {
            let Some(oldest) = self.oldest(agent_id, outbox.forwarded, 1)?.pop() else { break };
            self.store.query("DELETE FROM agent_events WHERE id = ?", &[oldest.id.into()])?;
            kept.lose(Some(&oldest));
        }
        self.save_kept(agent_id, kept)?;
        Ok(outbox)
    }

    pub(crate) fn save_kept(&self, agent_id: &AgentId, kept: Kept) -> Result<()> {
        let parameters = [kept.count.into(), kept.bytes.into(), agent_id.as_str().into()];
        self.store.query("UPDATE agents SET event_count = ?, event_bytes = ? WHERE agent_id = ?", &parameters)?;
        Ok(())
    }

    /// So many of an agent's oldest events, as far as the town has them.
    pub(crate) fn oldest(&self, agent_id: &AgentId, forwarded: SourceId, count: u64) -> Result<Vec<Oldest>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let sql = "SELECT id, octet_length(data) FROM agent_events WHERE agent_id = ? AND id <= ? ORDER BY id LIMIT ?";
        let rows = self.store.query(sql, &[agent_id.as_str().into(), forwarded.into(), count.into()])?;
        rows.iter().map(|row| Ok(Oldest { id: position(row.number(0)?)?, bytes: row.number(1)? })).collect()
    }

    /// Writes events by one statement, all of them into new rows or all over the rows of events that go.
    fn write(&self, agent_id: &AgentId, events: &[NewEvent], now: Timestamp) -> Result<()> {
        let places = places(events.len(), COLUMNS);
        let sql = if events.iter().all(|event| event.over.is_none()) {
            format!("INSERT INTO agent_events (id, event_key, run_id, event, data, at_ms, agent_id) VALUES {places}")
        } else {
            format!(
                "UPDATE agent_events SET id = column1, event_key = column2, run_id = column3, event = column4, \
                 data = column5, at_ms = column6 FROM (VALUES {places}) WHERE agent_events.id = column7"
            )
        };
        let values = events.iter().flat_map(|NewEvent { id, event, over }| -> [Value; COLUMNS] {
            [
                (*id).into(),
                event.event_id.as_ref().map(EventKey::as_str).into(),
                event.run_id.as_ref().map(RunId::as_str).into(),
                event.event_type.as_str().into(),
                data_of(event).into(),
                // A clock that is ahead would make durations negative, and put "ago" into the future.
                event.at.map_or(now, |at| at.min(now)).millis().into(),
                over.map_or_else(|| agent_id.as_str().into(), Value::from),
            ]
        });
        self.store.query(&sql, &values.collect::<Vec<_>>())?;
        Ok(())
    }
}

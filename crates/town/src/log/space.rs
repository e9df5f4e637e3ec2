//! Pruning for space: where an object's tables use more than they may, the oldest events of the agents that use most
//! go, but never an agent's newest event. Pruning comes before a batch or a picture is stored, in the same transaction.
//! Each time a bounded amount goes, a little more than necessary, so that not every batch has to look for the largest
//! agents.

use townwatch_protocol::error::Result;
use townwatch_protocol::id::{AgentId, EventId};

use crate::agents::{self, parse};
use crate::log::images;
use crate::log::writer::LogWriter;
use crate::store::{Fill, Store};

/// The most events that are deleted before one batch, twice as many as a batch may have. The rest of the excess is
/// deleted before the next batch.
const GOING_EVENTS_MAX: u64 = 1_000;
/// The most bytes that are deleted before one batch, twice as many as a batch may have. The rest of the excess is
/// deleted before the next batch.
const GOING_BYTES_MAX: u64 = 8 << 20;
/// The number of agents, the largest ones, that are searched for something to delete.
pub(crate) const LARGEST_AGENTS_MAX: u64 = 8;
/// The part of the bound that goes beyond what is needed: a 64th.
const SPARE_PART: u64 = 64;

/// The bytes and events that are still to be pruned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Excess {
    events: u64,
    bytes: u64,
}

impl Excess {
    /// None where there is room.
    pub(crate) fn of(Fill { taken_bytes, max_bytes }: Fill) -> Option<Self> {
        let excess = taken_bytes.checked_sub(max_bytes).filter(|excess| *excess > 0)?;
        let bytes = excess.saturating_add(max_bytes / SPARE_PART).min(GOING_BYTES_MAX);
        Some(Self { events: GOING_EVENTS_MAX, bytes })
    }

    pub(crate) fn is_met(self) -> bool {
        self.events == 0 || self.bytes == 0
    }

    /// An event of so many bytes goes.
    pub(crate) fn lose(&mut self, bytes: u64) {
        self.events = self.events.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// Makes room before a batch is stored: deletes old events and pictures of the largest agents of a town. Gives the
/// newest deleted event's id.
pub(crate) fn make(store: &dyn Store, writer: &mut LogWriter<'_>, head: EventId) -> Result<EventId> {
    let mut pruned_id = EventId::START;
    let Some(mut wanted) = Excess::of(store.fill()) else { return Ok(pruned_id) };
    for (agent_id, event_bytes, image_bytes) in largest(store)? {
        if wanted.is_met() {
            break;
        }
        if image_bytes > event_bytes {
            let gone = images::let_oldest_go(store, &agent_id, wanted.bytes)?;
            wanted.bytes = wanted.bytes.saturating_sub(gone);
            continue;
        }
        let Some(mut agent) = agents::load(store, &agent_id)? else { continue };
        let before = agent.pruned_id;
        // Whoever was told at the present head what is gone has to be told once more: this goes with the next event.
        while !wanted.is_met() && agent.event_count > 1 {
            let bytes = agent.event_bytes;
            if !writer.delete_oldest(&mut agent, head, head.next())? {
                break;
            }
            wanted.lose(bytes - agent.event_bytes);
        }
        if agent.pruned_id > before {
            agents::save(store, &agent)?;
            images::let_unnamed_go(store, &agent_id, agent.pruned_id)?;
            pruned_id = pruned_id.max(agent.pruned_id);
        }
    }
    Ok(pruned_id)
}

/// Deletes old pictures of the agent with the most bytes of pictures, so that a picture can be stored. No event is
/// deleted here, because viewers would have to be told of the gap. Events are deleted before the next batch is stored
/// ([`make`]).
pub(crate) fn make_for_picture(store: &dyn Store) -> Result<()> {
    let Some(wanted) = Excess::of(store.fill()) else { return Ok(()) };
    let rows = store.query("SELECT agent_id FROM image_sums ORDER BY bytes DESC LIMIT 1", &[])?;
    if let Some(row) = rows.first() {
        images::let_oldest_go(store, &parse(AgentId::parse(row.text(0)?))?, wanted.bytes)?;
    }
    Ok(())
}

/// The agents that take most, each with the bytes of its events and of its pictures.
fn largest(store: &dyn Store) -> Result<Vec<(AgentId, u64, u64)>> {
    let sql = "SELECT agent_id, event_bytes, coalesce(bytes, 0) FROM agents LEFT JOIN image_sums USING (agent_id) \
         ORDER BY event_bytes + coalesce(bytes, 0) DESC LIMIT ?";
    let rows = store.query(sql, &[LARGEST_AGENTS_MAX.into()])?;
    rows.iter().map(|row| Ok((parse(AgentId::parse(row.text(0)?))?, row.number(1)?, row.number(2)?))).collect()
}

//! The events of one town between its agents and its log: ids, acknowledgement, retention, bounds. It has no clock and
//! no tasks.
//!
//! Invariants:
//!
//! * Ids rise by one from 1 over all agents of the town.
//! * An event that was not acknowledged goes only at a bound, the oldest first. Then [`Buffer::oldest`] rises above it.
//! * An event that was acknowledged stays while it is one of its agent's latest [`KEPT_PER_AGENT`] and its run has not
//!   expired.
//! * At most [`Bounds::memory_bytes`] of text are in memory, the newest. Older texts are in the spool.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};
use std::path::PathBuf;
use std::sync::Arc;

use townwatch_protocol::id::AgentId;

use crate::spool::{Spool, SpooledText};

/// An agent's latest events that stay readable after they were acknowledged, 500.
pub const KEPT_PER_AGENT: usize = 500;
/// The text of a town's events in memory, 32 MiB; beyond it the oldest go to the spool.
pub const UNACKED_MEMORY_BYTES_MAX: usize = 32 << 20;
/// The text of a town's events on disk, 1 GiB; beyond it the oldest sixteenth goes, and the town stores a `source_gap`.
pub const UNACKED_DISK_BYTES_MAX: u64 = 1 << 30;
/// The events of a town in memory and on disk, 1,000,000; beyond it the oldest go. Each takes about 100 bytes of
/// memory, even if its text is on disk, so all take 100 MB at most.
pub const EVENTS_MAX: usize = 1_000_000;

/// The bounds of a buffer; tests use smaller ones.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// The bytes of text in memory.
    pub memory_bytes: usize,
    /// The bytes of text on disk.
    pub disk_bytes: u64,
    /// The number of events.
    pub events: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { memory_bytes: UNACKED_MEMORY_BYTES_MAX, disk_bytes: UNACKED_DISK_BYTES_MAX, events: EVENTS_MAX }
    }
}

/// An event's text, in one of two places.
#[derive(Debug, Clone)]
pub enum BufferedText {
    /// The text in memory.
    Memory(Arc<str>),
    /// The text on disk.
    Disk(SpooledText),
}

impl BufferedText {
    fn bytes(&self) -> usize {
        match self {
            Self::Memory(text) => text.len(),
            Self::Disk(spooled) => spooled.bytes(),
        }
    }
}

#[derive(Debug)]
struct BufferedEvent {
    agent: Arc<AgentId>,
    text: BufferedText,
}

#[derive(Debug)]
struct AgentEvents {
    name: Arc<AgentId>,
    ids: VecDeque<u64>,
    expired_through: u64,
}

/// The events of one town.
#[derive(Debug)]
pub struct Buffer {
    bounds: Bounds,
    entries: BTreeMap<u64, BufferedEvent>,
    agents: HashMap<AgentId, AgentEvents>,
    head: u64,
    acked: u64,
    /// The newest event that was lost without an acknowledgement.
    lost_through: u64,
    /// The last of the entries that are on disk; all up to it are.
    spooled_through: u64,
    memory_bytes: usize,
    spool: Spool,
}

impl Buffer {
    /// Makes an empty buffer. Its spool, if one is needed, is in `dir`.
    pub fn new(bounds: Bounds, dir: PathBuf) -> Self {
        let spool = Spool::new(dir, bounds.disk_bytes);
        let (entries, agents) = (BTreeMap::new(), HashMap::new());
        Self { bounds, entries, agents, head: 0, acked: 0, lost_through: 0, spooled_through: 0, memory_bytes: 0, spool }
    }

    /// The newest event's id; 0 if there never was one.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The oldest event's id from which on no unacknowledged event is missing; `head + 1` if there is none.
    pub fn oldest(&self) -> u64 {
        self.entries.range((Excluded(self.lost_through), Unbounded)).next().map_or(self.head + 1, |(id, _)| *id)
    }

    /// Takes an event, and gives it the next id. `write` makes its text of that id.
    pub fn push(&mut self, agent: &AgentId, write: impl FnOnce(u64) -> String) -> u64 {
        self.head += 1;
        let id = self.head;
        let text: Arc<str> = write(id).into();
        let events = self.agents.entry(agent.clone()).or_insert_with(|| AgentEvents {
            name: Arc::new(agent.clone()),
            ids: VecDeque::new(),
            expired_through: 0,
        });
        events.ids.push_back(id);
        self.memory_bytes += text.len();
        self.entries.insert(id, BufferedEvent { agent: events.name.clone(), text: BufferedText::Memory(text) });
        self.release(agent);
        self.keep_to_bounds();
        id
    }

    /// Notes that the town has stored everything up to this id.
    pub fn acknowledge(&mut self, id: u64) {
        let id = id.min(self.head);
        if id <= self.acked {
            return;
        }
        self.acked = id;
        let agents: Vec<AgentId> = self.agents.keys().cloned().collect();
        for agent in &agents {
            self.release(agent);
        }
    }

    /// Notes that the agent's events so far need not stay readable any longer. Those that are not acknowledged still
    /// wait for that.
    pub fn expire(&mut self, agent: &AgentId, through: u64) {
        if let Some(events) = self.agents.get_mut(agent) {
            events.expired_through = events.expired_through.max(through);
        }
        self.release(agent);
    }

    /// Whether the buffer still has an event of this agent.
    pub fn holds(&self, agent: &AgentId) -> bool {
        self.agents.contains_key(agent)
    }

    /// Reads the events after this one, ascending, of one agent or of all: as many as fit, and at least one if there is
    /// one.
    pub fn after(&self, agent: Option<&AgentId>, after: u64, count_max: usize, bytes_max: usize) -> Vec<BufferedText> {
        let after = after.max(self.lost_through);
        let mut bytes = 0;
        let fits = |text: &&BufferedText| {
            bytes += text.bytes() + 1;
            bytes <= bytes_max || bytes == text.bytes() + 1
        };
        match agent {
            None => {
                let entries = self.entries.range((Excluded(after), Unbounded)).map(|(_, entry)| &entry.text);
                entries.take(count_max).take_while(fits).cloned().collect()
            }
            Some(agent) => {
                let Some(events) = self.agents.get(agent) else { return Vec::new() };
                let ids = events.ids.range(events.ids.partition_point(|id| *id <= after)..);
                let entries = ids.filter_map(|id| self.entries.get(id)).map(|entry| &entry.text);
                entries.take(count_max).take_while(fits).cloned().collect()
            }
        }
    }

    /// Whether there are more than `count` events after this one.
    pub fn has_more(&self, after: u64, count: usize) -> bool {
        self.entries.range((Excluded(after.max(self.lost_through)), Unbounded)).nth(count).is_some()
    }

    /// Removes those events of an agent that are acknowledged, and either not among the latest ones or of a run that
    /// has expired.
    fn release(&mut self, agent: &AgentId) {
        let Some(events) = self.agents.get_mut(agent) else { return };
        let mut released = Vec::new();
        while let Some(&id) = events.ids.front()
            && id <= self.acked
            && (events.ids.len() > KEPT_PER_AGENT || id <= events.expired_through)
        {
            events.ids.pop_front();
            released.push(id);
        }
        if events.ids.is_empty() {
            self.agents.remove(agent);
        }
        for id in released {
            if let Some(entry) = self.entries.remove(&id) {
                self.drop_text(&entry.text);
            }
        }
    }

    fn keep_to_bounds(&mut self) {
        while self.memory_bytes > self.bounds.memory_bytes {
            let Some((&id, entry)) = self.entries.range_mut((Excluded(self.spooled_through), Unbounded)).next() else {
                break;
            };
            self.spooled_through = id;
            let BufferedText::Memory(text) = &entry.text else { continue };
            let bytes = text.len();
            match self.spool.write(id, text) {
                Ok(spooled) => {
                    entry.text = BufferedText::Disk(spooled);
                    self.memory_bytes -= bytes;
                }
                Err(error) => {
                    // A full disk counts as reaching the bound, on a machine that has less space than ours.
                    crate::log::write("spool_failed", serde_json::json!({"error": error.to_string()}));
                    self.drop_through(id);
                }
            }
        }
        if let Some(last_id) = self.spool.shrink() {
            self.drop_through(last_id);
        }
        if self.entries.len() > self.bounds.events
            && let Some(&id) = self.entries.keys().next()
        {
            self.drop_through(id);
        }
    }

    /// Removes everything up to this id, acknowledged or not, because a bound was reached.
    fn drop_through(&mut self, last_id: u64) {
        while let Some(first) = self.entries.first_entry().filter(|first| *first.key() <= last_id) {
            let (id, entry) = first.remove_entry();
            self.drop_text(&entry.text);
            if let Some(events) = self.agents.get_mut(&*entry.agent) {
                events.ids.pop_front();
                if events.ids.is_empty() {
                    self.agents.remove(&*entry.agent);
                }
            }
            if id > self.acked {
                self.lost_through = id;
            }
        }
    }

    fn drop_text(&mut self, text: &BufferedText) {
        match text {
            BufferedText::Memory(text) => self.memory_bytes -= text.len(),
            BufferedText::Disk(spooled) => self.spool.forget(spooled),
        }
    }
}

#[cfg(test)]
mod tests;

//! A control server as far as the town can see it: runs, buffers with ids within an epoch, and nothing that outlives it.
//!
//! What the real one keeps on disk are files without a name that end with its process, so a restart keeps nothing, with
//! a spool or without. The spool only moves the bound at which events go that nobody has acknowledged.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::value::RawValue;
use townwatch_protocol::event::EventData;
use townwatch_protocol::id::{AgentId, Epoch, EventName, RunId, SourceId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{ControlEvent, ControlEvents, ControlStart};
use townwatch_town::relay::Position;

use super::faults::Fault;

pub struct Container {
    pub epoch: Epoch,
    pub runs: BTreeMap<RunId, AgentId>,
    /// Runs that have ended here; a faulty source may still speak for them.
    pub ended: BTreeMap<RunId, AgentId>,
    newest: BTreeMap<AgentId, RunId>,
    events: BTreeMap<u64, ControlEvent>,
    /// Everything that was ever said here.
    pub said: Vec<ControlEvent>,
    acknowledged: u64,
    lost_through: u64,
    expired_through: BTreeMap<AgentId, u64>,
    bounds: Bounds,
    /// What has gone wrong here since someone looked.
    pub faults: Vec<Fault>,
}

/// The real ones are 500 events an agent, 32 MiB and 1 GiB.
struct Bounds {
    kept_per_agent: usize,
    memory_events: usize,
    /// 0: the disk is full.
    disk_events: usize,
}

impl Container {
    pub fn new(life: u64, rng: &mut Rng) -> Self {
        let disk_events = if rng.u32(0..6) == 0 { 0 } else { rng.usize(40..200) };
        Self {
            epoch: Epoch::parse(&format!("container-{life}")).unwrap(),
            runs: BTreeMap::new(),
            ended: BTreeMap::new(),
            newest: BTreeMap::new(),
            events: BTreeMap::new(),
            said: Vec::new(),
            acknowledged: 0,
            lost_through: 0,
            expired_through: BTreeMap::new(),
            bounds: Bounds { kept_per_agent: rng.usize(1..20), memory_events: rng.usize(20..80), disk_events },
            faults: Vec::new(),
        }
    }

    pub fn start(&mut self, start: &ControlStart) {
        self.runs.insert(start.run_id.clone(), start.agent_id.clone());
        self.newest.insert(start.agent_id.clone(), start.run_id.clone());
    }

    /// Whether the agent's newest run here is this one: what its status says.
    pub fn knows(&self, agent_id: &AgentId, run_id: &RunId) -> bool {
        self.newest.get(agent_id) == Some(run_id)
    }

    fn head(&self) -> u64 {
        self.said.len() as u64
    }

    pub fn emit(&mut self, run_id: &RunId, data: &EventData, at: Timestamp) {
        self.emit_raw(run_id, EventName::of(data), data.to_raw(), at);
    }

    pub fn emit_raw(&mut self, run_id: &RunId, event: EventName, data: Box<RawValue>, at: Timestamp) {
        let agent_id = self.runs.get(run_id).or_else(|| self.ended.get(run_id)).unwrap().clone();
        let id = self.head() + 1;
        let (id, run_id) = (SourceId::new(id).unwrap(), run_id.clone());
        let event = ControlEvent { id, agent_id: agent_id.clone(), run_id, event, data, timestamp: at };
        if event.event.as_str() == "agent.exited" {
            self.ended.extend(self.runs.remove_entry(&event.run_id));
        }
        self.said.push(event.clone());
        self.events.insert(id.get(), event);
        self.release(&agent_id);
        self.keep_to_bounds();
    }

    fn keep_to_bounds(&mut self) {
        let Bounds { memory_events, disk_events, .. } = self.bounds;
        if self.events.len() > memory_events + disk_events {
            let (fault, gone) =
                if disk_events == 0 { (Fault::SpoolFailed, 1) } else { (Fault::ContainerOverflowed, disk_events / 16) };
            self.lose(gone.max(1), fault);
        }
    }

    /// At a bound it loses its oldest events, whether they were taken over or not.
    pub fn lose(&mut self, count: usize, fault: Fault) {
        for _ in 0..count {
            let Some((id, _)) = self.events.pop_first() else { return };
            if id > self.acknowledged {
                self.lost_through = id;
                self.faults.push(fault);
            }
        }
    }

    /// The newest event that went without having been acknowledged.
    pub fn lost_through(&self) -> u64 {
        self.lost_through
    }

    /// Whether a run ended here, and that was lost before it was acknowledged.
    pub fn has_lost_end_of(&self, run_id: &str) -> bool {
        let mut ends = self.said.iter().filter(|event| event.event.as_str() == "agent.exited");
        ends.any(|event| event.run_id.as_str() == run_id && event.id.get() <= self.lost_through)
    }

    pub fn retained(&self) -> usize {
        self.events.len()
    }

    /// The town has stored everything up to here.
    fn acknowledge(&mut self, id: u64) {
        self.acknowledged = self.acknowledged.max(id.min(self.head()));
        let agents: Vec<AgentId> = self.newest.keys().cloned().collect();
        for agent_id in agents {
            self.release(&agent_id);
        }
    }

    /// A run ended a while ago: its events need not stay readable once they are acknowledged.
    pub fn expire(&mut self, run_id: &RunId) {
        let Some(last) = self.said.iter().rev().find(|event| event.run_id == *run_id) else { return };
        let agent_id = last.agent_id.clone();
        self.expired_through.insert(agent_id.clone(), last.id.get());
        self.faults.push(Fault::RunExpired);
        self.release(&agent_id);
    }

    fn release(&mut self, agent_id: &AgentId) {
        let expired_through = self.expired_through.get(agent_id).copied().unwrap_or(0);
        let mine: Vec<u64> =
            self.events.iter().filter(|(_, event)| event.agent_id == *agent_id).map(|(id, _)| *id).collect();
        for (index, id) in mine.iter().enumerate() {
            let recent = mine.len() - index <= self.bounds.kept_per_agent;
            if *id > self.acknowledged || (recent && *id > expired_through) {
                break;
            }
            self.events.remove(id);
            self.faults.push(Fault::BufferReleased);
        }
    }

    /// A request that acknowledges what it asks after. Of another life it acknowledges nothing.
    pub fn answer(&mut self, asked: &Position, limit: usize) -> ControlEvents {
        let mut after = 0;
        if asked.epoch.as_ref() == Some(&self.epoch) {
            after = asked.cursor.get();
            self.acknowledge(after);
        }
        let after = after.max(self.lost_through);
        let oldest = self.events.range(self.lost_through + 1..).next().map_or(self.head() + 1, |(id, _)| *id);
        ControlEvents {
            epoch: self.epoch.clone(),
            head: SourceId::new(self.head()).unwrap(),
            oldest: SourceId::new(oldest).unwrap(),
            events: self.events.range(after + 1..).map(|(_, event)| event.clone()).take(limit).collect(),
            previews: Vec::new(),
        }
    }
}

/// The token that a simulated event carries, so that the oracle knows each one again.
pub fn token(data: &RawValue) -> Option<u64> {
    let text = data.get();
    let begin = text.find('#')? + 1;
    let digits: String = text[begin..].chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

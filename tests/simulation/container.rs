//! A control server as far as the town can see it: runs, buffers with ids within an epoch, and nothing that outlives it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use townwatch::core::relay::Position;
use townwatch::event::EventData;
use townwatch::id::{AgentId, Epoch, EventName, RunId, SourceId};
use townwatch::protocol::{ControlEvent, ControlEvents, ControlStart};
use townwatch::time::Timestamp;

pub struct Container {
    pub epoch: Epoch,
    pub events: Vec<ControlEvent>,
    pub runs: BTreeMap<RunId, AgentId>,
    /// Runs that have ended here; a faulty source may still speak for them.
    pub ended: BTreeMap<RunId, AgentId>,
    dropped: u64,
}

impl Container {
    pub fn new(life: u64) -> Self {
        let epoch = Epoch::parse(&format!("container-{life}")).unwrap();
        Self { epoch, events: Vec::new(), runs: BTreeMap::new(), ended: BTreeMap::new(), dropped: 0 }
    }

    pub fn start(&mut self, start: &ControlStart) {
        self.runs.insert(start.run_id.clone(), start.agent_id.clone());
    }

    fn head(&self) -> u64 {
        self.dropped + self.events.len() as u64
    }

    pub fn emit(&mut self, run_id: &RunId, data: &EventData, at: Timestamp) {
        let event = ControlEvent {
            id: SourceId::new(self.head() + 1).unwrap(),
            agent_id: self.runs.get(run_id).or_else(|| self.ended.get(run_id)).unwrap().clone(),
            run_id: run_id.clone(),
            event: EventName::of(data),
            data: data.to_raw(),
            timestamp: at,
        };
        if event.event.as_str() == "agent.exited" {
            self.ended.extend(self.runs.remove_entry(run_id));
        }
        self.events.push(event);
    }

    /// Beyond its bound it loses its oldest events, whether they were taken over or not.
    pub fn overflow(&mut self, keep: usize) -> Vec<ControlEvent> {
        let lost = self.events.len().saturating_sub(keep);
        self.dropped += lost as u64;
        self.events.drain(..lost).collect()
    }

    pub fn answer(&self, asked: &Position, limit: usize) -> ControlEvents {
        let after = if asked.epoch.as_ref() == Some(&self.epoch) { asked.cursor.get() } else { 0 };
        ControlEvents {
            epoch: self.epoch.clone(),
            head: SourceId::new(self.head()).unwrap(),
            oldest: SourceId::new(self.dropped + 1).unwrap(),
            events: self.events.iter().filter(|event| event.id.get() > after).take(limit).cloned().collect(),
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

//! What the agents of a story's rig post.

use serde_json::{Value as Json, json};
use townwatch_protocol::id::{EventName, RigId, RunId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{RigBatch, RigEvent};
use townwatch_town::log::ingest::Outcome;

use super::{Story, agent, epoch, position, raw};

impl Story {
    /// Takes over what the rig's agents posted: `(agent, run or "", name, data)` each.
    pub fn post(&mut self, events: &[(&str, &str, &str, Json)]) -> Outcome {
        self.post_as("rig", events, self.now)
    }

    /// The same by the agents' clock.
    pub fn post_at(&mut self, events: &[(&str, &str, &str, Json)], at: Timestamp) -> Outcome {
        self.post_as("rig", events, at)
    }

    /// The same of another rig; a story has the posts of one.
    pub fn post_to(&mut self, rig_id: &str, events: &[(&str, &str, &str, Json)]) -> Outcome {
        self.post_as(rig_id, events, self.now)
    }

    fn post_as(&mut self, rig_id: &str, events: &[(&str, &str, &str, Json)], at: Timestamp) -> Outcome {
        let after = position(self.posted);
        let events = events
            .iter()
            .map(|(agent_id, run_id, event, data)| {
                self.posted += 1;
                RigEvent {
                    id: position(self.posted),
                    agent_id: agent(agent_id),
                    run_id: RunId::parse(run_id),
                    event: EventName::parse(event).unwrap(),
                    data: raw(data),
                    at,
                }
            })
            .collect();
        let rig_id = RigId::parse(rig_id).unwrap();
        let batch = RigBatch { rig_id, rig_epoch: epoch("rig-1"), after, events };
        self.mint.is_open.set(true);
        let (cursor, outcome) = self.reported(&batch).unwrap();
        self.mint.is_open.set(false);
        assert_eq!(cursor.cursor, position(self.posted));
        outcome
    }

    /// Posts `count` notes of an agent, at most 500 a time.
    pub fn notes(&mut self, agent_id: &str, count: usize) {
        for chunk in vec![(agent_id, "", "note", json!(0)); count].chunks(500) {
            self.post(chunk);
        }
    }
}

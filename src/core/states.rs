//! When an agent's changed state is sent: at once if it has been quiet, else when its window is over.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::core::reducer::differs;
use crate::core::viewers::{Effect, ViewerId, text_of};
use crate::id::AgentId;
use crate::protocol::{AgentState, ServerFrame};
use crate::time::Timestamp;

/// At most one `state` frame an agent in this time.
const WINDOW_MS: i64 = 500;

/// The agents whose state has changed since it was last sent. Bounded by the agents of a town.
#[derive(Debug, Default)]
pub(crate) struct StateFrames {
    changed: BTreeSet<AgentId>,
    sent: BTreeMap<AgentId, Sent>,
    /// Counts the frames; by it a reader knows which it has not had.
    count: u64,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    at: Timestamp,
    number: u64,
}

impl StateFrames {
    pub(crate) fn moved(&mut self, before: &AgentState, after: &AgentState) {
        if differs(before, after) {
            self.mark(after.agent_id.clone());
        }
    }

    pub(crate) fn mark(&mut self, agent_id: AgentId) {
        self.changed.insert(agent_id);
    }

    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<AgentId> {
        // A clock that stepped back holds nothing up.
        let stepped_back = |agent: &AgentId| self.sent.get(agent).is_some_and(|sent| sent.at > now);
        let is_due = |agent: &&AgentId| self.window_end(agent) <= now || stepped_back(agent);
        let due: Vec<AgentId> = self.changed.iter().filter(is_due).cloned().collect();
        for agent_id in &due {
            self.changed.remove(agent_id);
            self.count += 1;
            self.sent.insert(agent_id.clone(), Sent { at: now, number: self.count });
        }
        due
    }

    pub(crate) fn due_at(&self) -> Option<Timestamp> {
        self.changed.iter().map(|agent| self.window_end(agent)).min()
    }

    /// The number of the newest frame.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The agents whose frames came after this number.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = &AgentId> {
        self.sent.iter().filter(move |(_, sent)| sent.number > number).map(|(agent_id, _)| agent_id)
    }

    fn window_end(&self, agent_id: &AgentId) -> Timestamp {
        self.sent.get(agent_id).map_or(Timestamp::from_millis(0), |sent| sent.at.plus_millis(WINDOW_MS))
    }

    pub(crate) fn send(state: &AgentState, viewers: impl Iterator<Item = ViewerId>, effects: &mut Vec<Effect>) {
        let mut text: Option<Rc<str>> = None;
        for viewer in viewers {
            let text =
                text.get_or_insert_with(|| text_of(&ServerFrame::State { agent: Box::new(state.clone()) }).into());
            effects.push(Effect::Send(viewer, Rc::clone(text)));
        }
    }
}

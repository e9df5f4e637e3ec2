//! The time at which an agent's changed state is sent: at once after a quiet time, else when the present window is
//! over.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use townwatch_protocol::id::AgentId;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::AgentState;

use crate::log::reducer::differs;

/// The shortest time between two `state` frames of one agent.
const WINDOW_MS: i64 = 500;
/// Deletions that readers who pull can still be told of, 1,000; who is further behind has to come again.
const DELETIONS_TOLD_MAX: usize = 1_000;

/// The agents whose state has changed since it was last sent. Bounded by the agents of a town.
#[derive(Debug, Default)]
pub(crate) struct StateFrames {
    changed: BTreeSet<AgentId>,
    sent: BTreeMap<AgentId, SentState>,
    /// Agents that were deleted, each with the number of that.
    deleted: VecDeque<(u64, AgentId)>,
    /// The newest deletion that is not in there any more.
    forgotten: u64,
    /// Counts the frames; by it a reader knows which it has not had.
    count: u64,
}

#[derive(Debug, Clone, Copy)]
struct SentState {
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

    /// The agents whose frames are to be sent now, each with its frame's number.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<(AgentId, u64)> {
        // A clock that stepped back holds nothing up.
        let stepped_back = |agent: &AgentId| self.sent.get(agent).is_some_and(|sent| sent.at > now);
        let is_due = |agent: &&AgentId| self.window_end(agent) <= now || stepped_back(agent);
        let due: Vec<AgentId> = self.changed.iter().filter(is_due).cloned().collect();
        let mut taken = Vec::with_capacity(due.len());
        for agent_id in due {
            self.changed.remove(&agent_id);
            self.count += 1;
            self.sent.insert(agent_id.clone(), SentState { at: now, number: self.count });
            taken.push((agent_id, self.count));
        }
        taken
    }

    pub(crate) fn due_at(&self) -> Option<Timestamp> {
        self.changed.iter().map(|agent| self.window_end(agent)).min()
    }

    /// The number of the newest frame.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The agents whose newest frames came after this number, each with its frame's, in their order.
    pub(crate) fn after(&self, number: u64) -> Vec<(u64, &AgentId)> {
        let later = self.sent.iter().filter(|(_, sent)| sent.number > number);
        let mut later: Vec<(u64, &AgentId)> = later.map(|(agent_id, sent)| (sent.number, agent_id)).collect();
        later.sort_unstable();
        later
    }

    /// An agent is gone: no state of it is sent any more.
    pub(crate) fn deleted(&mut self, agent_id: AgentId) {
        self.changed.remove(&agent_id);
        self.sent.remove(&agent_id);
        self.count += 1;
        self.deleted.push_back((self.count, agent_id));
        if self.deleted.len() > DELETIONS_TOLD_MAX
            && let Some((number, _)) = self.deleted.pop_front()
        {
            self.forgotten = number;
        }
    }

    /// The agents that were deleted after this number; none where not all of them are known any more.
    pub(crate) fn deleted_after(&self, number: u64) -> Option<impl Iterator<Item = &AgentId>> {
        let later = self.deleted.iter().filter(move |(deleted, _)| *deleted > number).map(|(_, agent_id)| agent_id);
        (number >= self.forgotten).then_some(later)
    }

    fn window_end(&self, agent_id: &AgentId) -> Timestamp {
        self.sent.get(agent_id).map_or(Timestamp::from_millis(0), |sent| sent.at.plus_millis(WINDOW_MS))
    }
}

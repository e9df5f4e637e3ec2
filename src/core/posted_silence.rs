//! Agents that post and have fallen silent. Nobody runs them here, so nobody here could say that they are gone: what the
//! town knows is that nothing has been heard. It is noted in the tables when its time has come, by the town's alarm, and
//! the agent's next event takes it back.

use std::collections::BTreeMap;

use crate::core::agents::{self, Agent, parse};
use crate::core::runs::moment;
use crate::core::store::{Store, atomically};
use crate::error::Result;
use crate::id::AgentId;
use crate::limits::SILENCE_POSTED_MS;
use crate::protocol::{Activity, ActivityKind, AgentState};
use crate::time::Timestamp;

/// When each posting agent with an open run would count as silent. It is read from the tables when the town is opened,
/// and moves with what they get. Bounded by the agents of a town.
#[derive(Debug, Default)]
pub(crate) struct Deadlines(BTreeMap<AgentId, Timestamp>);

impl Deadlines {
    /// As they follow from the tables.
    pub(crate) fn load(store: &dyn Store) -> Result<Self> {
        let sql = "SELECT DISTINCT agents.agent_id, heard_at_ms FROM runs JOIN agents USING (agent_id) \
             WHERE exit IS NULL AND source > 'rig:' AND source < 'rig;' AND is_silent = 0";
        let rows = store.query(sql, &[])?;
        let deadline = |heard_at: Timestamp| heard_at.plus_millis(SILENCE_POSTED_MS);
        let read = rows.iter().map(|row| Ok((parse(AgentId::parse(row.text(0)?))?, deadline(moment(row, 1)?))));
        Ok(Self(read.collect::<Result<_>>()?))
    }

    /// Something of the agent was taken over; once its run has ended there is nothing to be silent in.
    pub(crate) fn heard(&mut self, state: &AgentState, now: Timestamp) {
        if state.exit.is_none() && state.run_id.is_some() {
            self.0.insert(state.agent_id.clone(), now.plus_millis(SILENCE_POSTED_MS));
        } else {
            self.0.remove(&state.agent_id);
        }
    }

    /// The earliest of them.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.0.values().min().copied()
    }

    /// Notes in the tables which agents have been silent for too long; gives them.
    pub(crate) fn note_silent(&mut self, store: &dyn Store, now: Timestamp) -> Result<Vec<AgentId>> {
        let due: Vec<AgentId> =
            self.0.iter().filter(|(_, at)| **at <= now).map(|(agent_id, _)| agent_id.clone()).collect();
        if due.is_empty() {
            return Ok(due);
        }
        let silent = atomically(store, || {
            let mut silent = Vec::new();
            for agent_id in &due {
                if is_heard_by_rig(store, agent_id)? {
                    let sql = "UPDATE agents SET is_silent = 1 WHERE agent_id = ?";
                    store.query(sql, &[agent_id.as_str().into()])?;
                    silent.push(agent_id.clone());
                }
            }
            Ok(silent)
        })?;
        for agent_id in &due {
            self.0.remove(agent_id);
        }
        Ok(silent)
    }
}

/// Whether the agent's current run is an open one of those that are posted.
fn is_heard_by_rig(store: &dyn Store, agent_id: &AgentId) -> Result<bool> {
    let Some(Agent { now, .. }) = agents::load(store, agent_id)? else { return Ok(false) };
    let Some(run_id) = &now.state.run_id else { return Ok(false) };
    let sql = "SELECT 1 FROM runs WHERE run_id = ? AND exit IS NULL AND source > 'rig:' AND source < 'rig;'";
    Ok(!store.query(sql, &[run_id.as_str().into()])?.is_empty())
}

/// A silent agent's state as viewers see it. One that waits for a person has nothing to say until it gets an answer.
pub(crate) fn present(state: &mut AgentState) {
    let kind = state.activity.as_ref().map(|activity| activity.kind);
    if matches!(kind, Some(ActivityKind::Waiting | ActivityKind::Question)) {
        return;
    }
    if let (Some(since), None) = (state.last_event_at, &state.exit) {
        let detail = Some("nothing is heard of the agent".to_owned());
        state.activity = Some(Activity { kind: ActivityKind::Silent, detail, since });
    }
}

//! Agents that post and have fallen silent. Nobody runs them here, so nobody here could say that they are gone: what the
//! town knows is that nothing has been heard. After a while it is noted in the tables, by the town's alarm, and the agent's
//! next event or heartbeat takes it back; after a long while the run is lost (`posted_end.rs`).

use std::collections::BTreeMap;

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::{AgentId, RigId};
use townwatch_protocol::limits::SILENCE_POSTED_MS;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{Activity, ActivityKind, AgentState};

use crate::agents::runs::{self, Source, moment};
use crate::agents::{self, Agent, parse};
use crate::decision::{Decide, Decision};
use crate::store::{Store, atomically};
use crate::town::Town;

/// The times at which each posting agent with an open run becomes silent, or lost. They are read from the tables when
/// the town is opened, and change with the tables. Bounded by the agents of a town.
#[derive(Debug)]
pub(crate) struct Deadlines {
    lost_ms: i64,
    heard: BTreeMap<AgentId, LastPost>,
}

/// The time of an agent's last post, and whether its silence since then was noted.
#[derive(Debug, Clone, Copy)]
struct LastPost {
    at: Timestamp,
    is_noted: bool,
}

impl Deadlines {
    /// The deadlines from the tables. `lost_ms` is the silence after which a run is lost.
    pub(crate) fn load(store: &dyn Store, lost_ms: i64) -> Result<Self> {
        let sql = "SELECT DISTINCT agents.agent_id, heard_at_ms, is_silent FROM runs JOIN agents USING (agent_id) \
             WHERE exit IS NULL AND source > 'rig:' AND source < 'rig;'";
        let rows = store.query(sql, &[])?;
        let read = rows.iter().map(|row| {
            let heard = LastPost { at: moment(row, 1)?, is_noted: row.number(2)? == 1 };
            Ok((parse(AgentId::parse(row.text(0)?))?, heard))
        });
        Ok(Self { lost_ms, heard: read.collect::<Result<_>>()? })
    }

    /// Something of the agent was heard. Where nothing that it posts is open there is nothing to be silent in.
    pub(crate) fn heard(&mut self, agent_id: AgentId, is_open: bool, now: Timestamp) {
        if is_open {
            self.heard.insert(agent_id, LastPost { at: now, is_noted: false });
        } else {
            self.forget(&agent_id);
        }
    }

    /// Whether the agent has an open posted run, as far as was heard.
    pub(crate) fn knows(&self, agent_id: &AgentId) -> bool {
        self.heard.contains_key(agent_id)
    }

    /// Forgets an agent without open posted runs.
    pub(crate) fn forget(&mut self, agent_id: &AgentId) {
        self.heard.remove(agent_id);
    }

    /// The earliest of them.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.heard.values().map(|heard| self.next_of(*heard)).min()
    }

    fn next_of(&self, heard: LastPost) -> Timestamp {
        let lost_at = heard.at.plus_millis(self.lost_ms);
        if heard.is_noted { lost_at } else { lost_at.min(heard.at.plus_millis(SILENCE_POSTED_MS)) }
    }

    /// The agents whose runs count as lost.
    pub(crate) fn lost(&self, now: Timestamp) -> Vec<AgentId> {
        let is_lost = |heard: &LastPost| heard.at.plus_millis(self.lost_ms) <= now;
        self.heard.iter().filter(|(_, heard)| is_lost(heard)).map(|(agent_id, _)| agent_id.clone()).collect()
    }

    /// Notes in the tables which agents have been silent for too long; gives them.
    pub(crate) fn note_silent(&mut self, store: &dyn Store, now: Timestamp) -> Result<Vec<AgentId>> {
        let is_due = |heard: &LastPost| !heard.is_noted && heard.at.plus_millis(SILENCE_POSTED_MS) <= now;
        let due: Vec<AgentId> =
            self.heard.iter().filter(|(_, heard)| is_due(heard)).map(|(agent_id, _)| agent_id.clone()).collect();
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
            if let Some(heard) = self.heard.get_mut(agent_id) {
                heard.is_noted = true;
            }
        }
        Ok(silent)
    }
}

/// A sign of life of an agent of this rig, without an event. Where nothing that it posts is open nothing changes.
#[derive(Debug)]
pub struct Heartbeat<'a> {
    /// The rig.
    pub rig_id: &'a RigId,
    /// The agent.
    pub agent_id: &'a AgentId,
}

impl Decide for Heartbeat<'_> {
    type Answer = ();

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<()>> {
        let Self { rig_id, agent_id } = self;
        let store = town.store.as_ref();
        let agent = agents::load(store, agent_id)?.filter(|agent| agent.rig_id == *rig_id);
        let Agent { is_silent, .. } = agent.ok_or_else(|| Error::not_found("agent"))?;
        if runs::open_of_agent(store, &Source::Rig(rig_id.clone()), agent_id)?.is_empty() {
            return Ok(Decision::unseen(()));
        }
        let sql = "UPDATE agents SET heard_at_ms = ?, is_silent = 0 WHERE agent_id = ?";
        store.query(sql, &[now.millis().into(), agent_id.as_str().into()])?;
        town.deadlines.heard(agent_id.clone(), true, now);
        if is_silent {
            town.states.mark(agent_id.clone());
            town.show(|town, effects| town.send_states(now, effects));
        }
        Ok(Decision::unseen(()))
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

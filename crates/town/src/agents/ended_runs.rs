//! The rig's notes about runs that are over. Their posts are refused, so that the poster learns of the end. Without the
//! notes the town would count and drop the posts, and nobody would be told.

use std::collections::BTreeSet;

use townwatch_protocol::calls::EndedRuns;
use townwatch_protocol::error::{Code, Details, Error, Result};
use townwatch_protocol::event::{EventKind, ExitReason};
use townwatch_protocol::id::{AgentId, RunId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::PostEvent;

use crate::rig::Rig;
use crate::store::atomically;

/// Ended runs that a rig knows of each agent; the oldest are forgotten, and what is posted under their names is dropped by
/// the town, which counts it.
const ENDED_RUNS_MAX: u64 = 100;

impl Rig {
    /// The operator stops the agent: from now on nothing is taken of these runs, of those that the town has not heard of
    /// yet, and under no name. An agent that has no run, here or there, is left as it is: its next post may begin one.
    pub fn stop(&self, ends: &EndedRuns, now: Timestamp) -> Result<()> {
        atomically(self.store.as_ref(), || {
            if ends.run_ids.is_empty() && !self.is_about_to_run(&ends.agent_id)? {
                return Ok(());
            }
            let sql = "UPDATE agents SET is_stopped = 1 WHERE agent_id = ?";
            self.store.query(sql, &[ends.agent_id.as_str().into()])?;
            let waiting = "SELECT DISTINCT run_id FROM agent_events \
                 WHERE agent_id = ? AND id > (SELECT forwarded_id FROM rig) AND run_id IS NOT NULL";
            let waiting = self.store.query(waiting, &[ends.agent_id.as_str().into()])?;
            let waiting = waiting.iter().filter_map(|row| row.maybe_text(0).and_then(RunId::parse));
            let run_ids = ends.run_ids.iter().cloned().chain(waiting).collect();
            self.keep_ends(&EndedRuns { run_ids, ..ends.clone() }, now)
        })
    }

    /// Notes runs that have ended in the town without a word to the agent.
    pub fn note_ends(&self, ends: &EndedRuns, now: Timestamp) -> Result<()> {
        atomically(self.store.as_ref(), || self.keep_ends(ends, now))
    }

    /// A run of the agent begins that has nothing to do with the one that was stopped.
    pub fn allow_again(&self, agent_id: &AgentId) -> Result<()> {
        self.store.query(
            "UPDATE agents SET is_stopped = 0 WHERE agent_id = ? AND is_stopped = 1",
            &[agent_id.as_str().into()],
        )?;
        Ok(())
    }

    /// Whether events of the agent that are new may be taken; `is_stopped` is what its row says.
    pub(crate) fn check_open(&self, agent_id: &AgentId, is_stopped: bool, fresh: &[&PostEvent]) -> Result<()> {
        let named: BTreeSet<&RunId> = fresh.iter().filter_map(|event| event.run_id.as_ref()).collect();
        for run_id in &named {
            if let Some(reason) = self.end_of(agent_id, run_id)? {
                return Err(over(&format!("run {run_id}"), reason, "post under another run_id"));
            }
        }
        if fresh.iter().any(|event| event.run_id.is_none()) {
            return check_goes_on(is_stopped);
        }
        if !named.is_empty() && is_stopped { self.allow_again(agent_id) } else { Ok(()) }
    }

    /// 409 where the operator has stopped the agent, and no other run of it has begun since.
    pub fn check_not_stopped(&self, agent_id: &AgentId) -> Result<()> {
        check_goes_on(self.is_stopped(agent_id)?)
    }

    fn is_stopped(&self, agent_id: &AgentId) -> Result<bool> {
        let sql = "SELECT is_stopped FROM agents WHERE agent_id = ?";
        let rows = self.store.query(sql, &[agent_id.as_str().into()])?;
        Ok(rows.first().map_or(Ok(0), |row| row.number(0))? == 1)
    }

    /// Whether what waits for the town would leave the agent with an open run.
    fn is_about_to_run(&self, agent_id: &AgentId) -> Result<bool> {
        let sql = "SELECT event FROM agent_events WHERE agent_id = ? AND id > (SELECT forwarded_id FROM rig) \
             ORDER BY id DESC LIMIT 1";
        let rows = self.store.query(sql, &[agent_id.as_str().into()])?;
        Ok(rows.first().map(|row| row.text(0)).transpose()?.is_some_and(|event| event != EventKind::Exited.as_str()))
    }

    fn keep_ends(&self, ends: &EndedRuns, now: Timestamp) -> Result<()> {
        let sql = "UPDATE agents SET has_ended_run = 1 WHERE agent_id = ? AND has_ended_run = 0";
        self.store.query(sql, &[ends.agent_id.as_str().into()])?;
        for run_id in &ends.run_ids {
            let sql = "INSERT OR IGNORE INTO ended_runs (agent_id, run_id, reason, ended_at_ms) VALUES (?, ?, ?, ?)";
            let (agent, reason) = (ends.agent_id.as_str(), ends.reason.as_str());
            self.store.query(sql, &[agent.into(), run_id.as_str().into(), reason.into(), now.millis().into()])?;
        }
        let sql = "DELETE FROM ended_runs WHERE agent_id = ?1 AND run_id NOT IN \
             (SELECT run_id FROM ended_runs WHERE agent_id = ?1 ORDER BY ended_at_ms DESC, run_id DESC LIMIT ?2)";
        self.store.query(sql, &[ends.agent_id.as_str().into(), ENDED_RUNS_MAX.into()])?;
        Ok(())
    }

    fn end_of(&self, agent_id: &AgentId, run_id: &RunId) -> Result<Option<ExitReason>> {
        let sql = "SELECT reason FROM ended_runs WHERE agent_id = ? AND run_id = ?";
        let rows = self.store.query(sql, &[agent_id.as_str().into(), run_id.as_str().into()])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let reason = serde_json::from_value(row.text(0)?.into()).map_err(Error::internal)?;
        Ok(Some(reason))
    }
}

fn check_goes_on(is_stopped: bool) -> Result<()> {
    if is_stopped {
        let remedy = "post under another run_id, or register the agent again";
        return Err(over("the run", ExitReason::Stopped, remedy));
    }
    Ok(())
}

fn over(which: &str, reason: ExitReason, remedy: &str) -> Error {
    let how = match reason {
        ExitReason::Lost => {
            "counts as lost: nothing was heard of it for too long, or its agent began more runs than it may have open"
        }
        ExitReason::BudgetExceeded => "was stopped, since a budget was used up (its agent's, or its town's)",
        _ => "was stopped by the operator",
    };
    let message = format!("{which} {how}; {remedy}, to begin a new one");
    Error {
        details: Some(Details { reason: Some(reason), ..Details::default() }),
        ..Error::new(Code::RunEnded, message)
    }
}

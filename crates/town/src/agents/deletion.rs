//! The deletion of an agent. The town and the agent's rig are two objects, and its program may run in a container, so it takes
//! several steps, each of which leaves a state that asking again mends:
//!
//! 1. The town holds the agent (in memory): nothing of it is registered or started meanwhile.
//! 2. Its open runs in the container are told to stop. What is not heard ends the deletion, and nothing is erased.
//! 3. Its rig refuses its posts, hands over what it had taken, and forgets it. Who dies behind this has an agent in the town
//!    that cannot post: it can be deleted, or registered, once more.
//! 4. The town erases it, in one transaction, and tells viewers. What the rig had taken lies before its cursor by then, and
//!    no later batch has it.
//!
//! What the container still tells of its runs afterwards is dropped, also where a new agent has its id (`erased_runs`).

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{AgentId, Epoch, EventId, RigId, RunId};
use townwatch_protocol::time::Timestamp;

use crate::agents;
use crate::agents::holds::{Hold, HoldPurpose, Subject};
use crate::agents::runs::{self, Source};
use crate::decision::{Decide, Decision};
use crate::log;
use crate::store::{Store, atomically};
use crate::town::Town;
use crate::viewers::Effect;
use crate::viewers::frames::Occasion;

/// Runs of deleted agents that a town remembers, 10,000; with one more the one that was erased first is forgotten.
const ERASED_RUNS_MAX: u64 = 10_000;

/// The steps in other objects that have to succeed before an agent may be erased.
#[derive(Debug, PartialEq, Eq)]
pub struct DeletionPlan {
    /// The agent to delete.
    pub agent_id: AgentId,
    hold: Hold,
    /// The rig that has to forget it.
    pub rig_id: RigId,
    /// Whether the control server has to be told to stop it.
    pub in_container: bool,
}

impl Town {
    /// Begins to delete an agent, which is held until [`Town::abandon_deletion`] or [`EraseAgent`].
    pub fn begin_deletion(&mut self, agent_id: &AgentId) -> Result<DeletionPlan> {
        let agent = agents::load(self.store.as_ref(), agent_id)?.ok_or_else(|| Error::not_found("agent"))?;
        let open = runs::open_of_agent(self.store.as_ref(), &Source::Container, agent_id)?;
        // A start that is under way would arrive behind the stop, and nobody would follow what it starts.
        if open.iter().any(|run| run.source_epoch.is_none()) {
            let message = format!(
                "agent {agent_id} is being started, and cannot be deleted before that is settled; ask again in a moment"
            );
            return Err(Error::new(Code::Conflict, message));
        }
        let hold = self.holds.hold(Subject::Agent(agent_id.clone()), HoldPurpose::Deletion);
        Ok(DeletionPlan { agent_id: agent_id.clone(), hold, rig_id: agent.rig_id, in_container: !open.is_empty() })
    }

    /// The deletion ends here, and the agent is as it was.
    pub fn abandon_deletion(&mut self, plan: &DeletionPlan) {
        self.holds.release(&plan.hold);
    }

    pub(crate) fn erase_agent(&mut self, agent_id: &AgentId, now: Timestamp) -> Result<()> {
        let head = atomically(self.store.as_ref(), || erase(self.store.as_ref(), agent_id))?;
        self.store.known_head().erased.set(head);
        self.deadlines.forget(agent_id);
        self.previews.forget(agent_id);
        self.states.deleted(agent_id.clone());
        self.show(|town, effects| {
            town.viewers.agent_deleted(agent_id, effects);
            // Any frame of history may have something of it.
            town.pump(Occasion { now, pruned_id: head, head: None }, effects)
        });
        self.effects.push(Effect::Announce);
        Ok(())
    }
}

/// The end of an agent that is stopped and that its rig has forgotten. Streams of that agent alone end.
#[derive(Debug)]
pub struct EraseAgent<'a> {
    /// The deletion that this is the last step of.
    pub plan: &'a DeletionPlan,
}

impl Decide for EraseAgent<'_> {
    type Answer = ();

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<()>> {
        town.check_lasting(&self.plan.hold, "the deletion was interrupted; delete the agent again")?;
        town.holds.release(&self.plan.hold);
        town.erase_agent(&self.plan.agent_id, now).map(Decision::unseen)
    }
}

/// Takes all rows of an agent away; gives the newest id of the log, which stays the newest.
fn erase(store: &dyn Store, agent_id: &AgentId) -> Result<EventId> {
    let head = log::head(store)?;
    let agent = [agent_id.as_str().into()];
    let delete_from = |table: &str| store.query(&format!("DELETE FROM {table} WHERE agent_id = ?"), &agent).map(drop);
    // What is large goes first: in a store that is full there is room for the rest only then.
    store.query("DELETE FROM whole_events WHERE id IN (SELECT id FROM agent_events WHERE agent_id = ?)", &agent)?;
    for table in ["agent_events", "image_parts", "images", "image_sums"] {
        delete_from(table)?;
    }
    store.query("UPDATE town SET erased_head = ?", &[head.into()])?;
    store.query(
        "INSERT OR IGNORE INTO erased_runs (run_id, agent_id, source_epoch) SELECT run_id, agent_id, source_epoch FROM runs \
         WHERE agent_id = ? AND source = 'container' AND (source_epoch IS NULL \
         OR source_epoch NOT IN (SELECT epoch FROM retired_epochs WHERE source = 'container'))",
        &agent,
    )?;
    store.query(
        "DELETE FROM erased_runs WHERE number <= (SELECT max(number) FROM erased_runs) - ?",
        &[ERASED_RUNS_MAX.into()],
    )?;
    for table in ["runs", "tickets", "resume_rights", "agents"] {
        delete_from(table)?;
    }
    Ok(head)
}

/// Whether the run's agent was deleted.
pub(crate) fn is_erased(store: &dyn Store, run_id: &RunId) -> Result<bool> {
    Ok(!store.query("SELECT 1 FROM erased_runs WHERE run_id = ?", &[run_id.as_str().into()])?.is_empty())
}

/// Whether an event of the container belongs to an agent that was deleted. The caller knows that the town has no
/// agent with this id now.
///
/// With a `run_id`, the event belongs to a deleted agent if that run was one of its runs. Without a `run_id`, it does
/// if any deleted agent with this id had a run in the container's present life. Runs of earlier lives are not in the
/// table any more ([`forget_erased`]).
pub(crate) fn is_left_over(store: &dyn Store, agent_id: &AgentId, run_id: Option<&RunId>) -> Result<bool> {
    let sql = "SELECT 1 FROM erased_runs WHERE agent_id = ?1 AND (?2 IS NULL OR run_id = ?2) LIMIT 1";
    Ok(!store.query(sql, &[agent_id.as_str().into(), run_id.map(RunId::as_str).into()])?.is_empty())
}

/// Forgets the runs of deleted agents from a life of the container that is over. No event of these runs can come any
/// more.
pub(crate) fn forget_erased(store: &dyn Store, epoch: &Epoch) -> Result<()> {
    store.query("DELETE FROM erased_runs WHERE source_epoch = ?", &[epoch.as_str().into()])?;
    Ok(())
}

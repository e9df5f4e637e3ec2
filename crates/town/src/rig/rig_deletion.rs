//! The deletion of a rig with all its agents. Town, rig and container are three places, so the deletion takes several
//! steps. If it breaks off after any step, a further request completes it:
//!
//! 1. The town holds the rig (in memory): meanwhile no agent is registered or started in it, and none of its batches is
//!    taken.
//! 2. The container is told to stop the open runs of the rig's agents. If a stop is not received, the deletion ends
//!    here, and nothing is erased.
//! 3. The rig's own object is erased with its outbox. Its events are not handed over first: they would be erased a
//!    moment later. If the deletion breaks off after this step, the town has a rig whose agents cannot post, and that
//!    can be deleted once more.
//! 4. The town erases the rig's agents, archived ones too, each in a transaction of its own as `deletion.rs` does it.
//!    If the deletion breaks off in between, the rig has fewer agents.
//! 5. The town forgets the rig, in one transaction. From here on a batch that is still under way belongs to no rig of
//!    this town.

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{AgentId, RigId};
use townwatch_protocol::time::Timestamp;

use crate::agents;
use crate::agents::holds::{Hold, HoldPurpose, Subject};
use crate::agents::runs::{self, Source};
use crate::decision::{Decide, Decision};
use crate::store::atomically;
use crate::town::Town;

/// The steps in other objects that have to succeed before a rig may be erased.
#[derive(Debug, PartialEq, Eq)]
pub struct RigDeletionPlan {
    /// The rig to delete.
    pub rig_id: RigId,
    hold: Hold,
    /// All agents of the rig, archived ones too.
    pub agents: Vec<AgentId>,
    /// The agents that the control server has to stop.
    pub in_container: Vec<AgentId>,
}

impl Town {
    /// Begins to delete a rig, which is held until [`Town::abandon_rig_deletion`] or [`Town::erase_rig`].
    ///
    /// # Errors
    /// `not_found`: the town has no such rig. `conflict`: an agent of the rig is being started. Otherwise the tables
    /// cannot be read.
    pub fn begin_rig_deletion(&mut self, rig_id: &RigId) -> Result<RigDeletionPlan> {
        let store = self.store.as_ref();
        if !self.has_rig(rig_id)? {
            return Err(Error::not_found("rig"));
        }
        let all = agents::ids_of_rig(store, rig_id)?;
        let mut in_container = Vec::new();
        for run in runs::open_of(store, &Source::Container)? {
            if all.binary_search(&run.agent_id).is_err() {
                continue;
            }
            if run.source_epoch.is_none() {
                let message = format!(
                    "agent {} of this rig is being started, and cannot be deleted before that is settled; ask again in a moment",
                    run.agent_id
                );
                return Err(Error::new(Code::Conflict, message));
            }
            in_container.push(run.agent_id);
        }
        in_container.dedup();
        let hold = self.holds.hold(Subject::Rig(rig_id.clone()), HoldPurpose::Deletion);
        Ok(RigDeletionPlan { rig_id: rig_id.clone(), hold, agents: all, in_container })
    }

    /// Ends the deletion here. The rest of the rig stays as it was.
    pub fn abandon_rig_deletion(&mut self, plan: &RigDeletionPlan) {
        self.holds.release(&plan.hold);
    }

    /// Forgets a rig whose agents are erased. Its id does not come back, so the lives of its log need not be known any
    /// more.
    ///
    /// # Errors
    /// `town_unavailable`: the rig was not held all the time. Otherwise the tables cannot be written.
    pub fn erase_rig(&mut self, plan: &RigDeletionPlan) -> Result<()> {
        self.check_lasting(&plan.hold, "the deletion was interrupted; delete the rig again")?;
        let source = Source::Rig(plan.rig_id.clone()).key();
        atomically(self.store.as_ref(), || {
            for table in ["sources", "retired_epochs"] {
                self.store.query(&format!("DELETE FROM {table} WHERE source = ?"), &[source.as_str().into()])?;
            }
            self.store.query("DELETE FROM rigs WHERE rig_id = ?", &[plan.rig_id.as_str().into()])
        })?;
        self.holds.release(&plan.hold);
        Ok(())
    }

    /// Refuses with 503 `town_unavailable` where a hold did not last all the time, so that the town may have changed in
    /// between.
    pub(crate) fn check_lasting(&self, hold: &Hold, words: &str) -> Result<()> {
        if self.holds.lasts(hold) { Ok(()) } else { Err(Error::new(Code::TownUnavailable, words)) }
    }
}

/// The erasure of one agent of a rig whose object is erased.
#[derive(Debug)]
pub struct EraseRigAgent<'a> {
    /// The deletion of which this is a step.
    pub plan: &'a RigDeletionPlan,
    /// The agent.
    pub agent_id: &'a AgentId,
}

impl Decide for EraseRigAgent<'_> {
    type Answer = ();

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<()>> {
        town.check_lasting(&self.plan.hold, "the deletion was interrupted; delete the rig again")?;
        town.erase_agent(self.agent_id, now).map(Decision::unseen)
    }
}

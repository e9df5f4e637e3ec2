//! The deletion of an agent in the middle of everything, and what of it may still be under way.

use townwatch_protocol::error::Code;
use townwatch_protocol::event::{AgentExited, EventData, ExitReason, Role};
use townwatch_protocol::id::{AgentId, RunId};

use super::faults::Fault;
use super::world::{AGENTS, World, agent};

impl World {
    /// Deletes an agent as the edge does, and registers a new one under its id. The deletion may break off behind each step.
    pub(super) fn delete_agent(&mut self) {
        let agent_id = agent(self.rng.u64(0..AGENTS));
        let plan = match self.town.begin_deletion(&agent_id) {
            // It is being started.
            Err(error) if error.code == Code::Conflict => return,
            plan => plan.unwrap(),
        };
        let is_erased = 'steps: {
            self.stop_in_container(&agent_id);
            self.rig.unregister(&agent_id).unwrap();
            while let Some(batch) = self.rig.next_batch().unwrap() {
                let Some(cursor) = self.take_batch(&batch) else { break 'steps false };
                self.rig.adopt(cursor.cursor).unwrap();
            }
            let rig_store = self.rig_store.clone();
            let forgotten = self.transact(&rig_store, |world| world.rig.forget(&agent_id));
            if forgotten.is_none() || self.goes_wrong(4) {
                break 'steps false;
            }
            // The showing of a batch may have killed the object, and the deletion with it.
            let store = self.store.clone();
            let Some(Ok(erased)) = self.transact(&store, |world| world.town.erase_agent(&plan)) else {
                break 'steps false;
            };
            self.oracle.hear(&self.store, &self.emitted);
            self.oracle.agent_deleted(agent_id.as_str(), self.runs_of(&agent_id));
            self.show(|town, now| town.publish_deletion(&erased, now));
            true
        };
        self.town.abandon_deletion(&plan);
        self.fire(if is_erased { Fault::AgentDeleted } else { Fault::DeletionBrokenOff });
        if is_erased {
            self.heard.remove(agent_id.as_str());
        }
        self.town.register_agent(&self.rig_id, &agent_id, "Agent", Role::Polecat).unwrap();
        self.rig.register(&agent_id, "Agent", Role::Polecat, self.now).unwrap();
    }

    /// Its runs end sooner or later; until then they may go on speaking.
    fn stop_in_container(&mut self, agent_id: &AgentId) {
        let runs: Vec<RunId> =
            self.container.runs.iter().filter(|(_, of)| *of == agent_id).map(|(run, _)| run.clone()).collect();
        for run_id in runs {
            if self.rng.bool() {
                let exit = AgentExited::because(ExitReason::Stopped, "it was stopped");
                self.container.emit(&run_id, &EventData::Exited(exit), self.now);
            }
        }
    }

    /// All that it ever ran in the present container.
    fn runs_of(&self, agent_id: &AgentId) -> Vec<String> {
        let runs = self.container.runs.iter().chain(&self.container.ended);
        runs.filter(|(_, of)| *of == agent_id).map(|(run_id, _)| run_id.to_string()).collect()
    }
}

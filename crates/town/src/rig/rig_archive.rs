//! The rig's notes about agents that its town has archived: it refuses their posts. The town's lists may have no room
//! for an agent that comes back. The poster learns of that here, and loses nothing that this rig has promised to keep.

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::AgentId;

use crate::rig::Rig;
use crate::store::atomically;

impl Rig {
    /// Notes that these agents are archived, so that nothing new is taken from them. Agents that do not post here are
    /// passed over.
    pub fn archive(&self, agents: &[AgentId]) -> Result<()> {
        atomically(self.store.as_ref(), || {
            for agent_id in agents {
                let sql = "UPDATE agents SET is_archived = 1 WHERE agent_id = ?";
                self.store.query(sql, &[agent_id.as_str().into()])?;
            }
            Ok(())
        })
    }

    /// Notes that the agent is back from the archive, and may post again.
    pub fn bring_back(&self, agent_id: &AgentId) -> Result<()> {
        let sql = "UPDATE agents SET is_archived = 0 WHERE agent_id = ? AND is_archived = 1";
        self.store.query(sql, &[agent_id.as_str().into()])?;
        Ok(())
    }

    /// Refuses an agent that is not registered here with 404 `not_found`, and an archived one with 409 `conflict`.
    pub fn check_present(&self, agent_id: &AgentId) -> Result<()> {
        if self.is_archived(agent_id)? { Err(self.archived(agent_id)) } else { Ok(()) }
    }

    /// Whether an agent of this rig is archived; 404 `not_found` where it is not registered here.
    pub(crate) fn is_archived(&self, agent_id: &AgentId) -> Result<bool> {
        let sql = "SELECT is_archived FROM agents WHERE agent_id = ?";
        let rows = self.store.query(sql, &[agent_id.as_str().into()])?;
        let row = rows.first().ok_or_else(|| self.no_such_agent(agent_id))?;
        Ok(row.number(0)? == 1)
    }

    pub(crate) fn archived(&self, agent_id: &AgentId) -> Error {
        let (town_id, rig_id) = (&self.town_id, &self.rig_id);
        let message = format!(
            "agent {agent_id} is archived, so nothing new is taken of it; register it again with POST \
             /api/rigs/{rig_id}/agents, or bring it back with DELETE /api/towns/{town_id}/agents/{agent_id}/archive"
        );
        Error::new(Code::Conflict, message)
    }
}

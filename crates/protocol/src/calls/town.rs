//! What a town is asked by the account and by its rigs.

use serde::{Deserialize, Serialize};

use super::Done;
use crate::id::{AgentId, RigId, SessionId, TownId};
use crate::wire::{AgentRequest, AgentState, Heard, RigBatch, RigCursor, TownChange};

calls! {
    /// A call of a town.
    TownCall to TownId {
        /// The account makes the town.
        "/internal/create" Create(CreateTown) -> Done;
        /// The account passes a change on.
        "/internal/change" Change(TownChange) -> Done;
        /// The account deletes the town: its agents stop, its rigs go first.
        "/internal/erase" Erase(EraseTown) -> Done;
        /// The account has ended sessions: what they have opened ends.
        "/internal/sessions-ended" EndSessions(EndSessions) -> Done;
        /// A rig registers an agent.
        "/internal/agents" Register(RegisterAgent) -> AgentState;
        /// A rig asks for its agents.
        "/internal/rig-agents" RigAgents(ListRigAgents) -> Vec<AgentState>;
        /// A rig passes an agent's sign of life on.
        "/internal/heartbeat" Heartbeat(HearAgent) -> Heard;
        /// A rig hands over what was posted to it.
        "/internal/rig-events" RigEvents(RigBatch) -> RigCursor;
    }
}

/// See [`TownCall::Create`].
#[derive(Debug, Serialize, Deserialize)]
pub struct CreateTown {
    /// The town, which keeps its own name.
    pub town_id: TownId,
    /// For people.
    pub name: String,
}

/// See [`TownCall::Erase`].
#[derive(Debug, Serialize, Deserialize)]
pub struct EraseTown {}

/// See [`TownCall::EndSessions`].
#[derive(Debug, Serialize, Deserialize)]
pub struct EndSessions {
    /// The sessions that were ended.
    pub session_ids: Vec<SessionId>,
}

/// See [`TownCall::Register`].
#[derive(Debug, Serialize, Deserialize)]
pub struct RegisterAgent {
    /// The rig.
    pub rig_id: RigId,
    /// The agent as the request has it.
    #[serde(flatten)]
    pub agent: AgentRequest,
}

/// See [`TownCall::RigAgents`].
#[derive(Debug, Serialize, Deserialize)]
pub struct ListRigAgents {
    /// The rig.
    pub rig_id: RigId,
}

/// See [`TownCall::Heartbeat`].
#[derive(Debug, Serialize, Deserialize)]
pub struct HearAgent {
    /// The rig.
    pub rig_id: RigId,
    /// The agent that was heard.
    pub agent_id: AgentId,
}

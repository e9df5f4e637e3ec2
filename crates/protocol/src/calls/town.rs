//! The calls of a town, which the account and the town's rigs make.

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
        /// The account has ended sessions: the town ends the streams that these have opened.
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

/// The request of [`TownCall::Create`].
#[derive(Debug, Serialize, Deserialize)]
pub struct CreateTown {
    /// The town's id, which the town stores.
    pub town_id: TownId,
    /// The town's name, for people.
    pub name: String,
}

/// The request of [`TownCall::Erase`].
#[derive(Debug, Serialize, Deserialize)]
pub struct EraseTown {}

/// The request of [`TownCall::EndSessions`].
#[derive(Debug, Serialize, Deserialize)]
pub struct EndSessions {
    /// The sessions that were ended.
    pub session_ids: Vec<SessionId>,
}

/// The request of [`TownCall::Register`].
#[derive(Debug, Serialize, Deserialize)]
pub struct RegisterAgent {
    /// The rig.
    pub rig_id: RigId,
    /// The agent as the request has it.
    #[serde(flatten)]
    pub agent: AgentRequest,
}

/// The request of [`TownCall::RigAgents`].
#[derive(Debug, Serialize, Deserialize)]
pub struct ListRigAgents {
    /// The rig.
    pub rig_id: RigId,
}

/// The request of [`TownCall::Heartbeat`].
#[derive(Debug, Serialize, Deserialize)]
pub struct HearAgent {
    /// The rig.
    pub rig_id: RigId,
    /// The agent that sent the sign of life.
    pub agent_id: AgentId,
}

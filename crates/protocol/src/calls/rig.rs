//! What a rig is asked by its town, and by the Worker of an agent's right.

use serde::{Deserialize, Serialize};

use super::Done;
use crate::agent_right::AgentRight;
use crate::event::ExitReason;
use crate::id::{AgentId, Epoch, RigId, RunId, TownId};

calls! {
    /// A call of a rig.
    RigCall to RigId {
        /// The town makes the rig.
        "/internal/create" Create(CreateRig) -> Done;
        /// The town deletes the rig.
        "/internal/erase" Erase(EraseRig) -> Done;
        /// The operator stops an agent: the rig takes nothing more of these runs, and hands over what it has.
        "/internal/stop" Stop(StopRuns) -> Done;
        /// Runs have ended in the town: the rig refuses what follows.
        "/internal/ended" Ended(RefuseRuns) -> Done;
        /// The town deletes an agent: the rig hands over what it has of it, and forgets it.
        "/internal/forget" Forget(ForgetAgent) -> Done;
        /// The town archives agents: the rig takes nothing more of them, and hands over what it has.
        "/internal/archive" Archive(ArchiveAgents) -> Done;
        /// Archived agents are back: the rig takes their posts again.
        "/internal/bring-back" BringBack(BringAgentsBack) -> Done;
        /// A run of a stopped agent begins in the container: the rig takes its posts again.
        "/internal/allow-again" AllowAgain(AllowAgain) -> Done;
        /// The Worker asks for an agent's town, and whether a right is good for it.
        "/internal/admit" Admit(AdmitCaller) -> AdmittedCaller;
    }
}

/// See [`RigCall::Create`].
#[derive(Debug, Serialize, Deserialize)]
pub struct CreateRig {
    /// The rig, which keeps its own name.
    pub rig_id: RigId,
    /// Its town.
    pub town_id: TownId,
    /// The life of its log.
    pub epoch: Epoch,
}

/// See [`RigCall::Erase`].
#[derive(Debug, Serialize, Deserialize)]
pub struct EraseRig {}

/// Runs of an agent that are over, or about to be.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct EndedRuns {
    /// The agent.
    pub agent_id: AgentId,
    /// Its runs that the town knows.
    pub run_ids: Vec<RunId>,
    /// The reason of their end.
    pub reason: ExitReason,
}

/// See [`RigCall::Stop`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StopRuns(pub EndedRuns);

/// See [`RigCall::Ended`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RefuseRuns(pub EndedRuns);

/// See [`RigCall::Forget`].
#[derive(Debug, Serialize, Deserialize)]
pub struct ForgetAgent {
    /// The agent.
    pub agent_id: AgentId,
}

/// See [`RigCall::Archive`].
#[derive(Debug, Serialize, Deserialize)]
pub struct ArchiveAgents {
    /// The agents.
    pub agent_ids: Vec<AgentId>,
}

/// See [`RigCall::BringBack`].
#[derive(Debug, Serialize, Deserialize)]
pub struct BringAgentsBack {
    /// The agents.
    pub agent_ids: Vec<AgentId>,
}

/// See [`RigCall::AllowAgain`].
#[derive(Debug, Serialize, Deserialize)]
pub struct AllowAgain {
    /// The agent.
    pub agent_id: AgentId,
}

/// See [`RigCall::Admit`].
#[derive(Debug, Serialize, Deserialize)]
pub struct AdmitCaller {
    /// The agent that is asked for.
    pub agent_id: AgentId,
    /// The right by which it is asked for; none: the operator asks.
    pub right: Option<AgentRight>,
}

/// The answer to [`RigCall::Admit`].
#[derive(Debug, Serialize, Deserialize)]
pub struct AdmittedCaller {
    /// The agent's town.
    pub town_id: TownId,
}

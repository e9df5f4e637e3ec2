//! The calls of a rig, which its town makes, and the Worker for an agent's right.

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

/// The request of [`RigCall::Create`].
#[derive(Debug, Serialize, Deserialize)]
pub struct CreateRig {
    /// The rig's id, which the rig stores.
    pub rig_id: RigId,
    /// Its town.
    pub town_id: TownId,
    /// The life of its log.
    pub epoch: Epoch,
}

/// The request of [`RigCall::Erase`].
#[derive(Debug, Serialize, Deserialize)]
pub struct EraseRig {}

/// Runs of an agent that are over, or about to be.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct EndedRuns {
    /// The agent.
    pub agent_id: AgentId,
    /// The runs that the town knows.
    pub run_ids: Vec<RunId>,
    /// The reason of their end.
    pub reason: ExitReason,
}

/// The request of [`RigCall::Stop`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StopRuns(pub EndedRuns);

/// The request of [`RigCall::Ended`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RefuseRuns(pub EndedRuns);

/// The request of [`RigCall::Forget`].
#[derive(Debug, Serialize, Deserialize)]
pub struct ForgetAgent {
    /// The agent.
    pub agent_id: AgentId,
}

/// The request of [`RigCall::Archive`].
#[derive(Debug, Serialize, Deserialize)]
pub struct ArchiveAgents {
    /// The agents.
    pub agent_ids: Vec<AgentId>,
}

/// The request of [`RigCall::BringBack`].
#[derive(Debug, Serialize, Deserialize)]
pub struct BringAgentsBack {
    /// The agents.
    pub agent_ids: Vec<AgentId>,
}

/// The request of [`RigCall::AllowAgain`].
#[derive(Debug, Serialize, Deserialize)]
pub struct AllowAgain {
    /// The agent.
    pub agent_id: AgentId,
}

/// The request of [`RigCall::Admit`].
#[derive(Debug, Serialize, Deserialize)]
pub struct AdmitCaller {
    /// The agent that the request is about.
    pub agent_id: AgentId,
    /// The right of the agent that asks. `None`: the operator asks.
    pub right: Option<AgentRight>,
}

/// The answer to [`RigCall::Admit`].
#[derive(Debug, Serialize, Deserialize)]
pub struct AdmittedCaller {
    /// The agent's town.
    pub town_id: TownId,
}

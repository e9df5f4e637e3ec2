//! Between the town and its control server, and between a rig and its town.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
#[cfg(feature = "schema")]
use ts_rs::TS;

use super::answers::{RuntimeView, SandboxKind};
use super::requests::{AnswerAgent, StartAgent};
use super::state::UsageTotals;
use crate::event::{AgentExited, Status, StopSignal};
use crate::id::{AgentId, Epoch, EventName, RigId, RunId, SourceId};
use crate::time::Timestamp;

/// The header that names the town on every call to a control server.
pub const TOWN_HEADER: &str = "Townwatch-Town";

/// `POST /agents/start` of the control server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ControlStart {
    /// Minted by the town; a start is idempotent on it.
    pub run_id: RunId,
    /// The agent, given or minted.
    pub agent_id: AgentId,
    /// The rest of the order; its own `agent_id` is absent.
    #[serde(flatten)]
    pub order: StartAgent,
}

/// `POST /agents/:id/answer` of the control server.
#[derive(Debug, Serialize, Deserialize)]
pub struct ControlAnswer {
    /// The answer as it was given.
    #[serde(flatten)]
    pub answer: AnswerAgent,
    /// Who gave it.
    pub by: String,
}

/// `POST /agents/:id/stop` of the control server.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ControlStop {
    /// SIGTERM where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<StopSignal>,
    /// Only this run is meant; the agent's open one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
}

/// What the control server answers to a start.
#[derive(Debug, Serialize, Deserialize)]
pub struct ControlStarted {
    /// The life of the buffers that the run's events will be in.
    pub epoch: Epoch,
    /// The run.
    pub run_id: RunId,
}

/// `GET /agents/:id/status` of the control server.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ControlStatus {
    /// The agent.
    pub agent_id: AgentId,
    /// Its newest run there.
    pub run_id: RunId,
    /// The life of the buffers that the run's events are in; one that does not say it means the present one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// Where it stands.
    pub status: Status,
    /// What it has come to so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<RunResult>,
    /// How it ended, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<AgentExited>,
}

/// What a run has come to, on its agent's status.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RunResult {
    /// What the agent said last, at most 64 KiB of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The agent program's own session, by which it can be resumed in its directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageTotals>,
}

/// `GET /events` of the control server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ControlEvents {
    /// The life of the buffers.
    pub epoch: Epoch,
    /// The newest event's id there.
    pub head: SourceId,
    /// The oldest event's id that is still there; `head + 1` where none is.
    pub oldest: SourceId,
    /// Ascending by id.
    pub events: Vec<ControlEvent>,
    /// What is being typed, for a request that asks for it and whose events reach the head.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previews: Vec<Preview>,
}

/// A part of a message that an agent is still typing. It has no id and is never stored: the message's event has it all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(TS, JsonSchema))]
pub struct Preview {
    /// Whose.
    pub agent_id: AgentId,
    /// Of which run.
    pub run_id: RunId,
    /// The `message_id` of the `agent_output` that will follow.
    pub message_id: String,
    /// Where the text belongs in the message, in UTF-16 units. Who misses a part waits for one with offset 0.
    pub offset: u64,
    /// The part.
    pub text: String,
}

/// An event in the control server's buffers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ControlEvent {
    /// Its position within the epoch.
    pub id: SourceId,
    /// Whose.
    pub agent_id: AgentId,
    /// Of which run.
    pub run_id: RunId,
    /// Its name.
    pub event: EventName,
    /// Its data, raw.
    pub data: Box<RawValue>,
    /// When it happened.
    pub timestamp: Timestamp,
}

/// `GET /health` of the control server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ControlHealth {
    /// `ok`.
    pub status: String,
    /// Agents that run, of all towns.
    pub agents: u64,
    /// Since it was started.
    pub uptime_ms: u64,
    /// Its version.
    pub version: String,
    /// The programs that it can run.
    pub runtimes: Vec<RuntimeView>,
    /// Whether no run can reach another one or this server; absent in one of another make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agents_apart: Option<bool>,
    /// What stands between agents and this machine; absent in one of another make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxKind>,
    /// How runs are held; absent in one of another make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<RunsHeld>,
    /// What is free where agents work and events wait; absent where the system does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_free_bytes: Option<u64>,
}

/// How a control server holds its runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RunsHeld {
    /// At once, of all towns; one more start is refused.
    pub max: u64,
    /// Whether each has a cgroup of its own, which is killed as a whole at its end.
    pub cgroup: bool,
    /// Whether its memory is bounded.
    pub memory: bool,
    /// Whether the number of its processes is bounded.
    pub processes: bool,
}

/// What a rig hands to its town.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RigBatch {
    /// The rig.
    pub rig_id: RigId,
    /// The life of its log.
    pub rig_epoch: Epoch,
    /// The position before the first event of the batch.
    pub after: SourceId,
    /// Ascending by id.
    pub events: Vec<RigEvent>,
}

/// An event in a rig's log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(TS, JsonSchema))]
pub struct RigEvent {
    /// Its position.
    pub id: SourceId,
    /// Whose.
    pub agent_id: AgentId,
    /// Of which run, where the poster named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub run_id: Option<RunId>,
    /// Its name.
    pub event: EventName,
    /// Its data, raw.
    #[cfg_attr(feature = "schema", ts(type = "unknown"))]
    pub data: Box<RawValue>,
    /// When it happened.
    pub at: Timestamp,
}

/// The town's answer to a [`RigBatch`]: where its cursor stands now; the rig adopts it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct RigCursor {
    /// The last event that the town has stored.
    pub cursor: SourceId,
}

//! Between the town and its control server, and between a rig and its town.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_with::skip_serializing_none;
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
    /// The one who gave it, `operator` for example.
    pub by: String,
}

/// `POST /agents/:id/stop` of the control server.
#[skip_serializing_none]
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ControlStop {
    /// SIGTERM where absent.
    pub signal: Option<StopSignal>,
    /// Only this run is meant; the agent's open one where absent.
    pub run_id: Option<RunId>,
}

/// The answer of the control server to a start.
#[derive(Debug, Serialize, Deserialize)]
pub struct ControlStarted {
    /// The life of the buffers that the run's events will be in.
    pub epoch: Epoch,
    /// The run.
    pub run_id: RunId,
}

/// `GET /agents/:id/status` of the control server.
#[skip_serializing_none]
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ControlStatus {
    /// The agent.
    pub agent_id: AgentId,
    /// Its newest run there.
    pub run_id: RunId,
    /// The epoch of the buffers that have the run's events; absent: the present epoch.
    pub epoch: Option<Epoch>,
    /// The status.
    pub status: Status,
    /// The result so far.
    pub result: Option<RunResult>,
    /// The end of the run, once it has ended.
    pub exit: Option<AgentExited>,
}

/// The result of a run so far, on its agent's status.
#[skip_serializing_none]
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RunResult {
    /// The last text of the agent, at most 64 KiB.
    pub text: Option<String>,
    /// The agent program's own session, by which it can be resumed in its directory.
    pub session_id: Option<String>,
    /// The tokens and cost of the run.
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
    /// The texts that are being typed, for a request that asks for them and whose events reach the head.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previews: Vec<Preview>,
}

/// A part of a message that an agent is still typing. A preview has no id and is never stored: the event of the message
/// has the whole text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(TS, JsonSchema))]
pub struct Preview {
    /// The agent's id.
    pub agent_id: AgentId,
    /// The run's id.
    pub run_id: RunId,
    /// The `message_id` of the `agent_output` that will follow.
    pub message_id: String,
    /// The place of the text in the message, in UTF-16 units. A reader that misses a part waits for one with offset 0.
    pub offset: u64,
    /// The part.
    pub text: String,
}

/// An event in the control server's buffers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ControlEvent {
    /// The position of the event within the epoch.
    pub id: SourceId,
    /// The agent's id.
    pub agent_id: AgentId,
    /// The run's id.
    pub run_id: RunId,
    /// The name of the event.
    pub event: EventName,
    /// The data of the event, raw.
    pub data: Box<RawValue>,
    /// The time of the event.
    pub timestamp: Timestamp,
}

/// `GET /health` of the control server.
#[skip_serializing_none]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ControlHealth {
    /// `ok`.
    pub status: String,
    /// The running agents of all towns.
    pub agents: u64,
    /// The time since the start of the server.
    pub uptime_ms: u64,
    /// Its version.
    pub version: String,
    /// The programs that it can run.
    pub runtimes: Vec<RuntimeView>,
    /// Whether no run can reach another run or this server; absent in a control server of another make.
    pub agents_apart: Option<bool>,
    /// The sandbox between agents and this machine; absent in a control server of another make.
    pub sandbox: Option<SandboxKind>,
    /// The bounds on runs; absent in a control server of another make.
    pub runs: Option<RunsHeld>,
    /// The free space where agents work and events wait, in bytes; absent where the system does not say.
    pub disk_free_bytes: Option<u64>,
}

/// The bounds of a control server on its runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RunsHeld {
    /// The runs at once, of all towns. One more start is refused.
    pub max: u64,
    /// Whether each has a cgroup of its own, which is killed as a whole at its end.
    pub cgroup: bool,
    /// Whether its memory is bounded.
    pub memory: bool,
    /// Whether the number of its processes is bounded.
    pub processes: bool,
}

/// A batch of events from a rig to its town.
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
    /// The position of the event.
    pub id: SourceId,
    /// The agent's id.
    pub agent_id: AgentId,
    /// The run of the event, where the poster named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub run_id: Option<RunId>,
    /// The name of the event.
    pub event: EventName,
    /// The data of the event, raw.
    #[cfg_attr(feature = "schema", ts(type = "unknown"))]
    pub data: Box<RawValue>,
    /// The time of the event.
    pub at: Timestamp,
}

/// The town's answer to a [`RigBatch`]: where its cursor stands now; the rig adopts it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct RigCursor {
    /// The last event that the town has stored.
    pub cursor: SourceId,
}

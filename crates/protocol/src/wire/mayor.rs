//! The mayor's routes, in the words of Gastown, whose clients call them; so they are not in `snake_case`.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{AgentId, TownId};
#[cfg(feature = "schema")]
use crate::limits::PROMPT_BYTES_MAX;
use crate::time::Timestamp;

/// `GET …/mayor/status`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MayorView {
    /// Whether the town has ever had a mayor.
    pub configured: bool,
    /// Its run, while one is open.
    pub session: Option<MayorSession>,
    /// The town.
    pub town_id: TownId,
}

/// The mayor's open run.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MayorSession {
    /// The mayor.
    pub agent_id: AgentId,
    /// Its program's own session, or the run where there is none.
    pub session_id: String,
    /// The mayor's activity.
    pub status: MayorSessionStatus,
    /// The time of the mayor's last event.
    pub last_activity_at: Option<Timestamp>,
}

/// The activities of a mayor that Gastown distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MayorSessionStatus {
    /// The mayor waits for a message.
    Idle,
    /// The mayor is at work.
    Active,
    /// The mayor starts.
    Starting,
}

/// `POST …/mayor/message`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct MayorMessage {
    /// The message. A `model` beside it is ignored: a run keeps the model of its start.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = PROMPT_BYTES_MAX)))]
    pub message: String,
}

/// The answer to `POST …/mayor/message`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MayorTold {
    /// The mayor.
    pub agent_id: AgentId,
    /// The mayor's activity when the message came.
    pub session_status: MayorSessionStatus,
}

/// The answer to `POST …/mayor/destroy`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct MayorDestroyed {
    /// Always true: the mayor has stopped, or is about to.
    pub destroyed: bool,
}

//! The mayor's routes: in the words of Gastown, whose clients ask for them, and so not in `snake_case`.

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
    /// What it is at.
    pub status: MayorSessionStatus,
    /// When it was last heard of.
    pub last_activity_at: Option<Timestamp>,
}

/// What a mayor is at, as far as Gastown tells it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MayorSessionStatus {
    /// It waits to be told something.
    Idle,
    /// It is at work.
    Active,
    /// It starts.
    Starting,
}

/// `POST …/mayor/message`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct MayorMessage {
    /// What to tell it. A model beside it is ignored: that of a run is that which it was started with.
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
    /// What it was at when it was told.
    pub session_status: MayorSessionStatus,
}

/// The answer to `POST …/mayor/destroy`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct MayorDestroyed {
    /// True: it runs no more, or is about to stop.
    pub destroyed: bool,
}

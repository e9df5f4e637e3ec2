//! The server's frames, as far as a terminal needs them.

use serde::Deserialize;
use serde_json::value::RawValue;
use townwatch_protocol::event::AgentExited;
use townwatch_protocol::id::AgentId;

/// Any frame: which fields are there depends on `kind`. A serde enum told apart by a tag could not hold raw JSON, which
/// events have to stay.
#[derive(Debug, Deserialize)]
pub(super) struct Frame<'a> {
    /// Which frame it is.
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    /// `hello`.
    pub(super) epoch: Option<String>,
    /// `hello`.
    #[serde(default)]
    pub(super) reset: bool,
    /// `events`.
    #[serde(borrow, default)]
    pub(super) events: Vec<&'a RawValue>,
    /// `caught_up`.
    pub(super) id: Option<u64>,
    /// `state`.
    pub(super) agent: Option<Agent>,
    /// `gap`.
    pub(super) agent_id: Option<AgentId>,
    /// `gap`.
    pub(super) from: Option<u64>,
    /// `gap`.
    pub(super) to: Option<u64>,
    /// `gap`.
    pub(super) count: Option<u64>,
    /// `error`.
    pub(super) message: Option<String>,
}

/// What of an agent's state is of interest here.
#[derive(Debug, Deserialize)]
#[allow(clippy::struct_field_names)] // `agent_id` is the word of the wire
pub(super) struct Agent {
    pub(super) agent_id: AgentId,
    pub(super) name: String,
    pub(super) run_number: u64,
    pub(super) exit: Option<AgentExited>,
}

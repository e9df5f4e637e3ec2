//! What a run takes, and how far it is.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "schema")]
use ts_rs::TS;

use crate::event::TodoStatus;

data! {
    /// Data of `agent_usage`: of a `message_id` the last figures count, once; a run's cumulative total replaces, never adds.
    AgentUsage {
        /// The message that it is for.
        message_id: String,
        /// Tokens read.
        input_tokens: u64,
        /// Tokens written.
        output_tokens: u64,
        /// Tokens read from the model's cache.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        cache_read_input_tokens: Option<u64>,
        /// Tokens written to the model's cache.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        cache_creation_input_tokens: Option<u64>,
        /// The price in US dollars, where the agent knows it.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        cost_usd: Option<f64>,
        /// Whether these are the run's totals so far.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")] #[cfg_attr(feature = "schema", ts(optional, as = "Option<bool>"))]
        cumulative: bool,
        /// The call whose sub-agent used them.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        parent_tool_use_id: Option<String>,
    }
    /// One line of the agent's to-do list.
    #[derive(PartialEq)]
    Todo {
        /// What is to be done.
        content: String,
        /// Where it stands.
        status: TodoStatus,
    }
    /// Data of `progress_update`.
    #[derive(PartialEq)]
    ProgressUpdate {
        /// 0 to 100, null when unknown; never falls; 100 only at a successful end.
        percentage: Option<f64>,
        /// What the run is at, in a few words.
        current_phase: String,
        /// Calls so far.
        tool_call_count: u64,
        /// At work since the run began; the time between turns is not counted.
        elapsed_seconds: u64,
        /// Until it ends, by the to-dos or turns that are done; absent below a tenth of them.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        estimated_remaining_seconds: Option<u64>,
        /// The author's to-do list.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        todos: Option<Vec<Todo>>,
        /// The call whose sub-agent this is of; absent for the agent itself.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        parent_tool_use_id: Option<String>,
    }
}

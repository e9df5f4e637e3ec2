//! The usage of a run, and its progress.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "schema")]
use ts_rs::TS;

use crate::event::TodoStatus;

data! {
    /// Data of `agent_usage`. Of several with one `message_id` only the last counts. A cumulative one replaces the
    /// run's total; it is not added.
    AgentUsage {
        /// The message that it is for.
        message_id: String,
        /// Tokens read.
        input_tokens: u64,
        /// Tokens written.
        output_tokens: u64,
        /// Tokens read from the model's cache.
        cache_read_input_tokens: Option<u64>,
        /// Tokens written to the model's cache.
        cache_creation_input_tokens: Option<u64>,
        /// The price in US dollars, where the agent knows it.
        cost_usd: Option<f64>,
        /// Whether these are the run's totals so far.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")] #[cfg_attr(feature = "schema", ts(optional, as = "Option<bool>"))]
        cumulative: bool,
        /// The call whose sub-agent used them.
        parent_tool_use_id: Option<String>,
    }
    /// One line of the agent's to-do list.
    #[derive(PartialEq)]
    Todo {
        /// The task.
        content: String,
        /// The status.
        status: TodoStatus,
    }
    /// Data of `progress_update`.
    #[derive(PartialEq)]
    ProgressUpdate {
        /// The percentage, 0 to 100; null when unknown. It never falls, and is 100 only at a successful end.
        #[serialize_always] #[cfg_attr(feature = "schema", ts(optional = false))]
        percentage: Option<f64>,
        /// The current phase of the run, in a few words.
        current_phase: String,
        /// Calls so far.
        tool_call_count: u64,
        /// The time at work since the start of the run, without the time between turns.
        elapsed_seconds: u64,
        /// The estimate of the time to the end, from the to-dos or turns that are done; absent below 10 %.
        estimated_remaining_seconds: Option<u64>,
        /// The author's to-do list.
        todos: Option<Vec<Todo>>,
        /// The call whose sub-agent this is of; absent for the agent itself.
        parent_tool_use_id: Option<String>,
    }
}

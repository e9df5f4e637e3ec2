//! Work orders and their runs.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "schema")]
use ts_rs::TS;

data! {
    /// Data of `run_started`.
    RunStarted {
        /// Counts the agent's runs from 1.
        run_number: u64,
        /// The work order that it fulfils.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        work_order_id: Option<String>,
    }
    /// Data of `run_iteration`.
    RunIteration {
        /// The run.
        run_number: u64,
        /// The work order.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        work_order_id: Option<String>,
        /// Counts from 1.
        iteration_number: u64,
        /// How many it may be.
        total_iterations: u64,
        /// Whether the check passed; null where there is none.
        verification_passed: Option<bool>,
        /// What the check printed.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        verification_output: Option<String>,
    }
    /// Data of `run_completed`.
    RunCompleted {
        /// The run.
        run_number: u64,
        /// The work order.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        work_order_id: Option<String>,
    }
    /// Data of `run_failed`.
    RunFailed {
        /// The run.
        run_number: u64,
        /// The work order.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        work_order_id: Option<String>,
        /// Why, for a person.
        error: String,
    }
    /// Data of `work_order_created`.
    WorkOrderCreated {
        /// The work order.
        work_order_id: String,
        /// Where it stands.
        status: String,
        /// What is to be done.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        prompt: Option<String>,
    }
    /// Data of `work_order_updated`.
    WorkOrderUpdated {
        /// The work order.
        work_order_id: String,
        /// Where it stands.
        status: String,
        /// Where it stood.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        previous_status: Option<String>,
    }
}

//! Work orders and their runs.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "schema")]
use ts_rs::TS;

data! {
    /// Data of `run_started`.
    RunStarted {
        /// The number of the run among the agent's, from 1.
        run_number: u64,
        /// The work order that it fulfils.
        work_order_id: Option<String>,
    }
    /// Data of `run_iteration`.
    RunIteration {
        /// The run.
        run_number: u64,
        /// The work order.
        work_order_id: Option<String>,
        /// The number of the iteration, from 1.
        iteration_number: u64,
        /// The most iterations.
        total_iterations: u64,
        /// Whether the check passed; null where there is none.
        #[serialize_always] #[cfg_attr(feature = "schema", ts(optional = false))]
        verification_passed: Option<bool>,
        /// The output of the check.
        verification_output: Option<String>,
    }
    /// Data of `run_completed`.
    RunCompleted {
        /// The run.
        run_number: u64,
        /// The work order.
        work_order_id: Option<String>,
    }
    /// Data of `run_failed`.
    RunFailed {
        /// The run.
        run_number: u64,
        /// The work order.
        work_order_id: Option<String>,
        /// The reason, for a person.
        error: String,
    }
    /// Data of `work_order_created`.
    WorkOrderCreated {
        /// The work order.
        work_order_id: String,
        /// The status.
        status: String,
        /// The task.
        prompt: Option<String>,
    }
    /// Data of `work_order_updated`.
    WorkOrderUpdated {
        /// The work order.
        work_order_id: String,
        /// The status.
        status: String,
        /// The status before.
        previous_status: Option<String>,
    }
}

//! The usage that the programs report. A budget can bound only reported usage.

use townwatch_protocol::runtime::{Properties, ReportedUsage, Runtime};
use townwatch_protocol::wire::Budget;

/// The reason, for a person, why some of these budgets cannot bound a run of this program; `None` where they can, or
/// where that is not known.
pub(crate) fn cannot_hold(runtime: Runtime, budgets: &[Budget]) -> Option<String> {
    let bounds_cost = budgets.iter().any(|budget| budget.max_cost_usd.is_some());
    let bounds_tokens = budgets.iter().any(|budget| budget.max_tokens.is_some());
    let Properties { title, usage, .. } = runtime.properties();
    match usage {
        ReportedUsage::Nothing if bounds_cost || bounds_tokens => {
            let name = if runtime == Runtime::Process { "A command" } else { title };
            Some(format!(
                "{name} tells neither its tokens nor its cost, so no budget can hold it: timeout_seconds ends it"
            ))
        }
        ReportedUsage::Tokens if bounds_cost => Some(format!(
            "{title} does not tell its cost, so max_cost_usd cannot hold it: max_tokens and timeout_seconds can"
        )),
        // The usage of a recording is in its lines only, which are not known here.
        ReportedUsage::Cost | ReportedUsage::Tokens | ReportedUsage::Nothing | ReportedUsage::Unknown => None,
    }
}

//! What the programs tell of what they take. A budget can hold only what is told.

use townwatch_protocol::event::Runtime;
use townwatch_protocol::wire::Budget;

/// Why some of these budgets cannot hold a run of this program, for a person; none where they can, or where nobody knows.
pub(crate) fn cannot_hold(runtime: Runtime, budgets: &[Budget]) -> Option<String> {
    let bounds_cost = budgets.iter().any(|budget| budget.max_cost_usd.is_some());
    let bounds_tokens = budgets.iter().any(|budget| budget.max_tokens.is_some());
    match runtime {
        Runtime::Process if bounds_cost || bounds_tokens => Some(
            "A command tells neither its tokens nor its cost, so no budget can hold it: timeout_seconds ends it"
                .to_owned(),
        ),
        Runtime::Codex | Runtime::Gemini if bounds_cost => {
            let name = if runtime == Runtime::Codex { "Codex" } else { "Gemini CLI" };
            Some(format!(
                "{name} does not tell its cost, so max_cost_usd cannot hold it: max_tokens and timeout_seconds can"
            ))
        }
        // Of a recording only its lines tell.
        Runtime::ClaudeCode
        | Runtime::Opencode
        | Runtime::Kilo
        | Runtime::Replay
        | Runtime::Process
        | Runtime::Codex
        | Runtime::Gemini => None,
    }
}

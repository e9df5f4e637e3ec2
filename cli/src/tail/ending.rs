//! The end of a run as the end of this program.

use townwatch_host::signal_name;
use townwatch_protocol::event::{AgentExited, ExitReason};

/// The exit code: the run's own, if it has one.
pub(super) fn code(exit: &AgentExited) -> u8 {
    if exit.reason == ExitReason::Completed {
        return 0;
    }
    let own = exit.exit_code.map(|code| code.to_le_bytes()[0]).filter(|code| *code != 0);
    own.or_else(|| exit.signal.as_deref().and_then(signal_number).map(|number| 128 + number)).unwrap_or(1)
}

/// The problem of a run that failed, as the rest of a sentence after the agent's name.
pub(super) fn problem(exit: &AgentExited) -> Option<String> {
    let what = match exit.reason {
        ExitReason::Completed => return None,
        ExitReason::Failed => "failed",
        ExitReason::Stopped => "was stopped",
        ExitReason::Timeout => "took too long",
        ExitReason::BudgetExceeded => "was stopped by its budget",
        ExitReason::Lost => "was lost",
    };
    Some(match &exit.message {
        Some(message) => format!("{what}: {message}"),
        None => what.to_owned(),
    })
}

fn signal_number(name: &str) -> Option<u8> {
    (1..=64).find(|number| signal_name(i32::from(*number)) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runs_end_is_an_exit_code() {
        let cases = [
            (r#"{"reason":"completed"}"#, 0),
            (r#"{"reason":"completed","exit_code":0}"#, 0),
            (r#"{"reason":"failed","exit_code":3}"#, 3),
            (r#"{"reason":"failed","exit_code":0}"#, 1), // Claude Code can fail with 0
            (r#"{"reason":"failed","exit_code":256}"#, 1),
            (r#"{"reason":"stopped","signal":"SIGTERM"}"#, 143),
            (r#"{"reason":"failed","signal":"SIGKILL"}"#, 137),
            (r#"{"reason":"failed","signal":"signal 31"}"#, 159),
            (r#"{"reason":"stopped"}"#, 1),
            (r#"{"reason":"timeout"}"#, 1),
            (r#"{"reason":"budget_exceeded","signal":"SIGTERM"}"#, 143),
            (r#"{"reason":"lost","message":"gone"}"#, 1),
        ];
        for (text, expected) in cases {
            let exit: AgentExited = serde_json::from_str(text).unwrap();
            assert_eq!(code(&exit), expected, "{text}");
            assert_eq!(problem(&exit).is_none(), expected == 0, "{text}");
        }
    }
}

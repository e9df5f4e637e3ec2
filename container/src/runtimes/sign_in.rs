//! The advice for a program that runs but has no login. Each program reports that in its own words, or by its exit
//! code.

use townwatch_protocol::event::{AgentError, AgentExited, ExitReason};
use townwatch_protocol::runtime::Runtime;

/// Makes an error that explains how to sign in, if that is why a run failed.
pub fn not_signed_in(runtime: Runtime, exit: &AgentExited) -> Option<AgentError> {
    if exit.reason != ExitReason::Failed {
        return None;
    }
    let said = exit.message.as_deref().unwrap_or_default();
    let (found, remedy) = match runtime {
        Runtime::ClaudeCode => (
            CLAUDE_WORDS.iter().any(|words| said.contains(words)),
            "run `claude` once as the control server's user and sign in, or set ANTHROPIC_API_KEY for the agent (as the \
             secret AGENT_ENV_ANTHROPIC_API_KEY, or in env_vars)",
        ),
        Runtime::Codex => (
            said.contains("401 Unauthorized"),
            "run `codex login` as the control server's user, or set CODEX_API_KEY for the agent (as the secret \
             AGENT_ENV_CODEX_API_KEY, or in env_vars)",
        ),
        Runtime::Gemini => (
            exit.exit_code == Some(GEMINI_EXIT_CODE) || said.contains("API key not valid"),
            "run `gemini` once as the control server's user, or set GEMINI_API_KEY for the agent (as the secret \
             AGENT_ENV_GEMINI_API_KEY, or in env_vars)",
        ),
        _ => return None,
    };
    let name = runtime.properties().title;
    let message = format!("{name} is not signed in, or what it signs in with is not accepted: {remedy}");
    found.then(|| AgentError { code: "not_signed_in".into(), message, retryable: Some(false), until: None })
}

/// The exit code of Gemini CLI's `FatalAuthenticationError`.
const GEMINI_EXIT_CODE: i32 = 41;

/// The words of Claude Code for a missing login: without any key, with a refused key, and with a login that is too old.
const CLAUDE_WORDS: &[&str] = &["run /login", "Invalid API key", "OAuth token"];

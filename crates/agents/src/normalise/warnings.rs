//! Warnings that a program gives only as words: their kind is found in the words.

use townwatch_protocol::event::{AgentError, AgentNotice, AgentNoticeKind, NoticeLevel};
use townwatch_protocol::time::Timestamp;

use super::limit_end;

/// The code of the error for a limit that is reached.
pub(super) const RATE_LIMITED: &str = "rate_limited";

/// The words that show the kind of a warning, in lower case. The first match counts.
const WORDS: &[(&str, AgentNoticeKind)] = &[
    ("mcp", AgentNoticeKind::ToolServer),
    ("rerouted", AgentNoticeKind::ModelChanged),
    ("switched to", AgentNoticeKind::ModelChanged),
    ("switching to", AgentNoticeKind::ModelChanged),
    ("falling back to", AgentNoticeKind::ModelChanged),
    ("fallback model", AgentNoticeKind::ModelChanged),
    ("rate limit", AgentNoticeKind::RateLimit),
    ("too many requests", AgentNoticeKind::RateLimit),
    ("usage limit", AgentNoticeKind::RateLimit),
    ("quota", AgentNoticeKind::RateLimit),
    ("hook", AgentNoticeKind::HookBlocked),
    ("history compressed", AgentNoticeKind::CompactionEnded),
    ("context compressed", AgentNoticeKind::CompactionEnded),
    ("chat compressed", AgentNoticeKind::CompactionEnded),
    ("has been compacted", AgentNoticeKind::CompactionEnded),
    ("context compacted", AgentNoticeKind::CompactionEnded),
];

/// The words about a limit that will end, in lower case and with single spaces.
const LIMITS: &[&str] = &[
    "rate limit",
    "usage limit",
    "hit your limit",
    "hour limit",
    "daily limit",
    "weekly limit",
    "monthly limit",
    "quota",
    "too many requests",
    "resource exhausted",
    "resource has been exhausted",
    "exhausted your capacity",
];

/// The notice of a warning that came at `at`.
pub(super) fn warning(message: String, at: Timestamp) -> AgentNotice {
    let small = message.to_lowercase();
    let kind = WORDS.iter().find(|(words, _)| small.contains(words)).map_or(AgentNoticeKind::Other, |(_, kind)| *kind);
    let level = if kind == AgentNoticeKind::CompactionEnded { NoticeLevel::Info } else { NoticeLevel::Warning };
    let until = (kind == AgentNoticeKind::RateLimit).then(|| limit_end::in_words(&message, at)).flatten();
    AgentNotice { until, ..AgentNotice::new(kind, level, message) }
}

/// The error of these words, which came at `at`. If the words are about a limit, it is a limit's error, with the end.
pub(super) fn error(message: String, code: &str, retryable: Option<bool>, at: Timestamp) -> AgentError {
    let limited = is_limit(&message);
    let until = (limited || retryable == Some(true)).then(|| limit_end::in_words(&message, at)).flatten();
    let code = if limited { RATE_LIMITED } else { code };
    AgentError { until, ..AgentError::new(code, message, retryable) }
}

/// Whether an error's words are about a limit that will end.
pub(super) fn is_limit(message: &str) -> bool {
    let small = message.to_lowercase().replace(['_', '-'], " ");
    let status = || small.split(|found: char| !found.is_ascii_alphanumeric()).any(|word| word == "429");
    LIMITS.iter().any(|words| small.contains(words)) || status()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_warning_is_about_is_found_in_its_words() {
        let cases = [
            ("MCP client for `files` failed to start: no such file", AgentNoticeKind::ToolServer),
            ("model rerouted: large -> small", AgentNoticeKind::ModelChanged),
            ("You have used 90% of your usage limit", AgentNoticeKind::RateLimit),
            ("Chat history compressed from 9000 to 300 tokens", AgentNoticeKind::CompactionEnded),
            ("Loop detected, stopping execution", AgentNoticeKind::Other),
        ];
        for (words, kind) in cases {
            assert_eq!(warning(words.to_owned(), Timestamp::from_millis(0)).kind, kind, "{words}");
        }
        let limits = [
            "You've hit your usage limit. Try again later.",
            "RESOURCE_EXHAUSTED",
            "status 429: slow down",
            "rate_limit_error",
        ];
        assert!(limits.into_iter().all(is_limit));
        assert!(!["no such file", "context limit reached", "port 14290 is taken"].into_iter().any(is_limit));
    }
}

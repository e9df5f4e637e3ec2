//! The versions of the programs in the recordings, with which the normalisers are tested.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde_json::json;
use townwatch_protocol::runtime::Runtime;

/// New versions that are logged, 64. Further ones are not, because the operator has been told often enough.
const SEEN_MAX: usize = 64;

static SEEN: Mutex<Seen> = Mutex::new(Seen(BTreeSet::new()));

/// Takes the version of a program. A version without a recording may print lines that are not known yet. Its output is
/// read even so, and the version is logged once, so that it can be recorded.
pub fn saw(runtime: Runtime, version: &str) {
    if let Some(recorded) = SEEN.lock().unwrap_or_else(PoisonError::into_inner).first_time(runtime, version) {
        let (runtime, version) = (runtime.as_str(), townwatch_agents::summary::line(version));
        crate::log::write("new_version", json!({"runtime": runtime, "version": version, "recorded": recorded}));
    }
}

struct Seen(BTreeSet<(&'static str, String)>);

impl Seen {
    /// The recorded version, if this version differs and was never seen. Some programs print their name beside it:
    /// `codex-cli 0.169.0`.
    fn first_time(&mut self, runtime: Runtime, version: &str) -> Option<&'static str> {
        let recorded = runtime.program()?.version;
        let number = version.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
        let new = number != recorded && self.0.len() < SEEN_MAX;
        (new && self.0.insert((runtime.as_str(), number.to_owned()))).then_some(recorded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_without_a_recording_is_told_once() {
        let mut seen = Seen(BTreeSet::new());
        let mut told = |runtime: Runtime, version: &str| seen.first_time(runtime, version);
        assert_eq!(told(Runtime::ClaudeCode, "2.1.330 (Claude Code)"), None);
        assert_eq!(told(Runtime::ClaudeCode, "2.2.0 (Claude Code)"), Some("2.1.330"));
        assert_eq!(told(Runtime::ClaudeCode, "2.2.0"), None, "its session says the same as its command");
        assert_eq!(told(Runtime::Codex, "codex-cli 0.169.0"), None);
        assert_eq!(told(Runtime::Codex, "codex-cli 2.2.0"), Some("0.169.0"));
        assert_eq!(told(Runtime::Kilo, "unknown"), None);
        assert_eq!(told(Runtime::Process, "9.9.9"), None);
        let told = (0..1000).filter(|number| told(Runtime::Gemini, &format!("1.0.{number}")).is_some()).count();
        assert_eq!(told, SEEN_MAX - 2);
    }
}

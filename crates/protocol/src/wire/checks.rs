//! Bounds on texts for an agent. Town and control server check the same.

use super::requests::{AnswerAgent, MessageAgent};
use crate::error::{Error, Result};
use crate::event::PartAnswer;
use crate::limits::{PROMPT_BYTES_MAX, TIMEOUT_SECONDS_MAX};

impl MessageAgent {
    /// Refuses an empty text, and one beyond its bound.
    pub fn check(&self) -> Result<()> {
        if self.prompt.trim().is_empty() {
            return Err(Error::invalid("prompt", "expected what to tell the agent"));
        }
        check_words("prompt", &self.prompt)
    }
}

impl AnswerAgent {
    /// Refuses an answer without a question, and texts beyond their bound. Whether the answer fits its question only
    /// the agent's run knows.
    pub fn check(&self) -> Result<()> {
        if self.request_id.is_empty() {
            return Err(Error::invalid("request_id", "expected the `request_id` of the question"));
        }
        check_words("text", self.text.as_deref().unwrap_or_default())?;
        let words = |part: &PartAnswer| part.choices.iter().chain(&part.text).map(String::len).sum::<usize>();
        if self.answers.iter().map(words).sum::<usize>() > PROMPT_BYTES_MAX {
            let problem = format!("longer than {PROMPT_BYTES_MAX} bytes in all; say it in fewer words");
            return Err(Error::too_large("answers", problem));
        }
        Ok(())
    }
}

/// Refuses a time limit of 0, and one beyond the longest.
pub fn check_timeout(seconds: Option<u64>) -> Result<()> {
    if seconds.is_some_and(|seconds| !(1..=TIMEOUT_SECONDS_MAX).contains(&seconds)) {
        let problem = format!("expected an integer from 1 to {TIMEOUT_SECONDS_MAX} (7 days)");
        return Err(Error::invalid("timeout_seconds", problem));
    }
    Ok(())
}

/// Refuses a text that is longer than its bound.
pub fn check_words(field: &str, words: &str) -> Result<()> {
    if words.len() > PROMPT_BYTES_MAX {
        let problem =
            format!("longer than {PROMPT_BYTES_MAX} bytes; put the long part into a file that the agent reads");
        return Err(Error::too_large(field, problem));
    }
    Ok(())
}

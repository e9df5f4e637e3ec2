//! How a model stops before its time: it refuses, or has no more room.

use townwatch_protocol::event::{AgentError, AgentNotice, AgentNoticeKind, EventData, NoticeLevel};

use crate::summary;

/// The code of the error that tells that a model refused.
pub(super) const REFUSAL: &str = "refusal";

/// How a model stopped before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Refused,
    /// The answer was as long as one may be.
    AnswerFull,
    /// The conversation was as long as the model can read.
    ContextFull,
}

impl Stop {
    /// The event that tells it, with what it was for, and of a sub-agent with the call that this one works for.
    pub(super) fn event(self, why: Option<&str>, call: Option<String>) -> EventData {
        let whose = if call.is_some() { "A sub-agent's" } else { "The" };
        let why = why.map_or(String::new(), |why| format!(": {}", summary::line(why)));
        match self {
            Self::Refused => {
                AgentError::new(REFUSAL, format!("{whose} model refused to go on{why}"), Some(false)).into()
            }
            Self::ContextFull => {
                let message =
                    format!("{whose} answer was cut short: the conversation is as long as the model can read");
                AgentError::new("model_context_window_exceeded", message, Some(false)).into()
            }
            Self::AnswerFull => {
                let message = format!("{whose} answer was cut short: it had as many tokens as an answer may have");
                let notice = AgentNotice::new(AgentNoticeKind::Other, NoticeLevel::Warning, message);
                AgentNotice { parent_tool_use_id: call, ..notice }.into()
            }
        }
    }
}

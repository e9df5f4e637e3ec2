//! Early stops of a model: a refusal, or no more room.

use townwatch_protocol::event::{AgentError, AgentNotice, AgentNoticeKind, EventData, NoticeLevel};

use crate::summary;

/// The code of the error for a model's refusal.
pub(super) const REFUSAL: &str = "refusal";

/// The reason of a model's early stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Refused,
    /// The answer has the greatest length that an answer may have.
    AnswerFull,
    /// The conversation has the greatest length that the model can read.
    ContextFull,
}

impl Stop {
    /// The event of the stop. `why` is the model's reason; `call` is the call whose sub-agent stopped.
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

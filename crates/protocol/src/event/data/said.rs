//! Texts of an agent, messages to it, and reports of its program.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "schema")]
use ts_rs::TS;

use crate::event::{AgentNoticeKind, MessageSource, NoticeKind, NoticeLevel, OutputStream};
use crate::id::AgentId;
use crate::time::Timestamp;

data! {
    /// Data of `agent_output`.
    AgentOutput {
        /// The text.
        text: String,
        /// The source of the text.
        stream: OutputStream,
        /// The message that it is a part of.
        message_id: Option<String>,
        /// The call whose sub-agent wrote it.
        parent_tool_use_id: Option<String>,
        /// Whether the line is unfinished: the next output of the same stream continues it. A progress bar is an
        /// example.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")] #[cfg_attr(feature = "schema", ts(optional, as = "Option<bool>"))]
        partial: bool,
        /// Whether the author ended in the middle of the text. No more of it will come.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")] #[cfg_attr(feature = "schema", ts(optional, as = "Option<bool>"))]
        broken_off: bool,
    }
    /// Data of `user_message`: what a person said to the agent, or its program said in a person's place.
    UserMessage {
        /// The words, whole.
        text: String,
        /// The author: `operator`, or the name of the program that wrote the message in a person's place
        /// (`claude_code`).
        by: String,
        /// The kind of message.
        source: MessageSource,
        /// The message's own name, where the program gives it one.
        message_id: Option<String>,
        /// The call whose sub-agent it was said to.
        parent_tool_use_id: Option<String>,
    }
    /// Data of `agent_error`.
    AgentError {
        /// A short word for programs.
        code: String,
        /// The text for a person.
        message: String,
        /// Whether the agent tries again by itself.
        retryable: Option<bool>,
        /// The end of it, where that is known: the end of a rate limit, for example.
        until: Option<Timestamp>,
    }
    /// Data of `agent_notice`: an action or warning of the agent's program that a person should know. It is not an
    /// error.
    AgentNotice {
        /// The subject, as a kind.
        kind: AgentNoticeKind,
        /// The level of the notice.
        level: NoticeLevel,
        /// The text for a person.
        message: String,
        /// The end of it, where that is known.
        until: Option<Timestamp>,
        /// Tokens of the conversation before it was compacted.
        tokens_before: Option<u64>,
        /// And after.
        tokens_after: Option<u64>,
        /// The call that it is about.
        tool_use_id: Option<String>,
        /// The call whose sub-agent it is about.
        parent_tool_use_id: Option<String>,
    }
    /// Data of `parser_notice`.
    ParserNotice {
        /// The kind of problem.
        kind: NoticeKind,
        /// The number of lines in a row that this notice stands for.
        count: u64,
        /// The beginning of the first of them.
        sample: String,
    }
    /// Data of `source_gap`.
    SourceGap {
        /// The agent whose events are missing, where it is known.
        agent_id: Option<AgentId>,
        /// The number of them.
        count: Option<u64>,
        /// The place where they were lost.
        source: String,
    }
}

impl AgentOutput {
    /// A whole text of this stream, of which nothing else is known.
    pub fn new(stream: OutputStream, text: String) -> Self {
        Self { text, stream, message_id: None, parent_tool_use_id: None, partial: false, broken_off: false }
    }
}

impl AgentError {
    /// An error without a known end.
    pub fn new(code: impl Into<String>, message: impl Into<String>, retryable: Option<bool>) -> Self {
        Self { code: code.into(), message: message.into(), retryable, until: None }
    }
}

impl AgentNotice {
    /// A notice of nothing but words.
    pub fn new(kind: AgentNoticeKind, level: NoticeLevel, message: impl Into<String>) -> Self {
        Self {
            kind,
            level,
            message: message.into(),
            until: None,
            tokens_before: None,
            tokens_after: None,
            tool_use_id: None,
            parent_tool_use_id: None,
        }
    }
}

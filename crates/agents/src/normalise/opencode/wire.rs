//! The fields of the frames of `GET /event` that are read. Every field is optional and read on its own.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use townwatch_protocol::event::{AgentUsage, ToolCategory};
use townwatch_protocol::time::Timestamp;

use crate::json::if_readable;
use crate::normalise::asking::AskedQuestion;
use crate::normalise::wire::lenient;
use crate::normalise::{limit_end, warnings};
use crate::summary::TodoInput;

lenient! {
    /// Any frame: `{"id","type","properties"}`.
    Frame {
        #[serde(rename = "type")] kind: String,
        properties: Box<RawValue>,
    }
    /// The places where a frame names its session.
    Whose {
        #[serde(rename = "sessionID")] session_id: String,
        info: Named,
        part: Named,
    }
    /// The same places, one level deeper.
    Named {
        #[serde(rename = "sessionID")] session_id: String,
    }
    /// `session.created`, `session.updated`.
    SessionFrame { info: Session, }
    /// A session.
    Session {
        id: String,
        #[serde(rename = "parentID")] parent_id: String,
        directory: String,
        version: String,
        model: SessionModel,
    }
    /// The model of a session. Messages call the first of the two `modelID`.
    SessionModel {
        #[serde(alias = "modelID")] id: String,
        #[serde(rename = "providerID")] provider_id: String,
    }
    /// `session.status`.
    StatusFrame { status: SessionStatus, }
    /// The activity of a session: `idle`, `busy`, or `retry` with the other fields.
    SessionStatus {
        #[serde(rename = "type")] kind: String,
        attempt: u64,
        message: String,
        next: i64, // when, in milliseconds since 1970
        action: StatusAction,
    }
    /// The advice for a person.
    StatusAction { message: String, }
    /// `message.removed`, `message.part.removed`.
    RemovedFrame {
        #[serde(rename = "messageID")] message_id: String,
        #[serde(rename = "partID")] part_id: String,
    }
    /// Messages of the server to every client: `tui.toast.show`, `mcp.browser.open.failed`, `worktree.failed` for
    /// example.
    ServerWords {
        title: String,
        message: String,
        variant: String,
        #[serde(rename = "mcpName")] mcp_name: String,
        url: String,
    }
    /// `session.error`.
    ErrorFrame { error: NamedError, }
    /// A failure.
    NamedError {
        name: String,
        data: NamedErrorData,
    }
    /// The data of a failure.
    NamedErrorData {
        message: String,
        #[serde(rename = "statusCode")] status_code: u64,
        #[serde(rename = "isRetryable")] is_retryable: bool,
        #[serde(rename = "responseHeaders")] response_headers: BTreeMap<String, String>,
        #[serde(rename = "responseBody")] response_body: String,
    }
    /// `message.updated`.
    MessageFrame { info: MessageInfo, }
    /// A message, without its parts.
    MessageInfo {
        id: String,
        #[serde(rename = "sessionID")] session_id: String,
        role: String,
        mode: String, // `compaction` where it sums up
        summary: bool, // the same; of a user's message it is something else
        #[serde(rename = "modelID")] model_id: String,
        #[serde(rename = "providerID")] provider_id: String,
        time: TimeSpan,
        error: NamedError,
        finish: String, // why it ended
        tokens: MessageTokens,
        cost: f64,
    }
    /// The begin and end of a message.
    TimeSpan {
        start: i64,
        end: i64,
        completed: i64,
    }
    /// The tokens of a message. Those of thoughts are counted separately.
    MessageTokens {
        input: u64,
        output: u64,
        reasoning: u64,
        cache: CacheTokens,
    }
    /// The tokens of the model's cache.
    CacheTokens {
        read: u64,
        write: u64,
    }
    /// `message.part.updated`.
    PartFrame { part: Box<RawValue>, }
    /// A part of a message. Which fields it has depends on its type.
    Part {
        id: String,
        #[serde(rename = "messageID")] message_id: String,
        #[serde(rename = "type")] kind: String,
        text: String,
        time: TimeSpan,
        tool: String,
        #[serde(rename = "callID")] call_id: String,
        state: ToolState,
        files: Vec<String>,
        // of what was said to the agent
        synthetic: bool, // not by a person
        ignored: bool, // not read by the agent
        prompt: String, // of a subtask
        auto: bool, // of a compaction
        // of a file
        mime: String,
        filename: String,
        url: String,
    }
    /// A file that a tool gave.
    GivenFile {
        mime: String,
        filename: String,
        url: String,
    }
    /// The state of a tool call. Each change sends it whole.
    ToolState {
        status: String,
        input: Box<RawValue>,
        output: String,
        error: String,
        metadata: ToolMetadata,
        time: TimeSpan,
        attachments: Vec<GivenFile>,
    }
    /// The metadata of a tool's result.
    ToolMetadata {
        exit: i64, // a shell's
        #[serde(rename = "sessionId")] session_id: String, // a sub-agent's
        filepath: String, // what was written
        exists: bool, // before it was written
        filediff: FileDiff,
    }
    /// The difference of an edit.
    FileDiff {
        file: String,
        additions: u64,
        deletions: u64,
    }
    /// `message.part.delta`.
    DeltaFrame {
        #[serde(rename = "messageID")] message_id: String,
        #[serde(rename = "partID")] part_id: String,
        field: String,
        delta: String,
    }
    /// The part of a `step_finish`.
    FinishedStep {
        id: String,
        #[serde(rename = "messageID")] message_id: String,
        reason: String,
        tokens: MessageTokens,
        cost: f64,
    }
    /// `todo.updated`, and the input of the tool that writes the list.
    TodosFrame { todos: Vec<TodoInput>, }
    /// `permission.asked`, `question.asked`.
    Asked {
        id: String,
        permission: String,
        patterns: Vec<String>,
        metadata: Box<RawValue>,
        always: Vec<String>,
        questions: Vec<AskedQuestion>,
        tool: AskedTool,
    }
    /// The metadata of a tool that asks.
    AskedMetadata {
        command: String,
        diff: String,
        filepath: String,
        url: String,
    }
    /// The call that waits.
    AskedTool {
        #[serde(rename = "messageID")] message_id: String,
        #[serde(rename = "callID")] call_id: String,
    }
    /// `permission.replied`, `question.replied`, `question.rejected`.
    Replied {
        #[serde(rename = "requestID")] request_id: String,
        reply: String,
        answers: Vec<Vec<String>>,
    }
}

impl NamedErrorData {
    /// Whether the API refused because of a limit.
    pub(super) fn is_limit(&self) -> bool {
        self.status_code == Some(429) || self.message.as_deref().is_some_and(warnings::is_limit)
    }

    /// The end of the limit, from its words, from the API's field, or from the header.
    pub(super) fn limit_end(&self, at: Timestamp) -> Option<Timestamp> {
        let mut texts = [&self.message, &self.response_body].into_iter().flatten();
        let said = texts.find_map(|text| limit_end::in_words(text, at));
        let headers = || self.response_headers.iter().flatten();
        said.or_else(|| headers().find_map(|(name, value)| limit_end::in_words(&format!("{name}: {value}"), at)))
    }
}

impl MessageInfo {
    /// The usage of a message so far; `None` for a message without any, such as an interrupted one.
    pub(super) fn usage(&self, message_id: String) -> Option<AgentUsage> {
        let tokens = self.tokens.as_ref()?;
        let cache = tokens.cache.as_ref();
        let usage = AgentUsage {
            message_id,
            input_tokens: tokens.input.unwrap_or(0),
            output_tokens: tokens.output.unwrap_or(0).saturating_add(tokens.reasoning.unwrap_or(0)),
            cache_read_input_tokens: cache.and_then(|cache| cache.read),
            cache_creation_input_tokens: cache.and_then(|cache| cache.write),
            cost_usd: self.cost.filter(|cost| *cost > 0.0), // 0 is also what a model without a known price has
            cumulative: false,
            parent_tool_use_id: None,
        };
        let tokens = [
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_input_tokens.unwrap_or(0),
            usage.cache_creation_input_tokens.unwrap_or(0),
        ];
        (tokens != [0; 4] || usage.cost_usd.is_some()).then_some(usage)
    }
}

/// The counts of a usage, for comparison.
pub(super) fn figures(usage: &AgentUsage) -> [u64; 5] {
    [
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_input_tokens.unwrap_or(0),
        usage.cache_creation_input_tokens.unwrap_or(0),
        usage.cost_usd.unwrap_or(0.0).to_bits(),
    ]
}

/// A model's full name, as `--model` takes it.
pub(super) fn model_name(provider_id: Option<&str>, model_id: Option<&str>) -> Option<String> {
    let model_id = model_id?;
    Some(provider_id.map_or_else(|| model_id.to_owned(), |provider_id| format!("{provider_id}/{model_id}")))
}

/// The category of a tool. The names of MCP tools do not show that they are such.
pub(super) fn category(tool: &str) -> ToolCategory {
    match tool {
        "read" => ToolCategory::Read,
        "write" => ToolCategory::Write,
        "edit" | "multiedit" | "patch" | "apply_patch" => ToolCategory::Edit,
        "bash" => ToolCategory::Bash,
        "grep" => ToolCategory::Grep,
        "glob" | "list" => ToolCategory::Glob,
        "webfetch" => ToolCategory::WebFetch,
        "websearch" => ToolCategory::WebSearch,
        "task" => ToolCategory::Task,
        "todowrite" | "todoread" => ToolCategory::Todo,
        _ => ToolCategory::Other,
    }
}

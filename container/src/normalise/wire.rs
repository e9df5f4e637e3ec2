//! The lines of `claude --output-format stream-json`, as far as they are read.
//!
//! Every field is optional and read on its own: one that is not of its kind must not lose the others. A tag can stand
//! anywhere in its object, so a line is parsed first and told apart after; and serde's tagged enums cannot hold raw
//! JSON, which tool input has to stay.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use townwatch::event::{AgentUsage, ToolCategory};

use crate::json::{if_readable, read};

macro_rules! lenient {
    ($($(#[$doc:meta])* $name:ident { $($(#[$meta:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(default)]
        #[allow(clippy::struct_field_names)] // the names are the program's own
        pub(super) struct $name { $(#[serde(deserialize_with = "if_readable")] $(#[$meta])* pub(super) $field: Option<$type>,)* }
    )*};
}
pub(super) use lenient;

lenient! {
    /// What tells lines and blocks apart.
    Head {
        #[serde(rename = "type")] kind: String,
        subtype: String,
    }
    /// `system`, of any subtype.
    System {
        session_id: String,
        cwd: String,
        model: String,
        tools: Vec<String>,
        #[serde(rename = "permissionMode")] permission_mode: String,
        claude_code_version: String,
        // permission_denied
        message: String,
        tool_name: String,
        // api_retry
        attempt: u64,
        max_retries: u64,
        retry_delay_ms: f64,
        error_status: u64,
        error: String,
        // background_tasks_changed
        tasks: Vec<IgnoredAny>,
    }
    /// `control_request`, and `control_cancel_request`, which has only the id.
    ControlRequest {
        request_id: String,
        request: Asked,
    }
    /// What is asked. All but the subtype belongs to `can_use_tool`.
    Asked {
        subtype: String,
        tool_name: String,
        tool_use_id: String,
        description: String,
        input: Box<RawValue>,
        permission_suggestions: Box<RawValue>,
    }
    /// `assistant` and `user`.
    Message {
        message: MessageBody,
        parent_tool_use_id: String,
        #[serde(alias = "isApiErrorMessage")] is_api_error_message: bool,
        api_error_type: String,
    }
    /// The API's own message in it.
    MessageBody {
        id: String,
        content: Box<RawValue>,
        usage: Usage,
    }
    /// `stream_event`: the API's own event, as it came.
    StreamEvent {
        event: ApiEvent,
        parent_tool_use_id: String,
    }
    /// The API's own event in it.
    ApiEvent {
        #[serde(rename = "type")] kind: String,
        message: MessageBody, // message_start
        content_block: TypedText, // content_block_start
        delta: TypedText, // content_block_delta
    }
    /// A block as it begins, or what is added to it.
    TypedText {
        #[serde(rename = "type")] kind: String,
        text: String,
    }
    /// One block of a message's content. A flat line is the same with nothing around it.
    Block {
        id: String,
        text: String,
        thinking: String,
        name: String,
        input: Box<RawValue>,
        tool_use_id: String,
        content: Box<RawValue>,
        is_error: bool,
    }
    /// `result`.
    TurnEnd {
        subtype: String,
        is_error: bool,
        terminal_reason: String,
        result: String,
        errors: Vec<String>,
        total_cost_usd: f64,
        usage: Usage,
        #[serde(rename = "modelUsage")] model_usage: BTreeMap<String, ModelUsage>,
        uuid: String,
    }
    /// Tokens of one message or turn.
    Usage {
        input_tokens: u64,
        output_tokens: u64,
        cache_read_input_tokens: u64,
        cache_creation_input_tokens: u64,
    }
    /// Tokens of one model over the whole session.
    ModelUsage {
        #[serde(rename = "inputTokens")] input_tokens: u64,
        #[serde(rename = "outputTokens")] output_tokens: u64,
        #[serde(rename = "cacheReadInputTokens")] cache_read_input_tokens: u64,
        #[serde(rename = "cacheCreationInputTokens")] cache_creation_input_tokens: u64,
    }
}

impl From<&ModelUsage> for Usage {
    fn from(model: &ModelUsage) -> Self {
        Self {
            input_tokens: model.input_tokens,
            output_tokens: model.output_tokens,
            cache_read_input_tokens: model.cache_read_input_tokens,
            cache_creation_input_tokens: model.cache_creation_input_tokens,
        }
    }
}

impl Usage {
    /// Adds; what neither side names stays unnamed.
    pub(super) fn add(&mut self, other: &Self) {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (one, None) | (None, one) => one,
        };
        self.input_tokens = sum(self.input_tokens, other.input_tokens);
        self.output_tokens = sum(self.output_tokens, other.output_tokens);
        self.cache_read_input_tokens = sum(self.cache_read_input_tokens, other.cache_read_input_tokens);
        self.cache_creation_input_tokens = sum(self.cache_creation_input_tokens, other.cache_creation_input_tokens);
    }

    /// The event for it.
    pub(super) fn event(&self, message_id: String, cost_usd: Option<f64>, cumulative: bool) -> AgentUsage {
        AgentUsage {
            message_id,
            input_tokens: self.input_tokens.unwrap_or(0),
            output_tokens: self.output_tokens.unwrap_or(0),
            cache_read_input_tokens: self.cache_read_input_tokens,
            cache_creation_input_tokens: self.cache_creation_input_tokens,
            cost_usd,
            cumulative,
        }
    }
}

/// A tool result's content as text: a text, or the texts of its blocks.
pub(super) fn content_text(content: Option<&RawValue>) -> String {
    let Some(content) = content else { return String::new() };
    if let Some(text) = read::<String>(content.get()) {
        return text;
    }
    let Some(blocks) = read::<Vec<Box<RawValue>>>(content.get()) else {
        return if content.get() == "null" { String::new() } else { content.get().to_owned() };
    };
    let texts = blocks.iter().map(|raw| {
        let head = read::<Head>(raw.get()).unwrap_or_default();
        match head.kind.as_deref() {
            Some("text") => read::<Block>(raw.get()).and_then(|block| block.text).unwrap_or_default(),
            Some(kind) => format!("[{kind}]"),
            None => raw.get().to_owned(),
        }
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// What kind of tool this is.
pub(super) fn category(tool: &str) -> ToolCategory {
    match tool {
        "Read" | "NotebookRead" => ToolCategory::Read,
        "Write" => ToolCategory::Write,
        "Edit" | "MultiEdit" | "NotebookEdit" => ToolCategory::Edit,
        "Bash" => ToolCategory::Bash,
        "Grep" => ToolCategory::Grep,
        "Glob" => ToolCategory::Glob,
        "WebFetch" | "web_fetch" => ToolCategory::WebFetch,
        "WebSearch" | "web_search" => ToolCategory::WebSearch,
        "Task" | "Agent" => ToolCategory::Task,
        "TodoWrite" => ToolCategory::Todo,
        _ if tool.starts_with("mcp__") => ToolCategory::Mcp,
        _ => ToolCategory::Other,
    }
}

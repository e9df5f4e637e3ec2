//! The fields of `claude --output-format stream-json` that are read.
//!
//! Every field is optional and read on its own, so that a field of another type loses no other. A tag can stand
//! anywhere in its object, so a line is parsed first and distinguished afterwards. Tagged enums of serde cannot hold
//! raw JSON, which the input of tools has to stay.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use townwatch_protocol::event::{AgentUsage, ToolCategory};

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
    /// The tags of lines and blocks.
    Head {
        #[serde(rename = "type")] kind: String,
        subtype: String,
    }
    /// `system`, of any subtype.
    System {
        uuid: String,
        session_id: String,
        parent_tool_use_id: String,
        cwd: String,
        model: String,
        tools: Vec<String>,
        mcp_servers: Vec<ToolServer>,
        #[serde(rename = "permissionMode")] permission_mode: String,
        claude_code_version: String,
        // status, and the tasks' own
        status: String,
        compact_error: String,
        // compact_boundary
        #[serde(alias = "compactMetadata")] compact_metadata: Compaction,
        // permission_denied, notification, local_command_output
        message: String,
        text: String,
        content: String,
        tool_name: String,
        // api_retry
        attempt: u64,
        max_retries: u64,
        retry_delay_ms: f64,
        error_status: u64,
        error: String,
        // tasks in the background
        task_id: String,
        tool_use_id: String,
        task_type: String,
        description: String,
        is_backgrounded: bool,
        summary: String,
        patch: TaskPatch,
        tasks: Vec<TaskHead>,
        // hooks
        hook_name: String,
        exit_code: i32,
        outcome: String,
        stdout: String,
        stderr: String,
        output: String,
        // files_persisted
        failed: Vec<Box<RawValue>>,
    }
    /// A tool server, in `init`.
    ToolServer {
        name: String,
        status: String,
        error: String,
    }
    /// The result of a compaction.
    Compaction {
        trigger: String,
        #[serde(alias = "preTokens")] pre_tokens: u64,
        #[serde(alias = "postTokens")] post_tokens: u64,
    }
    /// One of `background_tasks_changed`.
    TaskHead {
        task_id: String,
        tool_use_id: String,
        task_type: String,
        description: String,
    }
    /// The changed fields in `task_updated`, and the status of a task in `TaskOutput`.
    TaskPatch {
        status: String,
        is_backgrounded: bool,
        #[serde(alias = "exitCode")] exit_code: i32,
        #[serde(alias = "task_id")] id: Name,
        subject: String,
    }
    /// `rate_limit_event`.
    RateLimitEvent { rate_limit_info: RateLimit, }
    /// The state of a limit of the API.
    RateLimit {
        status: String,
        #[serde(rename = "resetsAt")] resets_at: f64,
        #[serde(rename = "rateLimitType")] limit: String,
        utilization: f64,
        #[serde(rename = "overageStatus")] overage_status: String,
        #[serde(rename = "isUsingOverage")] is_using_overage: bool,
    }
    /// `auth_status`.
    AuthStatus { error: String, }
    /// The result of a tool as data, with the fields of those tools that are read.
    ToolOutcome {
        status: String,
        interrupted: bool,
        #[serde(rename = "agentId")] agent_id: String,
        #[serde(rename = "backgroundTaskId")] background_task_id: String,
        description: String,
        task: TaskPatch,
        tasks: Vec<TaskPatch>,
        #[serde(rename = "structuredContent", alias = "structured_content")] structured_content: Box<RawValue>,
    }
    /// `control_request`, and `control_cancel_request`, which has only the id.
    ControlRequestLine {
        request_id: String,
        request: ControlRequestContent,
    }
    /// The content of a request. All fields but the subtype belong to `can_use_tool`.
    ControlRequestContent {
        subtype: String,
        tool_name: String,
        tool_use_id: String,
        description: String,
        input: Box<RawValue>,
        permission_suggestions: Box<RawValue>,
    }
    /// `assistant` and `user`.
    MessageLine {
        uuid: String,
        message: MessageBody,
        parent_tool_use_id: String,
        #[serde(alias = "isApiErrorMessage")] is_api_error_message: bool,
        api_error_type: String,
        error: String,
        #[serde(rename = "isReplay")] is_replay: bool,
        #[serde(rename = "isSynthetic")] is_synthetic: bool,
        #[serde(rename = "isMeta")] is_meta: bool,
        tool_use_result: Box<RawValue>,
        #[serde(alias = "mcpMeta")] mcp_meta: Box<RawValue>,
    }
    /// The API's message in a line.
    MessageBody {
        id: String,
        model: String,
        content: Box<RawValue>,
        usage: Usage,
        stop_reason: String,
        stop_details: StopDetails,
    }
    /// The details of a model's stop reason.
    StopDetails {
        category: String,
        explanation: String,
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
        usage: Usage, // message_delta
    }
    /// A block at its beginning, or an addition to it or to its message.
    TypedText {
        #[serde(rename = "type")] kind: String,
        text: String,
        stop_reason: String,
        stop_details: StopDetails,
    }
    /// One block of a message's content, or a line that is such a block itself.
    Block {
        id: String,
        text: String,
        thinking: String,
        name: String,
        server_name: String,
        input: Box<RawValue>,
        tool_use_id: String,
        content: Box<RawValue>,
        is_error: bool,
        #[serde(rename = "isError")] failed: bool, // as MCP has it
        status: String,
        #[serde(rename = "structuredContent", alias = "structured_content")] structured_content: Box<RawValue>,
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
        api_error_status: u64,
        stop_reason: String,
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
    /// Adds the other's counts. A count that neither has stays absent.
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

    /// The counts above those of `other`, field by field.
    pub(super) fn beyond(&self, other: &Self) -> Self {
        let more = |a: Option<u64>, b: Option<u64>| a.map(|a| a.saturating_sub(b.unwrap_or(0)));
        Self {
            input_tokens: more(self.input_tokens, other.input_tokens),
            output_tokens: more(self.output_tokens, other.output_tokens),
            cache_read_input_tokens: more(self.cache_read_input_tokens, other.cache_read_input_tokens),
            cache_creation_input_tokens: more(self.cache_creation_input_tokens, other.cache_creation_input_tokens),
        }
    }

    /// Takes over the counts that have grown; true if any has.
    pub(super) fn grow(&mut self, now: &Self) -> bool {
        let fields = [
            (&mut self.input_tokens, now.input_tokens),
            (&mut self.output_tokens, now.output_tokens),
            (&mut self.cache_read_input_tokens, now.cache_read_input_tokens),
            (&mut self.cache_creation_input_tokens, now.cache_creation_input_tokens),
        ];
        let mut grew = false;
        for (known, now) in fields {
            if now > *known {
                (*known, grew) = (now, true);
            }
        }
        grew
    }

    /// Whether all counts are 0 or absent.
    pub(super) fn is_nothing(&self) -> bool {
        let Self { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens } = self;
        [input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens]
            .iter()
            .all(|tokens| tokens.unwrap_or(0) == 0)
    }

    /// The event of this usage.
    pub(super) fn event(&self, message_id: String, cost_usd: Option<f64>, cumulative: bool) -> AgentUsage {
        AgentUsage {
            message_id,
            input_tokens: self.input_tokens.unwrap_or(0),
            output_tokens: self.output_tokens.unwrap_or(0),
            cache_read_input_tokens: self.cache_read_input_tokens,
            cache_creation_input_tokens: self.cache_creation_input_tokens,
            cost_usd,
            cumulative,
            parent_tool_use_id: None,
        }
    }
}

/// A name that some versions write as a text and some as a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Name(pub(super) String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        Ok(Self(read(raw.get()).unwrap_or_else(|| raw.get().to_owned())))
    }
}

/// The category of a tool.
pub(super) fn category(tool: &str) -> ToolCategory {
    match tool {
        "Read" | "NotebookRead" => ToolCategory::Read,
        "Write" => ToolCategory::Write,
        "Edit" | "MultiEdit" | "NotebookEdit" => ToolCategory::Edit,
        "Bash" | "PowerShell" | "code_execution" | "bash_code_execution" => ToolCategory::Bash,
        "Grep" => ToolCategory::Grep,
        "Glob" => ToolCategory::Glob,
        "WebFetch" | "web_fetch" => ToolCategory::WebFetch,
        "WebSearch" | "web_search" => ToolCategory::WebSearch,
        "Task" | "Agent" => ToolCategory::Task,
        "TodoWrite" | "TaskCreate" | "TaskUpdate" | "TaskList" | "TaskGet" => ToolCategory::Todo,
        _ if tool.starts_with("mcp__") => ToolCategory::Mcp,
        _ => ToolCategory::Other,
    }
}

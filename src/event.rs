//! What can happen to an agent: the names of the wire contract with their data.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
#[cfg(test)]
use ts_rs::TS;

use crate::id::{AgentId, EventName, RunId};

macro_rules! known_events {
    ($($(#[$doc:meta])* $name:literal => $variant:ident($data:ident),)*) => {
        /// An event's name with its data. What is not of this list, or not of its shape, is [`EventData::Other`].
        #[derive(Debug, Clone)]
        pub enum EventData {
            $($(#[$doc])* $variant($data),)*
            /// Passed through untouched: any name, any JSON value, as its raw text.
            Other(EventName, Box<RawValue>),
        }

        impl EventData {
            /// The names of the wire contract.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The event's name on the wire.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $name,)*
                    Self::Other(name, _) => name.as_str(),
                }
            }

            /// Reads the data of a known name; anything else is kept as it is. An end that cannot be read is an end: its run
            /// takes no further event, and its state has to say so.
            pub fn read(name: &EventName, data: &RawValue) -> Self {
                match name.as_str() {
                    $($name => serde_json::from_str(data.get()).map(Self::$variant),)*
                    _ => return Self::Other(name.clone(), data.to_owned()),
                }
                .unwrap_or_else(|_| match name.as_str() {
                    "agent.exited" => Self::Exited(AgentExited::because(
                        ExitReason::Failed,
                        "the agent's own word of its end could not be read",
                    )),
                    _ => Self::Other(name.clone(), data.to_owned()),
                })
            }

            /// The data as JSON text.
            pub fn to_raw(&self) -> Box<RawValue> {
                match self {
                    $(Self::$variant(data) => serde_json::value::to_raw_value(data).unwrap_or_default(),)*
                    Self::Other(_, data) => data.clone(),
                }
            }
        }

        $(impl From<$data> for EventData {
            fn from(data: $data) -> Self { Self::$variant(data) }
        })*

        /// For the TypeScript types only: the same list as a union that `event` tells apart.
        #[cfg(test)]
        #[allow(dead_code, missing_docs)]
        #[derive(TS)]
        #[ts(tag = "event", content = "data", rename = "KnownEvent")]
        pub enum KnownEvent { $(#[ts(rename = $name)] $variant($data),)* }
    };
}

known_events! {
    /// Where the agent's run stands.
    "agent.status" => Status(AgentStatusChanged),
    /// A run's end: exactly one, and the run's last event.
    "agent.exited" => Exited(AgentExited),
    /// What the agent says of itself when it starts.
    "agent_session" => Session(AgentSession),
    /// Text that the agent wrote.
    "agent_output" => Output(AgentOutput),
    /// A tool that the agent calls.
    "agent_tool_call" => ToolCall(AgentToolCall),
    /// What the tool gave.
    "agent_tool_result" => ToolResult(AgentToolResult),
    /// The agent waits for a person.
    "agent_question" => Question(AgentQuestion),
    /// A person answered.
    "agent_question_answered" => QuestionAnswered(AgentQuestionAnswered),
    /// Tokens and cost.
    "agent_usage" => Usage(AgentUsage),
    /// Something went wrong for the agent.
    "agent_error" => Error(AgentError),
    /// A file of the agent's working directory changed.
    "file_changed" => FileChanged(FileChanged),
    /// How far the run is.
    "progress_update" => Progress(ProgressUpdate),
    /// A work order's run began.
    "run_started" => RunStarted(RunStarted),
    /// One of its iterations ended.
    "run_iteration" => RunIteration(RunIteration),
    /// It succeeded.
    "run_completed" => RunCompleted(RunCompleted),
    /// It failed.
    "run_failed" => RunFailed(RunFailed),
    /// A work order was made.
    "work_order_created" => WorkOrderCreated(WorkOrderCreated),
    /// Its status changed.
    "work_order_updated" => WorkOrderUpdated(WorkOrderUpdated),
    /// Lines of the agent that could not be read as they should.
    "parser_notice" => ParserNotice(ParserNotice),
    /// Events that were lost before they reached the town.
    "source_gap" => SourceGap(SourceGap),
}

/// The names of stream frames: no event may be called so, since SSE names messages after either.
pub const FRAME_NAMES: &[&str] = &[
    "hello",
    "state",
    "events",
    "preview",
    "caught_up",
    "gap",
    "backpressure",
    "subscription_confirmed",
    "heartbeat",
    "pong",
    "error",
];

macro_rules! wire_enum {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(TS))]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }
        impl $name {
            /// The word on the wire.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $text,)* } }
            /// The value of a word of the wire.
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some(Self::$variant),)* _ => None } }
        }
    )*};
}

wire_enum! {
    /// Where an agent stands. `idle` is only a state, for an agent that has had no run yet.
    Status {
        /// No run yet.
        Idle = "idle",
        /// A run was asked for; the process is not up yet.
        Starting = "starting",
        /// At work.
        Running = "running",
        /// The turn is over, or it waits for a person.
        Waiting = "waiting",
        /// It was asked to stop.
        Stopping = "stopping",
        /// The run ended as it should.
        Exited = "exited",
        /// The run ended badly.
        Failed = "failed",
    }
    /// Why a run ended.
    ExitReason {
        /// By itself, successfully.
        Completed = "completed",
        /// By itself or at its start, unsuccessfully.
        Failed = "failed",
        /// A person stopped it.
        Stopped = "stopped",
        /// It took longer than it was given.
        Timeout = "timeout",
        /// Its container went away with it.
        Lost = "lost",
    }
    /// Where a text came from.
    OutputStream {
        /// What the agent says.
        Assistant = "assistant",
        /// What it thinks.
        Thinking = "thinking",
        /// What a plain process prints.
        Stdout = "stdout",
        /// What it prints as errors.
        Stderr = "stderr",
    }
    /// What a tool is for, the same for all agents; the agent's own name of it stays beside it.
    ToolCategory {
        /// Reads a file.
        Read = "Read",
        /// Writes a whole file.
        Write = "Write",
        /// Changes a part of a file.
        Edit = "Edit",
        /// Runs a command.
        Bash = "Bash",
        /// Searches in files.
        Grep = "Grep",
        /// Searches for files.
        Glob = "Glob",
        /// Fetches a page.
        WebFetch = "WebFetch",
        /// Searches the web.
        WebSearch = "WebSearch",
        /// Hands work to another agent.
        Task = "Task",
        /// Keeps the to-do list.
        Todo = "Todo",
        /// A tool of an MCP server.
        Mcp = "Mcp",
        /// Anything else.
        Other = "Other",
    }
    /// What a question is about.
    QuestionKind {
        /// May the agent do this?
        Permission = "permission",
        /// What does the person want?
        Input = "input",
    }
    /// A person's answer.
    Answer {
        /// Yes, this time.
        Once = "once",
        /// Yes, from now on.
        Always = "always",
        /// No.
        Reject = "reject",
    }
    /// What happened to a file.
    FileAction {
        /// It is new.
        Created = "created",
        /// It was there and is different.
        Modified = "modified",
        /// It is gone.
        Deleted = "deleted",
        /// It has another path.
        Renamed = "renamed",
    }
    /// Why a line could not be read as it should.
    NoticeKind {
        /// Not what the agent's format allows.
        Malformed = "malformed",
        /// Well-formed, of a kind that this version does not know.
        Unknown = "unknown",
        /// Longer than the bound; its rest was skipped.
        Oversized = "oversized",
    }
    /// Where a to-do stands.
    TodoStatus {
        /// Not begun.
        Pending = "pending",
        /// Being done.
        InProgress = "in_progress",
        /// Done.
        Completed = "completed",
    }
    /// The part that an agent plays in its town.
    Role {
        /// Talks with people and hands out work.
        Mayor = "mayor",
        /// Does the work.
        Polecat = "polecat",
        /// Merges it.
        Refinery = "refinery",
        /// Watches over the others.
        Witness = "witness",
    }
    /// The programs that the control server can run.
    Runtime {
        /// Claude Code.
        ClaudeCode = "claude_code",
        /// Codex.
        Codex = "codex",
        /// Gemini CLI.
        Gemini = "gemini",
        /// OpenCode.
        Opencode = "opencode",
        /// Kilo.
        Kilo = "kilo",
        /// Any command; its lines are output.
        Process = "process",
        /// A bundled recording of a real agent, printed by a child process.
        Replay = "replay",
    }
}

macro_rules! data {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[cfg_attr(test, derive(TS))]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }
    )*};
}

data! {
    /// Data of `agent.status`.
    AgentStatusChanged {
        /// Where it stands now.
        status: Status,
    }
    /// Data of `agent.exited`.
    AgentExited {
        /// Why.
        reason: ExitReason,
        /// What the process returned.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        exit_code: Option<i32>,
        /// The signal that ended it, by its name.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        signal: Option<String>,
        /// For a person.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        message: Option<String>,
    }
    /// Data of `agent_session`.
    AgentSession {
        /// The agent's own name of the session.
        session_id: String,
        /// The model that it uses.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        model: Option<String>,
        /// Where it works.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        working_dir: Option<String>,
        /// The branch checked out there.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        branch: Option<String>,
        /// The commit it began at.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        initial_commit: Option<String>,
        /// The repository's address.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        git_origin: Option<String>,
        /// The machine.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        hostname: Option<String>,
        /// Its system.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        os: Option<String>,
        /// Whether it runs in a container.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        in_container: Option<bool>,
        /// The tools that it has.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        tools: Option<Vec<String>>,
        /// How it asks for permission.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        permission_mode: Option<String>,
        /// The agent program's version.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        agent_version: Option<String>,
    }
    /// Data of `agent_output`.
    AgentOutput {
        /// The text.
        text: String,
        /// Where it came from.
        stream: OutputStream,
        /// The message that it is a part of.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        message_id: Option<String>,
        /// The call whose sub-agent wrote it.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        parent_tool_use_id: Option<String>,
    }
    /// Data of `agent_tool_call`.
    AgentToolCall {
        /// Pairs the call with its result.
        tool_use_id: String,
        /// The agent's own name of the tool.
        tool: String,
        /// What it is for.
        category: ToolCategory,
        /// The input as the agent wrote it, raw.
        #[cfg_attr(test, ts(type = "unknown"))]
        input: Box<RawValue>,
        /// The file that it is about, relative to the working directory where it lies in it.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        path: Option<String>,
        /// One plain line: "Reading src/config.ts".
        summary: String,
        /// The call whose sub-agent makes this call.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        parent_tool_use_id: Option<String>,
    }
    /// Data of `agent_tool_result`.
    AgentToolResult {
        /// The call that it answers.
        tool_use_id: String,
        /// Whether the tool did what it was asked.
        success: bool,
        /// What it gave, as text.
        content: String,
        /// The content's length in bytes, before anything was cut.
        content_length: u64,
        /// From the call to the result; 0 if the call was not seen.
        duration_ms: u64,
    }
    /// Data of `agent_question`.
    AgentQuestion {
        /// Names the question for its answer.
        request_id: String,
        /// What it is about.
        kind: QuestionKind,
        /// The question, for a person.
        detail: String,
        /// The answers that are possible.
        options: Vec<String>,
    }
    /// Data of `agent_question_answered`.
    AgentQuestionAnswered {
        /// The question.
        request_id: String,
        /// What was answered.
        answer: Answer,
        /// Who answered.
        by: String,
    }
    /// Data of `agent_usage`: counted once per `message_id`; a run's cumulative total replaces, never adds.
    AgentUsage {
        /// The message that it is for.
        message_id: String,
        /// Tokens read.
        input_tokens: u64,
        /// Tokens written.
        output_tokens: u64,
        /// Tokens read from the model's cache.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        cache_read_input_tokens: Option<u64>,
        /// Tokens written to the model's cache.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        cache_creation_input_tokens: Option<u64>,
        /// The price in US dollars, where the agent knows it.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        cost_usd: Option<f64>,
        /// Whether these are the run's totals so far.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")] #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
        cumulative: bool,
    }
    /// Data of `agent_error`.
    AgentError {
        /// A short word for programs.
        code: String,
        /// For a person.
        message: String,
        /// Whether the agent tries again by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        retryable: Option<bool>,
    }
    /// Data of `file_changed`.
    FileChanged {
        /// Relative to the working directory.
        path: String,
        /// What happened to it.
        action: FileAction,
        /// Its path before, when renamed.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        from: Option<String>,
        /// Its size now.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        size_bytes: Option<u64>,
        /// Lines that are new.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        lines_added: Option<u64>,
        /// Lines that are gone.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        lines_removed: Option<u64>,
        /// The call that changed it.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        tool_use_id: Option<String>,
    }
    /// One line of the agent's to-do list.
    Todo {
        /// What is to be done.
        content: String,
        /// Where it stands.
        status: TodoStatus,
    }
    /// Data of `progress_update`.
    ProgressUpdate {
        /// 0 to 100, null when unknown; never falls; 100 only at a successful end.
        percentage: Option<f64>,
        /// What the run is at, in a few words.
        current_phase: String,
        /// Calls so far.
        tool_call_count: u64,
        /// Since the run began.
        elapsed_seconds: u64,
        /// Until it ends, where that can be told.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        estimated_remaining_seconds: Option<u64>,
        /// The agent's to-do list.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        todos: Option<Vec<Todo>>,
    }
    /// Data of `run_started`.
    RunStarted {
        /// Counts the agent's runs from 1.
        run_number: u64,
        /// The work order that it fulfils.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        work_order_id: Option<String>,
    }
    /// Data of `run_iteration`.
    RunIteration {
        /// The run.
        run_number: u64,
        /// The work order.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        work_order_id: Option<String>,
        /// Counts from 1.
        iteration_number: u64,
        /// How many it may be.
        total_iterations: u64,
        /// Whether the check passed; null where there is none.
        verification_passed: Option<bool>,
        /// What the check printed.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        verification_output: Option<String>,
    }
    /// Data of `run_completed`.
    RunCompleted {
        /// The run.
        run_number: u64,
        /// The work order.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        work_order_id: Option<String>,
    }
    /// Data of `run_failed`.
    RunFailed {
        /// The run.
        run_number: u64,
        /// The work order.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        work_order_id: Option<String>,
        /// Why, for a person.
        error: String,
    }
    /// Data of `work_order_created`.
    WorkOrderCreated {
        /// The work order.
        work_order_id: String,
        /// Where it stands.
        status: String,
        /// What is to be done.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        prompt: Option<String>,
    }
    /// Data of `work_order_updated`.
    WorkOrderUpdated {
        /// The work order.
        work_order_id: String,
        /// Where it stands.
        status: String,
        /// Where it stood.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        previous_status: Option<String>,
    }
    /// Data of `parser_notice`.
    ParserNotice {
        /// What was wrong.
        kind: NoticeKind,
        /// How many lines in a row this stands for.
        count: u64,
        /// The beginning of the first of them.
        sample: String,
    }
    /// Data of `source_gap`.
    SourceGap {
        /// The agent whose events are missing, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        agent_id: Option<AgentId>,
        /// How many.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        count: Option<u64>,
        /// Where they were lost.
        source: String,
    }
}

/// An event on its way, before the town has given it an id.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Whose.
    pub agent_id: AgentId,
    /// Of which run, where the source knows it.
    pub run_id: Option<RunId>,
    /// Its name.
    pub event: EventName,
    /// Its data, raw.
    pub data: Box<RawValue>,
    /// When it happened.
    pub at: crate::time::Timestamp,
}

impl Draft {
    /// An event of the system's own making.
    pub fn new(agent_id: AgentId, run_id: RunId, data: impl Into<EventData>, at: crate::time::Timestamp) -> Self {
        let data = data.into();
        Self { agent_id, run_id: Some(run_id), event: EventName::of(&data), data: data.to_raw(), at }
    }
}

impl AgentExited {
    /// An end in the system's own words, for ends that no agent reports.
    pub fn because(reason: ExitReason, message: &str) -> Self {
        Self { reason, exit_code: None, signal: None, message: Some(message.to_owned()) }
    }
}

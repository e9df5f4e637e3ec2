//! The data of each event of the wire contract.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
#[cfg(test)]
use ts_rs::TS;

use super::words::{
    Answer, ExitReason, FileAction, NoticeKind, OutputStream, QuestionKind, Status, TodoStatus, ToolCategory,
};
use crate::id::AgentId;

macro_rules! data {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[cfg_attr(test, derive(TS, JsonSchema))]
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

impl AgentExited {
    /// An end in the system's own words, for ends that no agent reports.
    pub fn because(reason: ExitReason, message: &str) -> Self {
        Self { reason, exit_code: None, signal: None, message: Some(message.to_owned()) }
    }
}

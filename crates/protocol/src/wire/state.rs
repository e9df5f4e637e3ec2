//! The state of an agent, as the one reducer makes it from events.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "schema")]
use ts_rs::TS;

use super::budgets::{Budget, DayBudget};
use crate::event::{AgentExited, AgentQuestion, ProgressUpdate, Role, Status, TaskKind, Todo};
use crate::id::{AgentId, EventId, RigId, RunId};
use crate::runtime::Runtime;
use crate::time::Timestamp;

wire! {
    /// Tokens and cost so far. A cost that no source has named is absent, never 0.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    UsageTotals with nulls {
        /// Tokens read.
        input_tokens: u64,
        /// Tokens written.
        output_tokens: u64,
        /// Tokens read from the model's cache.
        cache_read_input_tokens: u64,
        /// Tokens written to the model's cache.
        cache_creation_input_tokens: u64,
        /// US dollars.
        cost_usd: Option<f64>,
    }
    /// A tool call that has no result yet.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    OutstandingCall {
        /// The call.
        tool_use_id: String,
        /// The agent's own name of the tool.
        tool: String,
        /// The file that it is about.
        path: Option<String>,
        /// The call in plain words: `Reading src/config.ts`.
        #[serde(default)]
        summary: String,
        /// The call whose sub-agent makes it.
        parent_tool_use_id: Option<String>,
        /// The time of the call.
        since: Timestamp,
    }
    /// A question that waits for a person.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    OpenQuestion {
        /// The event that asked it, which has the whole.
        event_id: EventId,
        /// The time at which that began.
        since: Timestamp,
        /// Whether a part of the question is cut here.
        cut: bool,
        /// The question.
        #[serde(flatten)] #[cfg_attr(feature = "schema", ts(flatten))]
        question: AgentQuestion,
    }
    /// Work that the agent left running in the background.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    BackgroundTask {
        /// The id of the work.
        task_id: String,
        /// The kind of worker.
        kind: TaskKind,
        /// The description of the work.
        description: String,
        /// The call that began it.
        tool_use_id: Option<String>,
        /// The time at which that began.
        since: Timestamp,
    }
    /// A sub-agent of the run: what it did, apart from the agent itself.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    SubAgent with nulls {
        /// The call that it works for.
        tool_use_id: String,
        /// The task of the sub-agent, in a few words.
        description: String,
        /// Tokens and cost of its own.
        usage: UsageTotals,
        /// Its own to-do list.
        todos: Vec<Todo>,
        /// The current phase, in the sub-agent's own words.
        current_phase: Option<String>,
        /// The time of the call.
        since: Timestamp,
        /// The time of its end.
        ended_at: Option<Timestamp>,
    }
    /// The same call, failing again and again.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    FailingLoop {
        /// The call, in plain words.
        summary: String,
        /// The failures in a row, without a success.
        count: u64,
    }
    /// The activity of an agent.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    Activity {
        /// The kind.
        kind: ActivityKind,
        /// In plain words: "Reading src/config.ts".
        detail: Option<String>,
        /// The time at which that began.
        since: Timestamp,
    }
    /// The state of an agent, which one reducer makes from its events.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    AgentState with nulls {
        /// The agent.
        agent_id: AgentId,
        /// The agent's rig.
        rig_id: RigId,
        /// The name for people.
        name: String,
        /// Its part in the town.
        role: Role,
        /// The program that runs; null for an agent that runs elsewhere.
        runtime: Option<Runtime>,
        /// The status.
        status: Status,
        /// Its current or last run.
        run_id: Option<RunId>,
        /// The number of the run, from 1; 0 before the first.
        run_number: u64,
        /// The first line of what it was asked to do.
        title: Option<String>,
        /// The `user_message` that has all of it.
        #[serde(default)]
        prompt_event_id: Option<EventId>,
        /// Whether it takes messages now.
        #[serde(default)]
        takes_messages: bool,
        /// The agent's own name of its session.
        session_id: Option<String>,
        /// The model.
        model: Option<String>,
        /// The working directory.
        working_dir: Option<String>,
        /// The branch there.
        branch: Option<String>,
        /// The commit that it began at.
        initial_commit: Option<String>,
        /// The repository.
        git_origin: Option<String>,
        /// The machine.
        hostname: Option<String>,
        /// The operating system.
        os: Option<String>,
        /// Whether that is a container.
        in_container: Option<bool>,
        /// Messages of the run: distinct `message_id`s of what the agent said.
        message_count: u64,
        /// Calls of the run.
        tool_call_count: u64,
        /// Model calls under way, as far as the events tell.
        outstanding_llm_calls: u64,
        /// Calls without a result, at most 64.
        outstanding_tool_calls: Vec<OutstandingCall>,
        /// The open questions of the agent and its sub-agents, the oldest first.
        #[serde(default)]
        questions: Vec<OpenQuestion>,
        /// Work that it left running in the background, at most 32.
        #[serde(default)]
        background_tasks: Vec<BackgroundTask>,
        /// The run's newest sub-agents, at most 16.
        #[serde(default)]
        sub_agents: Vec<SubAgent>,
        /// A call that fails again and again, from the third time on.
        #[serde(default)]
        failing_loop: Option<FailingLoop>,
        /// Tokens and cost of the run.
        usage: UsageTotals,
        /// The budget of the run, where its start has set one.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        run_budget: Option<Budget>,
        /// The budget of a day for the agent, where it is set.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        day_budget: Option<DayBudget>,
        /// The time at which it was archived, if it is.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        archived_at: Option<Timestamp>,
        /// Distinct files changed in the run.
        files_changed: u64,
        /// Lines added in the run.
        lines_added: u64,
        /// Lines removed in the run.
        lines_removed: u64,
        /// Its to-do list, at most 100.
        todos: Vec<Todo>,
        /// The progress of the run.
        progress: Option<ProgressUpdate>,
        /// The agent's activity; null before its first run.
        activity: Option<Activity>,
        /// The run's first event.
        first_event_id: Option<EventId>,
        /// Its newest event.
        last_event_id: Option<EventId>,
        /// The time of that event.
        last_event_at: Option<Timestamp>,
        /// The time of the run's start.
        started_at: Option<Timestamp>,
        /// Time at work, up to `working_since`.
        #[serde(default)]
        worked_ms: u64,
        /// The time since which the agent is at work without a pause; null while it waits for a person and after its
        /// end.
        #[serde(default)]
        working_since: Option<Timestamp>,
        /// Time in which the agent waited for a person, up to the end of the last wait.
        #[serde(default)]
        waited_ms: u64,
        /// The time of its end.
        ended_at: Option<Timestamp>,
        /// The end of the run.
        exit: Option<AgentExited>,
    }
}

words! {
    /// Kinds of activity.
    ActivityKind {
        /// The model is at work.
        Thinking,
        /// A tool is.
        Tool,
        /// A person is asked.
        Question,
        /// The turn is over, but not what it left running in the background.
        Background,
        /// The turn is over.
        Waiting,
        /// Nothing is heard: of the container, or of an agent that posts its events.
        Silent,
        /// The container went away.
        Lost,
        /// The run is over.
        Ended,
    }
}

//! An agent's state, as the one reducer makes it out of events.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "schema")]
use ts_rs::TS;

use super::budgets::{Budget, DayBudget};
use crate::event::{AgentExited, AgentQuestion, ProgressUpdate, Role, Runtime, Status, TaskKind, Todo};
use crate::id::{AgentId, EventId, RigId, RunId};
use crate::time::Timestamp;

wire! {
    /// Tokens and cost so far; a cost that no one named is absent, never 0.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    UsageTotals {
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
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        path: Option<String>,
        /// What it does, in plain words.
        #[serde(default)]
        summary: String,
        /// The call whose sub-agent makes it.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        parent_tool_use_id: Option<String>,
        /// When it was called.
        since: Timestamp,
    }
    /// A question that waits for a person.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    OpenQuestion {
        /// The event that asked it, which has the whole.
        event_id: EventId,
        /// Since when.
        since: Timestamp,
        /// Whether something of it is cut here.
        cut: bool,
        /// The question.
        #[serde(flatten)] #[cfg_attr(feature = "schema", ts(flatten))]
        question: AgentQuestion,
    }
    /// Work that the agent left running in the background.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    BackgroundTask {
        /// Names the work.
        task_id: String,
        /// What does it.
        kind: TaskKind,
        /// What is done.
        description: String,
        /// The call that began it.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        tool_use_id: Option<String>,
        /// Since when.
        since: Timestamp,
    }
    /// A sub-agent of the run: what it did, apart from the agent itself.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    SubAgent {
        /// The call that it works for.
        tool_use_id: String,
        /// What it was asked, in a few words.
        description: String,
        /// Tokens and cost of its own.
        usage: UsageTotals,
        /// Its own to-do list.
        todos: Vec<Todo>,
        /// What it is at, in its own words.
        current_phase: Option<String>,
        /// When it was called.
        since: Timestamp,
        /// When it ended.
        ended_at: Option<Timestamp>,
    }
    /// The same call, failing again and again.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    FailingLoop {
        /// The call, in plain words.
        summary: String,
        /// How often it has failed without a success in between.
        count: u64,
    }
    /// What an agent is at.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    Activity {
        /// The kind.
        kind: ActivityKind,
        /// In plain words: "Reading src/config.ts".
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        detail: Option<String>,
        /// Since when.
        since: Timestamp,
    }
    /// All that is known of an agent, made out of its events by one reducer.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    AgentState {
        /// The agent.
        agent_id: AgentId,
        /// Its rig.
        rig_id: RigId,
        /// For people.
        name: String,
        /// Its part in the town.
        role: Role,
        /// The program that runs; null for an agent that runs elsewhere.
        runtime: Option<Runtime>,
        /// Where it stands.
        status: Status,
        /// Its current or last run.
        run_id: Option<RunId>,
        /// Counts its runs from 1; 0 before the first.
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
        /// Where it works.
        working_dir: Option<String>,
        /// The branch there.
        branch: Option<String>,
        /// The commit that it began at.
        initial_commit: Option<String>,
        /// The repository.
        git_origin: Option<String>,
        /// The machine.
        hostname: Option<String>,
        /// Its system.
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
        /// What it waits for a person for: all open questions, its sub-agents' too, oldest first.
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
        /// What the run may take, where its start has set it.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        run_budget: Option<Budget>,
        /// What the agent may take in a day, where that is set.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        day_budget: Option<DayBudget>,
        /// When it was archived, where it is.
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
        /// How far the run is.
        progress: Option<ProgressUpdate>,
        /// What it is at; null before its first run.
        activity: Option<Activity>,
        /// The run's first event.
        first_event_id: Option<EventId>,
        /// Its newest event.
        last_event_id: Option<EventId>,
        /// When that was.
        last_event_at: Option<Timestamp>,
        /// When the run began.
        started_at: Option<Timestamp>,
        /// Time at work, up to `working_since`.
        #[serde(default)]
        worked_ms: u64,
        /// Since when it has been at work without a pause; null while it waits for a person and after its end.
        #[serde(default)]
        working_since: Option<Timestamp>,
        /// Time in which it waited for a person, up to the last time that it went on.
        #[serde(default)]
        waited_ms: u64,
        /// When it ended.
        ended_at: Option<Timestamp>,
        /// How it ended.
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

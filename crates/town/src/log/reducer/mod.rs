//! Makes an agent's state out of its events: the one reducer, for live and for replay. Each file is one part of a state;
//! what an agent is at ([`activity`]) is made of all of them after each event.

mod activity;
mod calls;
mod failing;
mod hashes;
mod questions;
mod room;
mod shown;
mod sub_agents;
mod texts;
mod usage;

use serde::{Deserialize, Serialize};

use self::calls::OpenCall;
use self::failing::Failing;
use self::hashes::Hashes;
use self::room::bound_work;
pub use self::shown::differs;
use self::sub_agents::stated_todos;
pub(crate) use self::texts::clip;
use self::texts::{hash, title};
pub use self::usage::Counted;
use self::usage::Figures;
use crate::git_url;
use townwatch_protocol::event::{
    AgentExited, AgentOutput, AgentSession, EventData, ExitReason, FileChanged, MessageSource, OutputStream,
    ProgressUpdate, Role, Status, UserMessage,
};
use townwatch_protocol::id::{AgentId, EventId, RigId, RunId};
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{AgentState, UsageTotals};

/// Message ids that are remembered so that a message of several parts counts once.
const MESSAGES_REMEMBERED_MAX: usize = 32;
/// Changed files that are told apart; a change beyond them counts as one more file.
const FILES_REMEMBERED_MAX: usize = 512;

/// An agent's state with what the reducer has to remember beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot {
    /// The state that viewers get.
    pub state: AgentState,
    memory: Memory,
}

/// The reducer's memory. The agent's row has it twice, so it is written in few bytes, and empty fields are left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Memory {
    /// The first line of what the last start said that the agent is asked to do. Every run begins with it, whichever of
    /// its runs an agent's base is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    /// Messages of what the agent said.
    #[serde(skip_serializing_if = "Hashes::is_empty")]
    messages: Hashes,
    #[serde(skip_serializing_if = "Hashes::is_empty")]
    files: Hashes,
    /// Calls, by their ids and what they are.
    #[serde(skip_serializing_if = "Hashes::is_empty")]
    calls: Hashes,
    /// Work that was left running.
    #[serde(skip_serializing_if = "Hashes::is_empty")]
    tasks: Hashes,
    /// The open calls that the state lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    open: Vec<OpenCall>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failing: Vec<Failing>,
    /// The one of them that the state shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    shown_loop: Option<u32>,
    /// Whether a question was asked since the last status.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    asked: bool,
    /// The time since which no work is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_since: Option<Timestamp>,
    /// The last counts of the latest messages, the newest last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    figures: Vec<Figures>,
    /// Messages before those, and those that a total has taken in: they are counted for good.
    #[serde(skip_serializing_if = "Hashes::is_empty")]
    priced: Hashes,
}

/// An event as the reducer sees it.
#[derive(Debug)]
pub struct ReducerInput<'a> {
    /// The event's id in the town's log.
    pub id: EventId,
    /// The event's run, with the run's number.
    pub run: Option<(&'a RunId, u64)>,
    /// The event's data.
    pub data: &'a EventData,
    /// When.
    pub at: Timestamp,
}

impl Snapshot {
    /// An agent that has had no run yet.
    pub fn new(agent_id: AgentId, rig_id: RigId, name: &str, role: Role) -> Self {
        Self {
            state: AgentState {
                agent_id,
                rig_id,
                name: name.to_owned(),
                role,
                runtime: None,
                status: Status::Idle,
                run_id: None,
                run_number: 0,
                title: None,
                prompt_event_id: None,
                takes_messages: false,
                session_id: None,
                model: None,
                working_dir: None,
                branch: None,
                initial_commit: None,
                git_origin: None,
                hostname: None,
                os: None,
                in_container: None,
                message_count: 0,
                tool_call_count: 0,
                outstanding_llm_calls: 0,
                outstanding_tool_calls: Vec::new(),
                questions: Vec::new(),
                background_tasks: Vec::new(),
                sub_agents: Vec::new(),
                failing_loop: None,
                usage: UsageTotals::default(),
                run_budget: None,
                day_budget: None,
                archived_at: None,
                files_changed: 0,
                lines_added: 0,
                lines_removed: 0,
                todos: Vec::new(),
                progress: None,
                activity: None,
                first_event_id: None,
                last_event_id: None,
                last_event_at: None,
                started_at: None,
                worked_ms: 0,
                working_since: None,
                waited_ms: 0,
                ended_at: None,
                exit: None,
            },
            memory: Memory::default(),
        }
    }

    /// Takes over what a start says of the agent; not an event, so it goes into the base as well.
    pub fn register(&mut self, name: &str, role: Role, runtime: Option<Runtime>, prompt: Option<&str>) {
        name.clone_into(&mut self.state.name);
        self.state.role = role;
        self.state.runtime = runtime;
        self.memory.order = prompt.and_then(title);
        self.state.title.clone_from(&self.memory.order);
    }

    /// Takes the next event. An event of an older run than the current one only moves the newest id.
    pub fn reduce(&mut self, event: &ReducerInput<'_>) {
        if let Some((run_id, run_number)) = event.run
            && run_number > self.state.run_number
        {
            self.begin_run(run_id, run_number, event);
        }
        // A source's clock may be set back. Durations are made of a time that never runs backwards within a run.
        let at = self.state.last_event_at.map_or(event.at, |last| last.max(event.at));
        self.state.last_event_id = Some(event.id);
        self.state.last_event_at = Some(at);
        if event.run.is_none_or(|(_, run_number)| run_number == self.state.run_number) {
            self.apply(event, at);
        }
    }

    fn begin_run(&mut self, run_id: &RunId, run_number: u64, event: &ReducerInput<'_>) {
        let kept = &self.state;
        let mut next = Self::new(kept.agent_id.clone(), kept.rig_id.clone(), &kept.name, kept.role);
        next.state.runtime = kept.runtime;
        next.state.title.clone_from(&self.memory.order);
        next.memory.order.clone_from(&self.memory.order);
        next.state.run_id = Some(run_id.clone());
        next.state.run_number = run_number;
        next.state.status = Status::Running;
        next.state.first_event_id = Some(event.id);
        next.state.started_at = Some(event.at);
        next.memory.idle_since = Some(event.at);
        *self = next;
    }

    fn apply(&mut self, event: &ReducerInput<'_>, at: Timestamp) {
        if !matches!(event.data, EventData::Status(_) | EventData::Question(_)) {
            self.told_otherwise();
        }
        match event.data {
            EventData::Status(data) => self.status(data.status, at),
            EventData::Exited(data) => self.exited(data, at),
            EventData::Session(data) => self.session(data),
            EventData::Output(data) => self.output(data, at),
            EventData::UserMessage(data) => self.told(event.id, data, at),
            EventData::ToolCall(data) => self.called(data, at),
            EventData::ToolResult(data) => self.call_ended(data, at),
            EventData::Question(data) => self.asked(event.id, data, at),
            EventData::QuestionAnswered(data) => self.answered(data),
            EventData::Usage(data) => self.used(data, at),
            EventData::FileChanged(data) => self.file_changed(data),
            EventData::Progress(data) => self.progress(data, at),
            EventData::TaskStarted(data) => self.task_started(data, at),
            EventData::TaskEnded(data) => self.task_ended(data, at),
            EventData::Notice(_)
            | EventData::Error(_)
            | EventData::RunStarted(_)
            | EventData::RunIteration(_)
            | EventData::RunCompleted(_)
            | EventData::RunFailed(_)
            | EventData::WorkOrderCreated(_)
            | EventData::WorkOrderUpdated(_)
            | EventData::ParserNotice(_)
            | EventData::SourceGap(_)
            | EventData::Other(..) => {}
        }
        bound_work(&mut self.state);
        self.settle(at);
    }

    fn status(&mut self, status: Status, at: Timestamp) {
        self.state.status = status;
        match status {
            Status::Starting | Status::Running => self.model_goes_on(),
            Status::Waiting => {
                self.state.outstanding_llm_calls = 0;
                if !self.is_wait_for_answer() {
                    self.turn_ended(at);
                }
            }
            Status::Idle | Status::Stopping | Status::Exited | Status::Failed => {}
        }
        self.memory.asked = false;
    }

    fn exited(&mut self, exit: &AgentExited, at: Timestamp) {
        let state = &mut self.state;
        state.status = match exit.reason {
            ExitReason::Completed | ExitReason::Stopped => Status::Exited,
            ExitReason::Failed | ExitReason::Timeout | ExitReason::BudgetExceeded | ExitReason::Lost => Status::Failed,
        };
        state.outstanding_llm_calls = 0;
        state.outstanding_tool_calls.clear();
        state.questions.clear();
        state.background_tasks.clear();
        state.failing_loop = None;
        state.takes_messages = false;
        state.ended_at = Some(at);
        for sub_agent in &mut state.sub_agents {
            sub_agent.ended_at = sub_agent.ended_at.or(Some(at));
        }
        let mut exit = exit.clone();
        exit.message = exit.message.as_deref().map(clip);
        exit.signal = exit.signal.as_deref().map(clip);
        state.exit = Some(exit);
        (self.memory.open, self.memory.failing, self.memory.shown_loop) = (Vec::new(), Vec::new(), None);
    }

    fn session(&mut self, data: &AgentSession) {
        let state = &mut self.state;
        state.takes_messages = data.takes_messages.unwrap_or(state.takes_messages) && state.exit.is_none();
        for (field, value) in [
            (&mut state.session_id, &data.session_id),
            (&mut state.model, &data.model),
            (&mut state.working_dir, &data.working_dir),
            (&mut state.branch, &data.branch),
            (&mut state.initial_commit, &data.initial_commit),
            (&mut state.git_origin, &data.git_origin.as_deref().map(git_url::shown)),
            (&mut state.hostname, &data.hostname),
            (&mut state.os, &data.os),
        ] {
            if let Some(value) = value {
                *field = Some(clip(value));
            }
        }
        state.in_container = data.in_container.or(state.in_container);
    }

    fn output(&mut self, data: &AgentOutput, at: Timestamp) {
        if matches!(data.stream, OutputStream::Assistant | OutputStream::Thinking) {
            let messages = &mut self.memory.messages;
            let id = data.message_id.as_deref();
            let is_new = id.is_none_or(|id| messages.remember(hash(&[&clip(id)]), MESSAGES_REMEMBERED_MAX));
            self.state.message_count += u64::from(is_new);
        }
        if let Some(parent) = &data.parent_tool_use_id {
            self.sub_agent(parent, at);
        }
    }

    /// Someone told the agent something. The first thing of a run is what it was asked to do.
    fn told(&mut self, event_id: EventId, data: &UserMessage, at: Timestamp) {
        if let Some(parent) = &data.parent_tool_use_id {
            self.told_sub_agent(parent, &data.text, at);
        } else if self.state.prompt_event_id.is_none()
            && matches!(data.source, MessageSource::Prompt | MessageSource::Command)
        {
            self.state.prompt_event_id = Some(event_id);
            self.state.title = title(&data.text).or(self.state.title.take());
        }
    }

    fn file_changed(&mut self, data: &FileChanged) {
        let is_new = self.memory.files.remember_first(hash(&[&data.path]), FILES_REMEMBERED_MAX);
        self.state.files_changed += u64::from(is_new);
        self.state.lines_added = self.state.lines_added.saturating_add(data.lines_added.unwrap_or(0));
        self.state.lines_removed = self.state.lines_removed.saturating_add(data.lines_removed.unwrap_or(0));
    }

    /// Takes the progress of an author. Each author has its own list.
    fn progress(&mut self, data: &ProgressUpdate, at: Timestamp) {
        if let Some(parent) = &data.parent_tool_use_id {
            self.sub_agent_progress(parent, data, at);
            return;
        }
        let mut progress =
            ProgressUpdate { current_phase: clip(&data.current_phase), todos: None, parent_tool_use_id: None, ..*data };
        if let Some(todos) = &data.todos {
            self.state.todos = stated_todos(todos);
        }
        let before = self.state.progress.as_ref().and_then(|progress| progress.percentage);
        let now = progress.percentage.map(|percentage| percentage.clamp(0.0, 100.0));
        progress.percentage = match (before, now) {
            (Some(before), Some(now)) => Some(now.max(before)),
            (before, now) => now.or(before),
        };
        self.state.progress = Some(progress);
    }
}

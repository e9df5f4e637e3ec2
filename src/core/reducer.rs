//! Makes an agent's state out of its events: the one reducer, for live and for replay.

use serde::{Deserialize, Serialize};

use super::usage;
use crate::event::{
    AgentExited, AgentSession, EventData, ExitReason, FileChanged, OutputStream, Role, Runtime, Status,
};
use crate::id::{AgentId, EventId, RigId, RunId};
use crate::limits::{
    STATE_LISTS_BYTES_MAX, STATE_OPTION_BYTES_MAX, STATE_OPTIONS_MAX, STATE_OUTSTANDING_MAX, STATE_TEXT_BYTES_MAX,
    STATE_TEXT_CHARS_MAX, STATE_TODOS_MAX,
};
use crate::protocol::{Activity, ActivityKind, AgentState, OutstandingCall, UsageTotals};
use crate::time::Timestamp;

/// Message ids that are remembered so that a message of several parts counts once.
const MESSAGES_REMEMBERED_MAX: usize = 16;
/// Changed files that are told apart; a change beyond them counts as one more file.
const FILES_REMEMBERED_MAX: usize = 512;

/// An agent's state with what the reducer has to remember beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot {
    /// What viewers get.
    pub state: AgentState,
    memory: Memory,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Memory {
    messages: Vec<String>,
    priced: Vec<String>,
    files: Vec<u32>,
}

/// An event as the reducer sees it.
#[derive(Debug)]
pub struct Happened<'a> {
    /// Its id in the town's log.
    pub id: EventId,
    /// Its run, with the run's number.
    pub run: Option<(&'a RunId, u64)>,
    /// What it is.
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
                question: None,
                usage: UsageTotals::default(),
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
        self.state.title = prompt.and_then(|prompt| prompt.lines().find(|line| !line.trim().is_empty())).map(clip);
    }

    /// Takes the next event. An event of an older run than the current one only moves the newest id.
    pub fn reduce(&mut self, event: &Happened<'_>) {
        if let Some((run_id, run_number)) = event.run
            && run_number > self.state.run_number
        {
            self.begin_run(run_id, run_number, event);
        }
        self.state.last_event_id = Some(event.id);
        self.state.last_event_at = Some(event.at);
        if event.run.is_some_and(|(_, run_number)| run_number < self.state.run_number) {
            return;
        }
        self.apply(event);
    }

    fn begin_run(&mut self, run_id: &RunId, run_number: u64, event: &Happened<'_>) {
        let kept = &self.state;
        let mut next = Self::new(kept.agent_id.clone(), kept.rig_id.clone(), &kept.name, kept.role);
        next.state.runtime = kept.runtime;
        next.state.title.clone_from(&kept.title);
        next.state.run_id = Some(run_id.clone());
        next.state.run_number = run_number;
        next.state.status = Status::Running;
        next.state.first_event_id = Some(event.id);
        next.state.started_at = Some(event.at);
        *self = next;
        self.act(ActivityKind::Thinking, None, event.at);
    }

    fn apply(&mut self, event: &Happened<'_>) {
        let at = event.at;
        match event.data {
            EventData::Status(data) => self.status(data.status, at),
            EventData::Exited(data) => self.exited(data, at),
            EventData::Session(data) => self.session(data),
            EventData::Output(data) => {
                if matches!(data.stream, OutputStream::Assistant | OutputStream::Thinking) {
                    let new = data.message_id.as_ref().is_none_or(|id| remember(&mut self.memory.messages, id));
                    self.state.message_count += u64::from(new);
                }
                self.think(at);
            }
            EventData::ToolCall(data) => {
                let state = &mut self.state;
                state.tool_call_count += 1;
                state.outstanding_llm_calls = 0;
                if state.outstanding_tool_calls.len() < STATE_OUTSTANDING_MAX {
                    state.outstanding_tool_calls.push(OutstandingCall {
                        tool_use_id: clip(&data.tool_use_id),
                        tool: clip(&data.tool),
                        path: data.path.as_deref().map(clip),
                        since: at,
                    });
                    self.bound_lists();
                }
                self.act(ActivityKind::Tool, Some(&data.summary), at);
            }
            EventData::ToolResult(data) => {
                let id = clip(&data.tool_use_id);
                self.state.outstanding_tool_calls.retain(|call| call.tool_use_id != id);
                if self.state.outstanding_tool_calls.is_empty() {
                    self.state.outstanding_llm_calls = 1;
                    self.think(at);
                }
            }
            EventData::Question(data) => {
                let mut question = data.clone();
                question.detail = clip(&question.detail);
                question.request_id = clip(&question.request_id);
                question.options.truncate(STATE_OPTIONS_MAX);
                for option in &mut question.options {
                    *option = stated_option(option).to_owned();
                }
                self.act(ActivityKind::Question, Some(&data.detail), at);
                self.state.question = Some(question);
            }
            EventData::QuestionAnswered(data) => {
                let id = clip(&data.request_id);
                if self.state.question.as_ref().is_some_and(|question| question.request_id == id) {
                    self.state.question = None;
                    match self.state.outstanding_tool_calls.last().map(|call| call.tool.clone()) {
                        Some(tool) => self.act(ActivityKind::Tool, Some(&tool), at),
                        None => self.think(at),
                    }
                }
            }
            EventData::Usage(data) => usage::count(&mut self.state.usage, &mut self.memory.priced, data),
            EventData::FileChanged(data) => self.file_changed(data),
            EventData::Progress(data) => {
                let mut progress = data.clone();
                if let Some(mut todos) = progress.todos.take() {
                    todos.truncate(STATE_TODOS_MAX);
                    for todo in &mut todos {
                        todo.content = clip(&todo.content);
                    }
                    self.state.todos = todos;
                    self.bound_lists();
                }
                progress.current_phase = clip(&progress.current_phase);
                let before = self.state.progress.as_ref().and_then(|progress| progress.percentage);
                let now = progress.percentage.map(|percentage| percentage.clamp(0.0, 100.0));
                progress.percentage = match (before, now) {
                    (Some(before), Some(now)) => Some(now.max(before)),
                    (before, now) => now.or(before),
                };
                self.state.progress = Some(progress);
            }
            EventData::Error(_)
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
    }

    fn session(&mut self, data: &AgentSession) {
        let state = &mut self.state;
        state.session_id = Some(clip(&data.session_id));
        for (field, value) in [
            (&mut state.model, &data.model),
            (&mut state.working_dir, &data.working_dir),
            (&mut state.branch, &data.branch),
            (&mut state.initial_commit, &data.initial_commit),
            (&mut state.git_origin, &data.git_origin),
            (&mut state.hostname, &data.hostname),
            (&mut state.os, &data.os),
        ] {
            if let Some(value) = value {
                *field = Some(clip(value));
            }
        }
        state.in_container = data.in_container.or(state.in_container);
    }

    fn status(&mut self, status: Status, at: Timestamp) {
        self.state.status = status;
        match status {
            Status::Starting | Status::Running => {
                self.state.outstanding_llm_calls = 1;
                self.think(at);
            }
            Status::Waiting => {
                self.state.outstanding_llm_calls = 0;
                if self.state.question.is_none() {
                    self.act(ActivityKind::Waiting, None, at);
                }
            }
            Status::Idle | Status::Stopping | Status::Exited | Status::Failed => {}
        }
    }

    fn exited(&mut self, exit: &AgentExited, at: Timestamp) {
        let state = &mut self.state;
        state.status = match exit.reason {
            ExitReason::Completed | ExitReason::Stopped => Status::Exited,
            ExitReason::Failed | ExitReason::Timeout | ExitReason::Lost => Status::Failed,
        };
        state.outstanding_llm_calls = 0;
        state.outstanding_tool_calls.clear();
        state.question = None;
        state.ended_at = Some(at);
        let mut exit = exit.clone();
        exit.message = exit.message.as_deref().map(clip);
        exit.signal = exit.signal.as_deref().map(clip);
        let kind = if exit.reason == ExitReason::Lost { ActivityKind::Lost } else { ActivityKind::Ended };
        state.exit = Some(exit);
        self.act(kind, None, at);
    }

    fn file_changed(&mut self, data: &FileChanged) {
        let name = hash(&data.path);
        let files = &mut self.memory.files;
        if !files.contains(&name) {
            self.state.files_changed += 1;
            if files.len() < FILES_REMEMBERED_MAX {
                files.push(name);
            }
        }
        self.state.lines_added = self.state.lines_added.saturating_add(data.lines_added.unwrap_or(0));
        self.state.lines_removed = self.state.lines_removed.saturating_add(data.lines_removed.unwrap_or(0));
    }

    /// Keeps the two lists within [`STATE_LISTS_BYTES_MAX`]: the longer one loses its last entries. With every text of
    /// the state clipped, this is what keeps the whole within 16 KiB.
    fn bound_lists(&mut self) {
        let AgentState { todos, outstanding_tool_calls: calls, .. } = &mut self.state;
        let mut bytes = json_bytes(todos) + json_bytes(calls);
        while bytes > STATE_LISTS_BYTES_MAX {
            let gone = if todos.len() >= calls.len() {
                todos.pop().map(|todo| json_bytes(&todo))
            } else {
                calls.pop().map(|call| json_bytes(&call))
            };
            bytes = bytes.saturating_sub(gone.unwrap_or(bytes));
        }
    }

    /// The model is at work, unless a tool, a person or the end says otherwise.
    fn think(&mut self, at: Timestamp) {
        let state = &self.state;
        if state.outstanding_tool_calls.is_empty() && state.question.is_none() && state.exit.is_none() {
            self.act(ActivityKind::Thinking, None, at);
        }
    }

    fn act(&mut self, kind: ActivityKind, detail: Option<&str>, at: Timestamp) {
        let detail = detail.map(clip);
        let same = |now: &Activity| now.kind == kind && now.detail == detail;
        if !self.state.activity.as_ref().is_some_and(same) {
            self.state.activity = Some(Activity { kind, detail, since: at });
        }
    }
}

/// Whether two states differ in what is worth a `state` frame of its own.
pub fn differs(before: &AgentState, after: &AgentState) -> bool {
    let shown = |state: &AgentState| {
        serde_json::to_string(&(
            (state.status, &state.run_id, &state.activity, &state.progress, &state.todos),
            (&state.outstanding_tool_calls, &state.question, &state.usage, &state.exit, &state.name, state.runtime),
        ))
        .unwrap_or_default()
    };
    shown(before) != shown(after)
}

/// Adds to a bounded list of what was seen; false if it was there.
pub(super) fn remember(seen: &mut Vec<String>, name: &str) -> bool {
    let name = clip(name);
    if seen.contains(&name) {
        return false;
    }
    if seen.len() == MESSAGES_REMEMBERED_MAX {
        seen.remove(0);
    }
    seen.push(name);
    true
}

/// The beginning of a text, at most [`STATE_TEXT_CHARS_MAX`] characters and [`STATE_TEXT_BYTES_MAX`] bytes of JSON.
fn clip(text: &str) -> String {
    beginning(text, STATE_TEXT_BYTES_MAX).to_owned()
}

/// What an agent's state says of one answer that a question offers: its beginning, if it is longer than
/// [`STATE_OPTION_BYTES_MAX`] bytes of JSON.
pub fn stated_option(option: &str) -> &str {
    beginning(option, STATE_OPTION_BYTES_MAX)
}

fn beginning(text: &str, mut json_bytes: usize) -> &str {
    let fits = |char: &char| {
        let taken = match char {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..'\u{20}' => 6,
            other => other.len_utf8(),
        };
        json_bytes.checked_sub(taken).map(|rest| json_bytes = rest).is_some()
    };
    let length: usize = text.chars().take(STATE_TEXT_CHARS_MAX).take_while(fits).map(char::len_utf8).sum();
    &text[..length]
}

fn json_bytes(part: &impl Serialize) -> usize {
    serde_json::to_string(part).map_or(0, |text| text.len() + 1)
}

/// FNV-1a, 32 bits: tells a run's files apart; a clash makes a count one too small.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

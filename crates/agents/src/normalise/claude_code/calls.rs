//! Tool calls and their results.

use serde::Deserialize;
use townwatch_protocol::event::{AgentToolCall, AgentToolResult, EventData, NoticeKind, TaskOutcome, ToolCategory};
use townwatch_protocol::time::Timestamp;

use super::messages::BlockOrigin;
use super::tasks::{TaskEnd, TaskStart, exit_code_in, outcome, tagged};
use super::todos::{self, TodoChange};
use super::{ClaudeCode, PROGRAM};
use crate::json::{if_readable, read};
use crate::normalise::wire::{Block, ToolOutcome, category, lenient};
use crate::normalise::{Meaning, content};
use crate::summary::{self, ToolInput};

/// The beginning of a failed command's result: `Exit code 3`.
const EXIT_CODE: &str = "Exit code ";
/// The beginning of a failed call's data, as JSON.
const ERROR_IN_DATA: &str = "\"Error: ";
/// The beginning of the result of a command that continues in the background.
const IN_BACKGROUND: &str = "Command running in background with ID: ";

lenient! {
    /// The fields with a task's id, in the input of a tool that queries or stops a task.
    TaskName {
        task_id: String,
        bash_id: String,
        shell_id: String,
        #[serde(rename = "agentId")] agent_id: String,
    }
}

/// The facts about a call that its result needs. They are kept after it, for a second, late result.
#[derive(Debug, Clone)]
pub(super) struct CallRecord {
    at: Timestamp,
    /// The call whose sub-agent made it.
    pub(super) author: Option<String>,
    /// The message with the call.
    message_id: Option<String>,
    kind: CallKind,
}

/// The kind of a call, as far as its result is read for more than its text.
#[derive(Debug, Clone)]
enum CallKind {
    Command { description: String },
    Agent { description: String },
    Todos(TodoChange),
    TaskAsked(String),
    TaskStopped(String),
    Mcp,
    Other,
}

impl CallKind {
    fn of(tool: &str, category: ToolCategory, input: &ToolInput, block: &Block) -> Self {
        let description = || {
            let words = input.description.as_deref().or(input.command.as_deref());
            summary::line(words.unwrap_or_default())
        };
        let task = || {
            let name: TaskName = block.input.as_deref().and_then(|raw| read(raw.get())).unwrap_or_default();
            summary::line(&name.task_id.or(name.bash_id).or(name.shell_id).or(name.agent_id).unwrap_or_default())
        };
        match tool {
            "TaskOutput" | "BashOutput" | "AgentOutputTool" => Self::TaskAsked(task()),
            "TaskStop" | "KillShell" | "KillBash" => Self::TaskStopped(task()),
            _ => match category {
                ToolCategory::Bash => Self::Command { description: description() },
                ToolCategory::Task => Self::Agent { description: description() },
                ToolCategory::Mcp => Self::Mcp,
                ToolCategory::Todo => {
                    let change = block.input.as_deref().and_then(|input| todos::change(tool, input));
                    change.map_or(Self::Other, Self::Todos)
                }
                _ => Self::Other,
            },
        }
    }
}

impl CallKind {
    /// The bytes of a result's text that are read, besides being shown.
    fn text_bytes(&self) -> usize {
        match self {
            Self::Command { .. } => 512,
            Self::Todos(_) | Self::TaskAsked(_) => 64 << 10,
            Self::Agent { .. } | Self::TaskStopped(_) | Self::Mcp | Self::Other => 0,
        }
    }
}

impl ClaudeCode {
    pub(super) fn call(&mut self, from: &BlockOrigin, block: Block, at: Timestamp, events: &mut Vec<EventData>) {
        events.extend(self.partials.moved_on(from.parent.as_deref()));
        let raw_input = block.input.as_deref();
        let input: ToolInput = raw_input.and_then(|raw| read(raw.get())).unwrap_or_default();
        let name = block.name.clone().unwrap_or_default();
        let tool = match &block.server_name {
            Some(server) => format!("mcp__{server}__{name}"), // as the program names those of its own servers
            None => name,
        };
        let category = match (tool.as_str(), input.command.as_deref()) {
            ("text_editor_code_execution", Some("view")) => ToolCategory::Read,
            ("text_editor_code_execution", Some("create")) => ToolCategory::Write,
            ("text_editor_code_execution", _) => ToolCategory::Edit,
            (tool, _) => category(tool),
        };
        let edited = input.path.as_deref().filter(|_| tool == "text_editor_code_execution");
        let path = input.file_path.as_deref().or(edited);
        let path = path.map(|path| summary::relative(path, self.working_dir.as_deref()));
        let summary = summary::of_call(&tool, category, &input, path.as_deref());
        let kind = CallKind::of(&tool, category, &input, &block);
        if matches!(kind, CallKind::Agent { .. }) {
            self.spent.aside();
        }
        let (tool_use_id, author) = (block.id.unwrap_or_default(), from.parent.as_deref());
        // The same message said once more makes no other call.
        let (before, message_id) = (self.calls.get(&tool_use_id), from.message_id.clone());
        let is_repeat = before.is_some_and(|before| before.message_id == message_id);
        self.calls.set(&tool_use_id, CallRecord { at, author: from.parent.clone(), message_id, kind });
        let tool_use_id = if is_repeat { self.names.told(tool_use_id) } else { self.names.call(tool_use_id) };
        self.control.called(&tool_use_id, author);
        let progress = self.progress.call(author, &summary, at);
        let (input_json, parent_tool_use_id) = (block.input.unwrap_or_default(), from.parent.clone());
        events.push(
            AgentToolCall { tool_use_id, tool, category, input: input_json, path, summary, parent_tool_use_id }.into(),
        );
        let todos = input.todos.filter(|_| category == ToolCategory::Todo);
        let todos = todos.map(|todos| todos.iter().map(summary::TodoInput::to_todo).collect());
        let todos = todos.and_then(|todos| self.progress.todos(author, todos, at));
        events.extend(todos.or(progress).map(EventData::from)); // both at once would say the same twice
    }

    pub(super) fn result(&mut self, from: &mut BlockOrigin, block: Block, at: Timestamp, meaning: &mut Meaning) {
        let events = &mut meaning.events;
        let tool_use_id = block.tool_use_id.unwrap_or_default();
        let called = self.calls.get(&tool_use_id).cloned();
        let kind = called.as_ref().map_or(&CallKind::Other, |called| &called.kind);
        let data = from.outcome.take();
        let said_in_data = data.as_deref().is_some_and(|data| data.get().starts_with(ERROR_IN_DATA));
        let data = data.filter(|_| !matches!(kind, CallKind::Other));
        let outcome: ToolOutcome = data.and_then(|data| read(data.get())).unwrap_or_default();
        let structured = block.structured_content.or(from.structured.take());
        let structured = structured.as_deref().or(outcome.structured_content.as_deref());
        let given = content::read(block.content.as_deref(), structured);
        for raw in &given.unknown {
            events.extend(self.notices.note(NoticeKind::Unknown, raw));
        }
        let said_to_fail =
            block.is_error == Some(true) || block.failed == Some(true) || (block.is_error.is_none() && said_in_data);
        let is_command = matches!(kind, CallKind::Command { .. });
        let exit_code = given.exit_code.or_else(|| {
            let code = given.text.strip_prefix(EXIT_CODE).filter(|_| said_to_fail && is_command)?;
            code.lines().next()?.trim().parse().ok()
        });
        let failed = |status: &Option<String>| matches!(status.as_deref(), Some("failed" | "error"));
        let broken = given.failed
            || exit_code.is_some_and(|code| code != 0)
            || failed(&block.status)
            || (!matches!(kind, CallKind::TaskAsked(_)) && failed(&outcome.status))
            || (is_command && outcome.interrupted == Some(true));
        let success = !(said_to_fail || broken);
        let tool_use_id = self.names.result(tool_use_id);
        let answered = self.control.call_ended(&tool_use_id, success, PROGRAM);
        self.answered(answered, events);
        let duration_ms = called.as_ref().map_or(0, |called| at.millis_since(called.at));
        let beginning = given.text[..given.text.floor_char_boundary(kind.text_bytes())].to_owned();
        let result = AgentToolResult::new(tool_use_id.clone(), success, given.text, duration_ms);
        events.push(AgentToolResult { exit_code, attachments: given.attachments, ..result }.into());
        meaning.pictures.extend(given.pictures);
        if let Some(called) = called {
            self.came_of(&called, &tool_use_id, success, &beginning, &outcome, at, &mut meaning.events);
        }
    }

    /// The further meaning of a result, besides its text.
    #[allow(clippy::too_many_arguments)] // the parts of a result
    fn came_of(
        &mut self,
        called: &CallRecord,
        tool_use_id: &str,
        success: bool,
        text: &str,
        told: &ToolOutcome,
        at: Timestamp,
        events: &mut Vec<EventData>,
    ) {
        let begun = |id: String, kind: &str, description: &str| TaskStart {
            id,
            kind: Some(kind.to_owned()),
            description: told.description.clone().or_else(|| Some(description.to_owned())),
            tool_use_id: Some(tool_use_id.to_owned()),
            parent_tool_use_id: called.author.clone(),
        };
        match &called.kind {
            CallKind::Todos(change) if success => {
                let changed = self.todos.granted(called.author.as_deref(), change, text, told);
                let told = changed.and_then(|(author, todos)| self.progress.todos(author.as_deref(), todos, at));
                events.extend(told.map(EventData::from));
            }
            CallKind::Command { description } => {
                let said = || {
                    let id = text.strip_prefix(IN_BACKGROUND)?.split([' ', '\n']).next()?;
                    Some(id.trim_end_matches('.').to_owned())
                };
                if let Some(id) = told.background_task_id.clone().or_else(said) {
                    events.extend(self.tasks.begun(begun(id, "local_bash", description)));
                }
            }
            CallKind::Agent { description } if told.status.as_deref() == Some("async_launched") => {
                let id = told.agent_id.clone().unwrap_or_default();
                events.extend(self.tasks.begun(begun(id, "local_agent", description)));
            }
            CallKind::TaskAsked(id) => {
                let status = told.task.as_ref().and_then(|task| task.status.as_deref()).or(tagged(text, "status"));
                let ended = status.and_then(|status| outcome(status.trim()));
                if ended.is_some() && self.tasks.is_open(id) {
                    let code = || tagged(text, "exit_code").and_then(|code| exit_code_in(&format!("exit code {code}")));
                    let exit_code = told.task.as_ref().and_then(|task| task.exit_code).or_else(code);
                    events.extend(self.tasks.ended(id, None, TaskEnd { outcome: ended, summary: None, exit_code }));
                }
            }
            CallKind::TaskStopped(id) if success && self.tasks.is_open(id) => {
                let end = TaskEnd { outcome: Some(TaskOutcome::Stopped), ..TaskEnd::default() };
                events.extend(self.tasks.ended(id, None, end));
            }
            _ => {}
        }
    }
}

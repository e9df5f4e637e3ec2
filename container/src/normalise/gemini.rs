//! Gemini CLI: `gemini --output-format stream-json`.
//!
//! What its output really is like, each held by a recording in `tests/golden/gemini`: a message comes in pieces
//! (`delta`), and only the next line of another kind, or the end, says that it is whole; the `output` of a result can
//! be missing, and an error stands beside it; only `result` has tokens, those of the whole session. After SIGINT and
//! SIGTERM it exits with 0 and without `result`. What it thinks it does not print, nor what became of a file.

use serde_json::value::RawValue;
use townwatch::event::{
    AgentError, AgentOutput, AgentStatusChanged, AgentToolCall, AgentToolResult, AgentUsage, EventData, NoticeKind,
    OutputStream, Status, Todo, TodoStatus, ToolCategory,
};
use townwatch::time::Timestamp;

use super::fields::Fields;
use super::notices::Notices;
use super::parts::{Part, parts};
use super::progress::Progress;
use super::recent::Recent;
use super::{Meaning, Normalise, Piece, Place, last_words};
use crate::json::read;
use crate::summary::{self, ToolInput};

/// A message that grows beyond this becomes an event, and another one with the same name goes on: half of what an event
/// can hold, because a text can double in JSON.
const TEXT_BYTES_MAX: usize = 512 << 10;

/// The state of one run's reading.
#[derive(Debug, Clone, Default)]
pub struct Gemini {
    place: Place,
    session_id: Option<String>,
    calls: Recent<Timestamp>,
    messages: u64,
    /// The message that is being typed; it has no name of its own, so they are counted.
    typing: Option<String>,
    turns: u64,
    /// The last turn's `result` came, and nothing after it.
    finished: bool,
    /// The error that was told last; a `result` without a message means it.
    told_error: Option<String>,
    failure: Option<String>,
    notices: Notices,
    progress: Progress,
}

impl Gemini {
    /// A run in this place.
    pub fn new(place: Place) -> Self {
        Self { place, ..Self::default() }
    }

    fn event(&mut self, event: &Fields, raw: &str, at: Timestamp) -> Meaning {
        let mut meaning = Meaning::default();
        let events = &mut meaning.events;
        let kind = event.text("type").unwrap_or_default();
        if kind == "message" && event.text("role").as_deref() == Some("assistant") {
            self.at_work(events);
            meaning.piece = self.message(event, events);
            return meaning;
        }
        self.message_over(events);
        match kind.as_str() {
            "init" => self.init(event, events),
            "message" if event.text("role").as_deref() == Some("user") => {} // what a person says to it
            "tool_use" => {
                self.at_work(events);
                self.call(event, at, events);
            }
            "tool_result" => self.result(event, at, events),
            "error" => self.error(event, events),
            "result" => self.turn_over(event, events),
            _ => events.extend(self.notices.note(NoticeKind::Unknown, raw)),
        }
        meaning
    }

    fn init(&mut self, event: &Fields, events: &mut Vec<EventData>) {
        self.at_work(events);
        let session_id = event.text("session_id").unwrap_or_default();
        if self.session_id.as_ref() != Some(&session_id) {
            let mut session = self.place.session(session_id.clone());
            session.model = event.text("model");
            self.session_id = Some(session_id);
            events.push(session.into());
        }
    }

    /// A message, or a piece of one.
    fn message(&mut self, event: &Fields, events: &mut Vec<EventData>) -> Option<Piece> {
        let text = event.text("content").unwrap_or_default();
        if event.get("delta") != Some(true) {
            self.message_over(events);
            self.typing = Some(text);
            self.message_over(events);
            return None;
        }
        let begins = self.typing.is_none();
        self.typing.get_or_insert_default().push_str(&text);
        let message_id = self.message_id();
        if self.typing.as_ref().is_some_and(|typed| typed.len() > TEXT_BYTES_MAX) {
            events.extend(self.said());
            return None;
        }
        Some(Piece { message_id, begins, text })
    }

    /// Another thing happens, so what was being typed is whole.
    fn message_over(&mut self, events: &mut Vec<EventData>) {
        if self.typing.is_some() {
            events.extend(self.said());
            self.messages += 1;
        }
    }

    fn said(&mut self) -> Option<EventData> {
        let text = self.typing.take().filter(|text| !text.is_empty())?;
        let message_id = Some(self.message_id());
        Some(AgentOutput { text, stream: OutputStream::Assistant, message_id, parent_tool_use_id: None }.into())
    }

    fn message_id(&self) -> String {
        format!("message-{}", self.messages + 1)
    }

    fn call(&mut self, event: &Fields, at: Timestamp, events: &mut Vec<EventData>) {
        let (tool_use_id, tool) =
            (event.text("tool_id").unwrap_or_default(), event.text("tool_name").unwrap_or_default());
        let input = event.raw("parameters").map(RawValue::to_owned).unwrap_or_default();
        let fields = Fields::read(input.get()).unwrap_or_default();
        let category = category(&tool);
        let path = ["file_path", "absolute_path", "dir_path"].iter().find_map(|name| fields.text(name));
        let path = path.map(|path| summary::relative(&path, self.place.working_dir.as_deref()));
        let known: ToolInput = read(input.get()).unwrap_or_default();
        let summary = summary::of_call(&tool, category, &known, path.as_deref());
        self.calls.insert(&tool_use_id, at);
        let progress = self.progress.call(&summary, at);
        let parent_tool_use_id = None;
        events.push(AgentToolCall { tool_use_id, tool, category, input, path, summary, parent_tool_use_id }.into());
        let todos = (category == ToolCategory::Todo).then(|| todos(&fields));
        let todos = todos.and_then(|todos| self.progress.todos(todos, at));
        events.extend(todos.or(progress).map(EventData::from)); // both at once would say the same twice
    }

    fn result(&mut self, event: &Fields, at: Timestamp, events: &mut Vec<EventData>) {
        let tool_use_id = event.text("tool_id").unwrap_or_default();
        let success = event.text("status").as_deref() == Some("success");
        let output = event.text("output").unwrap_or_default();
        let error = event.object("error").and_then(|error| error.text("message"));
        let content = match error {
            Some(error) if output.is_empty() || output == error => error,
            Some(error) => format!("{output}\n{error}"),
            None => output,
        };
        let content_length = content.len() as u64;
        let duration_ms = self.calls.remove(&tool_use_id).map_or(0, |called| at.millis_since(called));
        events.push(AgentToolResult { tool_use_id, success, content, content_length, duration_ms }.into());
    }

    fn error(&mut self, event: &Fields, events: &mut Vec<EventData>) {
        let code = event.text("severity").unwrap_or_else(|| "error".into());
        let message = event.text("message").unwrap_or_default();
        if code == "error" {
            self.told_error = Some(message.clone());
        }
        events.push(AgentError { code, message, retryable: None }.into());
    }

    fn turn_over(&mut self, event: &Fields, events: &mut Vec<EventData>) {
        self.turns += 1;
        if let Some(stats) = event.object("stats") {
            let tokens = |name| stats.get::<u64>(name);
            let (read, all) = (tokens("cached"), tokens("input_tokens").unwrap_or(0));
            let usage = AgentUsage {
                message_id: format!("result-{}", self.turns),
                // Those of the cache count apart.
                input_tokens: tokens("input").unwrap_or_else(|| all.saturating_sub(read.unwrap_or(0))),
                output_tokens: tokens("output_tokens").unwrap_or(0),
                cache_read_input_tokens: read,
                cache_creation_input_tokens: None,
                cost_usd: None,
                cumulative: true,
            };
            events.push(usage.into());
        }
        let told = self.told_error.take();
        self.failure = (event.text("status").as_deref() == Some("error")).then(|| {
            let error = event.object("error").unwrap_or_default();
            let message = error.text("message").or(told.clone());
            let message = message.unwrap_or_else(|| "Gemini CLI ended its turn with an error".to_owned());
            if told.as_ref() != Some(&message) {
                let code = error.text("type").unwrap_or_else(|| "error".into());
                events.push(AgentError { code, message: message.clone(), retryable: Some(false) }.into());
            }
            message
        });
        self.finished = true;
        events.push(AgentStatusChanged { status: Status::Waiting }.into());
    }

    /// A turn that was over goes on.
    fn at_work(&mut self, events: &mut Vec<EventData>) {
        if std::mem::take(&mut self.finished) {
            events.push(AgentStatusChanged { status: Status::Running }.into());
        }
    }
}

impl Normalise for Gemini {
    fn line(&mut self, line: &str, at: Timestamp) -> Meaning {
        let mut meaning = Meaning::default();
        self.progress.seen(at);
        for part in parts(line, is_own) {
            meaning.add(match part {
                Part::Object(raw, event) => self.event(&event, raw, at),
                Part::Stray(text) => {
                    let events = self.notices.note(NoticeKind::Malformed, text).into_iter().collect();
                    Meaning { events, piece: None }
                }
            });
        }
        meaning
    }

    fn oversized(&mut self, bytes: u64, sample: &str) -> Vec<EventData> {
        self.notices.oversized(bytes, sample)
    }

    fn end(&mut self, succeeded: bool, at: Timestamp) -> Vec<EventData> {
        let mut events = Vec::new();
        self.message_over(&mut events);
        events.extend(last_words(&mut self.notices, &mut self.progress, succeeded, at));
        events
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn finished(&self) -> bool {
        self.finished
    }
}

/// Whether a line of its own has this type.
fn is_own(kind: &str) -> bool {
    ["init", "message", "tool_use", "tool_result", "error", "result"].contains(&kind)
}

fn category(tool: &str) -> ToolCategory {
    match tool {
        "read_file" | "read_many_files" | "list_directory" => ToolCategory::Read,
        "write_file" => ToolCategory::Write,
        "replace" => ToolCategory::Edit,
        "run_shell_command" => ToolCategory::Bash,
        "grep_search" | "search_file_content" => ToolCategory::Grep,
        "glob" => ToolCategory::Glob,
        "web_fetch" => ToolCategory::WebFetch,
        "google_web_search" => ToolCategory::WebSearch,
        "invoke_agent" | "delegate_to_agent" => ToolCategory::Task,
        "write_todos" => ToolCategory::Todo,
        _ if tool.starts_with("mcp_") => ToolCategory::Mcp,
        _ => ToolCategory::Other,
    }
}

/// The to-do list, without what was called off.
fn todos(input: &Fields) -> Vec<Todo> {
    let todo = |item: &Fields| {
        let status = item.text("status").unwrap_or_default();
        let content = summary::line(&item.text("description").unwrap_or_default());
        let status = match status.as_str() {
            "cancelled" => return None,
            status => TodoStatus::parse(status).unwrap_or(TodoStatus::Pending),
        };
        Some(Todo { content, status })
    };
    input.objects("todos").iter().filter_map(todo).collect()
}

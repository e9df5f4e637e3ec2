//! Gemini CLI: `gemini --output-format stream-json`.
//!
//! Facts about its output, each held by a recording in `tests/recordings/gemini`. A message comes in pieces (`delta`); only
//! the next line of another kind, or the end, completes it. The `output` of a result can be missing, with an error
//! beside it. Only `result` has tokens, those of the whole session. After SIGINT and SIGTERM it exits with 0 and
//! without `result`. It does not print its thoughts, nor what happened to a file. It repeats prompts and messages as
//! messages of the user.

use serde_json::value::RawValue;
use townwatch_protocol::event::{
    AgentOutput, AgentStatusChanged, AgentToolCall, AgentToolResult, EventData, MessageSource, NoticeKind,
    OutputStream, Status, Todo, TodoStatus, ToolCategory, UserMessage,
};
use townwatch_protocol::time::Timestamp;

use super::call_names::CallNames;
use super::fields::Fields;
use super::gemini_kinds::{GeminiLineKind, LINES, MessageRole, ROLES, category};
use super::kinds::{Handling, KnownKinds};
use super::notices::Notices;
use super::parts::{LinePart, parts};
use super::progress::Progress;
use super::recent::Recent;
use super::tally::{Tally, Tokens};
use super::{Meaning, Normalise, Piece, RunContext, gemini_kinds, gemini_output, last_words, warnings};
use crate::json::read;
use crate::summary::{self, ToolInput};

/// The longest text of one event, 512 KiB; the rest of a message becomes another event. This is half of the bound of an
/// event, because a text can double in size as JSON.
const TEXT_BYTES_MAX: usize = 512 << 10;

/// The tables of kinds that reading goes through.
pub(super) fn known_kinds() -> Vec<KnownKinds> {
    gemini_kinds::known()
}

/// The facts about a call that its result needs.
#[derive(Debug, Clone, Copy)]
struct PendingCall {
    at: Timestamp,
    is_command: bool,
}

/// The state of one run's reading.
#[derive(Debug, Clone, Default)]
pub struct Gemini {
    context: RunContext,
    session_id: Option<String>,
    calls: Recent<PendingCall>,
    names: CallNames,
    messages: u64,
    /// The message that is being typed. It has no id, so messages are counted.
    typing: Option<String>,
    /// The number of messages to the agent that are in the log and that it has not repeated yet.
    repeats: u64,
    /// Whether the agent had a message before.
    prompted: bool,
    turns: u64,
    tally: Tally,
    /// Whether the last turn's `result` came, and nothing after it.
    finished: bool,
    /// The error that was reported last. A `result` without a message means this one.
    told_error: Option<String>,
    failure: Option<String>,
    notices: Notices,
    progress: Progress,
}

impl Gemini {
    /// The reader of a run in this context.
    pub fn new(context: RunContext) -> Self {
        Self { context, ..Self::default() }
    }

    fn event(&mut self, event: &Fields, raw: &str, at: Timestamp) -> Meaning {
        let mut meaning = Meaning::default();
        let events = &mut meaning.events;
        let line = LINES.find(&event.text("type").unwrap_or_default());
        let role = ROLES.find(&event.text("role").unwrap_or_default());
        if let (
            Some(Handling::Event(_, GeminiLineKind::Message) | Handling::Preview(GeminiLineKind::Message)),
            Some(Handling::Event(_, MessageRole::Agent) | Handling::Preview(MessageRole::Agent)),
        ) = (line, role)
        {
            self.at_work(at, events);
            meaning.piece = self.message(event, events);
            return meaning;
        }
        self.message_over(false, events);
        match (line, role) {
            (Some(Handling::Event(_, GeminiLineKind::Init) | Handling::Preview(GeminiLineKind::Init)), _) => {
                self.init(event, at, events);
            }
            (
                Some(Handling::Event(_, GeminiLineKind::Message) | Handling::Preview(GeminiLineKind::Message)),
                Some(Handling::Event(_, MessageRole::Person) | Handling::Preview(MessageRole::Person)),
            ) => {
                events.extend(self.heard(event));
            }
            (Some(Handling::Event(_, GeminiLineKind::Call) | Handling::Preview(GeminiLineKind::Call)), _) => {
                self.at_work(at, events);
                self.call(event, at, events);
            }
            (Some(Handling::Event(_, GeminiLineKind::Result) | Handling::Preview(GeminiLineKind::Result)), _) => {
                self.result(event, at, &mut meaning);
            }
            (Some(Handling::Event(_, GeminiLineKind::Error) | Handling::Preview(GeminiLineKind::Error)), _) => {
                self.error(event, at, events);
            }
            (Some(Handling::Event(_, GeminiLineKind::End) | Handling::Preview(GeminiLineKind::End)), _) => {
                self.turn_over(event, at, events);
            }
            (Some(Handling::Nothing(_)), _) => {}
            (
                Some(Handling::Event(_, GeminiLineKind::Message) | Handling::Preview(GeminiLineKind::Message)) | None,
                _,
            ) => {
                events.extend(self.notices.note(NoticeKind::Unknown, raw));
            }
        }
        meaning
    }

    fn init(&mut self, event: &Fields, at: Timestamp, events: &mut Vec<EventData>) {
        self.at_work(at, events);
        let session_id = event.text("session_id").unwrap_or_default();
        if self.session_id.as_ref() != Some(&session_id) {
            let mut session = self.context.session(session_id.clone());
            session.model = event.text("model");
            self.session_id = Some(session_id);
            events.push(session.into());
        }
    }

    /// The repetition of a message to the agent.
    fn heard(&mut self, event: &Fields) -> Option<EventData> {
        let source =
            if std::mem::replace(&mut self.prompted, true) { MessageSource::Message } else { MessageSource::Prompt };
        if self.repeats > 0 {
            self.repeats -= 1;
            return None;
        }
        let text = event.text("content").filter(|text| !text.is_empty())?;
        let said = UserMessage { text, by: "operator".into(), source, message_id: None, parent_tool_use_id: None };
        Some(said.into())
    }

    /// A message of the agent, or a piece of one.
    fn message(&mut self, event: &Fields, events: &mut Vec<EventData>) -> Option<Piece> {
        let text = event.text("content").unwrap_or_else(|| gemini_output::texts(event));
        if event.get("delta") != Some(true) {
            self.message_over(false, events);
            self.typing = Some(text);
            self.message_over(false, events);
            return None;
        }
        let begins = self.typing.is_none();
        self.typing.get_or_insert_default().push_str(&text);
        let message_id = self.message_id();
        if self.typing.as_ref().is_some_and(|typed| typed.len() > TEXT_BYTES_MAX) {
            events.extend(self.said(false));
            return None;
        }
        Some(Piece { message_id, begins, text })
    }

    /// Completes the message that is being typed, because another line comes. With `broken_off` it stays incomplete,
    /// because no more comes.
    fn message_over(&mut self, broken_off: bool, events: &mut Vec<EventData>) {
        if self.typing.is_some() {
            events.extend(self.said(broken_off));
            self.messages += 1;
        }
    }

    fn said(&mut self, broken_off: bool) -> Option<EventData> {
        let text = self.typing.take().filter(|text| !text.is_empty())?;
        let message_id = Some(self.message_id());
        Some(AgentOutput { message_id, broken_off, ..AgentOutput::new(OutputStream::Assistant, text) }.into())
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
        let path = path.map(|path| summary::relative(&path, self.context.working_dir.as_deref()));
        let known: ToolInput = read(input.get()).unwrap_or_default();
        let summary = summary::of_call(&tool, category, &known, path.as_deref());
        self.calls.set(&tool_use_id, PendingCall { at, is_command: category == ToolCategory::Bash });
        let tool_use_id = self.names.call(tool_use_id);
        let progress = self.progress.call(None, &summary, at);
        let parent_tool_use_id = None;
        events.push(AgentToolCall { tool_use_id, tool, category, input, path, summary, parent_tool_use_id }.into());
        let todos = (category == ToolCategory::Todo).then(|| todos(&fields));
        let todos = todos.and_then(|todos| self.progress.todos(None, todos, at));
        events.extend(todos.or(progress).map(EventData::from)); // both at once would say the same twice
    }

    fn result(&mut self, event: &Fields, at: Timestamp, meaning: &mut Meaning) {
        let tool_use_id = event.text("tool_id").unwrap_or_default();
        let given = gemini_output::read(event);
        let called = self.calls.remove(&tool_use_id);
        let exit_code = called.filter(|called| called.is_command).and_then(|_| gemini_output::exit_code(&given.text));
        let went_well = event.text("status").is_none_or(|status| status == "success");
        let success = went_well && !given.failed && exit_code.is_none_or(|code| code == 0);
        let duration_ms = called.map_or(0, |called| at.millis_since(called.at));
        let attachments = given.attachments;
        let result = AgentToolResult::new(self.names.result(tool_use_id), success, given.text, duration_ms);
        meaning.events.push(AgentToolResult { exit_code, attachments, ..result }.into());
        meaning.pictures.extend(given.pictures);
    }

    /// An `error` line. A severity other than `error` makes it a warning.
    fn error(&mut self, event: &Fields, at: Timestamp, events: &mut Vec<EventData>) {
        let severity = event.text("severity").unwrap_or_else(|| "error".into());
        let message = event.text("message").unwrap_or_default();
        if severity != "error" {
            events.push(warnings::warning(message, at).into());
            return;
        }
        self.told_error = Some(message.clone());
        events.push(warnings::error(message, "error", None, at).into());
    }

    fn turn_over(&mut self, event: &Fields, at: Timestamp, events: &mut Vec<EventData>) {
        self.turns += 1;
        if let Some(tokens) = event.object("stats").and_then(|stats| tokens(&stats)) {
            let session = self.session_id.clone().unwrap_or_default();
            events.push(self.tally.total(&session, tokens).of_run(format!("result-{}", self.turns)).into());
        }
        let told = self.told_error.take();
        self.failure = (event.text("status").as_deref() == Some("error")).then(|| {
            let error = event.object("error").unwrap_or_default();
            let message = error.text("message").or_else(|| event.text("error")).or(told.clone());
            let message = message.unwrap_or_else(|| "Gemini CLI ended its turn with an error".to_owned());
            if told.as_ref() != Some(&message) {
                let code = error.text("type").unwrap_or_else(|| "error".into());
                events.push(warnings::error(message.clone(), &code, Some(false), at).into());
            }
            message
        });
        self.finished = true;
        self.progress.turn_ended(at);
        events.push(AgentStatusChanged { status: Status::Waiting }.into());
    }

    /// Continues a turn that seemed over.
    fn at_work(&mut self, at: Timestamp, events: &mut Vec<EventData>) {
        if std::mem::take(&mut self.finished) {
            self.progress.turn_began(at);
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
                LinePart::Object(raw, event) => self.event(&event, raw, at),
                LinePart::Stray(text) => {
                    let events = self.notices.note(NoticeKind::Malformed, text).into_iter().collect();
                    Meaning::of(events)
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
        self.message_over(true, &mut events);
        events.extend(last_words(&mut self.notices, &mut self.progress, succeeded, at));
        events
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn finished(&self) -> bool {
        self.finished
    }

    fn will_repeat(&mut self) {
        self.repeats += 1;
    }
}

/// Whether a line of Gemini CLI has this type.
fn is_own(kind: &str) -> bool {
    LINES.find(kind).is_some()
}

/// The tokens of a session so far; the sum over its models where only these are given.
fn tokens(stats: &Fields) -> Option<Tokens> {
    let counted = |fields: &Fields| {
        let tokens = |name| fields.get::<u64>(name);
        let (read, all) = (tokens("cached"), tokens("input_tokens"));
        let input = tokens("input").or_else(|| Some(all?.saturating_sub(read.unwrap_or(0)))); // the cache's count apart
        (input.is_some() || tokens("output_tokens").is_some()).then(|| Tokens {
            input: input.unwrap_or(0),
            output: tokens("output_tokens").unwrap_or(0),
            cache_read: read,
            cache_creation: None,
        })
    };
    counted(stats).or_else(|| {
        let models = stats.object("models")?;
        let counts = models.names().into_iter().filter_map(|name| counted(&models.object(&name)?));
        counts.reduce(Tokens::plus)
    })
}

/// The to-do list, without cancelled entries.
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

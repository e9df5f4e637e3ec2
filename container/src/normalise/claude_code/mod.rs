//! Claude Code: `claude -p … --output-format stream-json --verbose`.
//!
//! What its output really is like, each held by a recording in `tests/golden/claude_code`: one API message comes as
//! several `assistant` lines, one per block, each repeating the same usage; `is_error` is absent on some successes; an
//! API failure is a `result` of subtype `success` with `is_error`; a session with a background sub-agent has two
//! `init` and two `result` lines, so that a `result` ends a turn and only the process's end ends the run; a sub-agent's
//! call can have its result before the sub-agent's own messages.

mod control;
mod system;
mod talk;

use std::hash::{Hash, Hasher};

use serde_json::value::RawValue;
use townwatch::event::{
    AgentError, AgentOutput, AgentStatusChanged, AgentToolCall, AgentToolResult, EventData, NoticeKind, OutputStream,
    Status, ToolCategory,
};
use townwatch::time::Timestamp;

use self::control::Control;
pub(crate) use self::control::user_line;
use super::notices::Notices;
use super::partials::Partials;
use super::parts::{Part, parts};
use super::progress::Progress;
use super::recent::Recent;
use super::wire::{Block, Head, Message, TurnEnd, Usage, category, content_text};
use super::{Meaning, Normalise, Place, Talk, last_words};
use crate::json::read;
use crate::summary::{self, ToolInput};

/// What stands for it where no person answered a question.
const PROGRAM: &str = "claude_code";

/// The state of one run's reading.
#[derive(Debug, Clone, Default)]
pub struct ClaudeCode {
    place: Place,
    session_id: Option<String>,
    working_dir: Option<String>,
    calls: Recent<Timestamp>,
    counted_messages: Recent<()>,
    turn_totals: Usage,
    turns: u64,
    /// The turn is over and nothing has been done since.
    waiting: bool,
    /// The assistant has said something in this turn.
    spoke: bool,
    /// What it said last, by its hash: the text may be megabytes.
    last_said: u64,
    /// An API failure of this turn that was told already; the `result` tells it again.
    told_failure: Option<String>,
    /// How the last turn failed, if it did.
    failure: Option<String>,
    notices: Notices,
    progress: Progress,
    partials: Partials,
    control: Control,
    /// What it left running in the background: its turn is over, but not its work.
    tasks: usize,
}

impl ClaudeCode {
    /// A run in this place.
    pub fn new(place: Place) -> Self {
        Self { place, ..Self::default() }
    }

    fn message(&mut self, from_assistant: bool, line: &str, at: Timestamp, events: &mut Vec<EventData>) {
        let message: Message = read(line).unwrap_or_default();
        let Some(body) = message.message else {
            events.extend(self.notices.note(NoticeKind::Malformed, line));
            return;
        };
        let content = body.content.as_deref();
        if from_assistant && message.is_api_error_message == Some(true) {
            let text = content_text(content);
            let code = message.api_error_type.unwrap_or_else(|| "api_error".into());
            events.push(AgentError { code, message: text.clone(), retryable: Some(false) }.into());
            self.told_failure = Some(text);
            return;
        }
        let from = From { assistant: from_assistant, message_id: body.id, parent: message.parent_tool_use_id };
        match content.and_then(|content| read::<Vec<Box<RawValue>>>(content.get())) {
            Some(blocks) => blocks.iter().for_each(|block| self.block(&from, block.get(), at, events)),
            None => match content.and_then(|content| read::<String>(content.get())) {
                Some(text) => self.text(&from, text, OutputStream::Assistant, events),
                None => events.extend(self.notices.note(NoticeKind::Malformed, line)),
            },
        }
        if let (true, Some(id), Some(usage)) = (from_assistant, from.message_id, body.usage)
            && self.counted_messages.insert(&id, ())
        {
            events.push(usage.event(id, None, false).into());
        }
    }

    fn block(&mut self, from: &From, raw: &str, at: Timestamp, events: &mut Vec<EventData>) {
        let kind = read::<Head>(raw).and_then(|head| head.kind).unwrap_or_default();
        let block: Block = read(raw).unwrap_or_default();
        match kind.as_str() {
            "text" => self.text(from, block.text.unwrap_or_default(), OutputStream::Assistant, events),
            "thinking" => self.text(from, block.thinking.unwrap_or_default(), OutputStream::Thinking, events),
            "tool_use" | "server_tool_use" | "mcp_tool_use" => self.call(from, block, at, events),
            kind if kind == "tool_result" || kind.ends_with("_tool_result") => self.result(block, at, events),
            "redacted_thinking" | "image" | "document" => {}
            _ => events.extend(self.notices.note(NoticeKind::Unknown, raw)),
        }
    }

    /// What a person or the program itself says to the agent (`user`) is no output of the agent.
    fn text(&mut self, from: &From, text: String, stream: OutputStream, events: &mut Vec<EventData>) {
        if text.is_empty() || !from.assistant {
            return;
        }
        if stream == OutputStream::Assistant {
            (self.spoke, self.last_said) = (true, hash(&text));
        }
        let (message_id, parent_tool_use_id) = (from.message_id.clone(), from.parent.clone());
        events.push(AgentOutput { text, stream, message_id, parent_tool_use_id }.into());
    }

    fn call(&mut self, from: &From, block: Block, at: Timestamp, events: &mut Vec<EventData>) {
        let (tool_use_id, tool) = (block.id.unwrap_or_default(), block.name.unwrap_or_default());
        let raw_input = block.input.unwrap_or_default();
        let input: ToolInput = read(raw_input.get()).unwrap_or_default();
        let category = category(&tool);
        let path = input.file_path.as_deref().map(|path| summary::relative(path, self.working_dir.as_deref()));
        let summary = summary::of_call(&tool, category, &input, path.as_deref());
        self.calls.insert(&tool_use_id, at);
        let progress = self.progress.call(&summary, at);
        let parent_tool_use_id = from.parent.clone();
        let input_json = raw_input;
        events.push(
            AgentToolCall { tool_use_id, tool, category, input: input_json, path, summary, parent_tool_use_id }.into(),
        );
        let todos = input
            .todos
            .filter(|_| category == ToolCategory::Todo)
            .and_then(|todos| self.progress.todos(todos.iter().map(summary::TodoInput::to_todo).collect(), at));
        events.extend(todos.or(progress).map(EventData::from)); // both at once would say the same twice
    }

    fn result(&mut self, block: Block, at: Timestamp, events: &mut Vec<EventData>) {
        let tool_use_id = block.tool_use_id.unwrap_or_default();
        let content = content_text(block.content.as_deref());
        let called = self.calls.remove(&tool_use_id);
        let success = block.is_error != Some(true);
        let answered = self.control.call_ended(&tool_use_id, success, PROGRAM);
        self.answered(answered, events);
        events.push(
            AgentToolResult {
                tool_use_id,
                success,
                content_length: content.len() as u64,
                content,
                duration_ms: called.map_or(0, |called| at.millis_since(called)),
            }
            .into(),
        );
    }

    fn turn_end(&mut self, line: &str, events: &mut Vec<EventData>) {
        let end: TurnEnd = read(line).unwrap_or_default();
        self.turns += 1;
        if let Some(usage) = self.totals(&end) {
            let message_id = end.uuid.clone().unwrap_or_else(|| format!("result-{}", self.turns));
            events.push(usage.event(message_id, end.total_cost_usd, true).into());
        }
        let failed = end.is_error == Some(true) || end.subtype.as_deref().is_some_and(|is| is.starts_with("error"));
        let text = end.result.filter(|text| !text.is_empty());
        if failed {
            let code = end.terminal_reason.or(end.subtype).unwrap_or_else(|| "error".into());
            let errors = end.errors.filter(|errors| !errors.is_empty()).map(|errors| errors.join("; "));
            let interrupted = code.starts_with("aborted").then(|| format!("The turn was interrupted ({code})"));
            let message = text.or(interrupted).or(errors).unwrap_or_else(|| format!("The turn ended with {code}"));
            if self.told_failure.as_ref() != Some(&message) {
                events.push(AgentError { code, message: message.clone(), retryable: Some(false) }.into());
            }
            self.failure = Some(message);
        } else {
            self.failure = None;
            if let (Some(text), false) = (text.filter(|text| hash(text) != self.last_said), self.spoke) {
                // A command of the program itself (`/help`) answers here only. Otherwise this repeats what was said,
                // and after a background task two results in a row repeat the same.
                let stream = OutputStream::Assistant;
                events.push(AgentOutput { text, stream, message_id: None, parent_tool_use_id: None }.into());
            }
        }
        (self.told_failure, self.spoke, self.waiting) = (None, false, true);
        events.push(AgentStatusChanged { status: Status::Waiting }.into());
    }

    /// The run's totals so far: of all models where the program sums them up, else the sum of the turns.
    fn totals(&mut self, end: &TurnEnd) -> Option<Usage> {
        self.turn_totals.add(end.usage.as_ref().unwrap_or(&Usage::default()));
        let mut totals = Usage::default();
        match &end.model_usage {
            Some(models) if !models.is_empty() => models.values().for_each(|model| totals.add(&model.into())),
            _ => {
                end.usage.as_ref()?;
                totals.add(&self.turn_totals);
            }
        }
        Some(totals)
    }

    /// A line that is no event: what in it is one, and a notice of the rest.
    fn broken(&mut self, line: &str, at: Timestamp) -> Meaning {
        let mut meaning = Meaning::default();
        for part in parts(line, is_own) {
            meaning.add(match part {
                Part::Object(event, _) if event.len() < line.len() => self.line(event, at),
                Part::Object(text, _) | Part::Stray(text) => {
                    let events = self.notices.note(NoticeKind::Malformed, text).into_iter().collect();
                    Meaning { events, piece: None }
                }
            });
        }
        meaning
    }

    /// A turn that was over goes on: a background task reported, or a person wrote.
    fn at_work(&mut self, events: &mut Vec<EventData>) {
        if std::mem::take(&mut self.waiting) {
            events.push(AgentStatusChanged { status: Status::Running }.into());
        }
    }
}

impl Normalise for ClaudeCode {
    fn line(&mut self, line: &str, at: Timestamp) -> Meaning {
        let mut meaning = Meaning::default();
        if line.trim().is_empty() {
            return meaning;
        }
        let events = &mut meaning.events;
        self.progress.seen(at);
        let Some(head) = read::<Head>(line).filter(|_| line.trim_start().starts_with('{')) else {
            return self.broken(line, at);
        };
        let flat = From { assistant: true, message_id: None, parent: None };
        match head.kind.as_deref() {
            Some("system") => {
                let subtype = head.subtype.unwrap_or_default();
                if subtype == "init" {
                    self.at_work(events);
                }
                self.system(&subtype, line, events);
            }
            Some(kind @ ("assistant" | "user")) => {
                self.at_work(events);
                self.message(kind == "assistant", line, at, events);
            }
            Some("result") => self.turn_end(line, events),
            Some("text" | "thinking" | "tool_use" | "tool_result") => {
                self.at_work(events);
                self.block(&flat, line, at, events);
            }
            Some("stream_event") => {
                self.at_work(events);
                meaning.piece = self.partials.line(line);
            }
            Some(
                "rate_limit_event" | "tool_progress" | "tool_use_summary" | "auth_status" | "prompt_suggestion"
                | "keep_alive" | "control_response",
            ) => {}
            Some("control_request") => self.request(line, events),
            Some("control_cancel_request") => {
                let answered = self.control.cancelled(line, PROGRAM);
                self.answered(answered, events);
            }
            _ => events.extend(self.notices.note(NoticeKind::Unknown, line)),
        }
        meaning
    }

    fn oversized(&mut self, bytes: u64, sample: &str) -> Vec<EventData> {
        self.notices.oversized(bytes, sample)
    }

    fn end(&mut self, succeeded: bool, at: Timestamp) -> Vec<EventData> {
        last_words(&mut self.notices, &mut self.progress, succeeded, at)
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn finished(&self) -> bool {
        self.waiting
    }

    fn talk(&mut self) -> Option<&mut dyn Talk> {
        Some(self)
    }
}

/// Whether a line of its own has this type; a block of a message that is broken must not be taken for one.
fn is_own(kind: &str) -> bool {
    let control = ["control_request", "control_response", "control_cancel_request"];
    ["system", "assistant", "user", "result", "stream_event"].contains(&kind) || control.contains(&kind)
}

/// Whose block it is.
struct From {
    assistant: bool,
    message_id: Option<String>,
    parent: Option<String>,
}

fn hash(text: &str) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

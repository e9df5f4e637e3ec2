//! Codex: `codex exec --json`.
//!
//! What its output really is like, each held by a recording in `tests/golden/codex`: an item is told when it starts and
//! when it is completed, under one `id` of the run; messages and thoughts come only completed, and nothing comes while
//! they are typed. A completed item of type `error` is a warning. A lost connection is a top-level `error` for each try
//! and one for the last, which `turn.failed` repeats. A turn's usage is that of the whole thread so far. An abort leaves
//! items open and writes no last line.

use townwatch::event::{
    AgentError, AgentOutput, AgentStatusChanged, AgentToolResult, AgentUsage, EventData, NoticeKind, OutputStream,
    Status,
};
use townwatch::time::Timestamp;

use super::codex_item;
use super::fields::Fields;
use super::notices::Notices;
use super::parts::{Part, parts};
use super::progress::Progress;
use super::recent::Recent;
use super::{Meaning, Normalise, Place, last_words};

/// How a message begins that says that it is being tried again.
const RETRY: &str = "Reconnecting...";

/// The state of one run's reading.
#[derive(Debug, Clone, Default)]
pub struct Codex {
    place: Place,
    thread_id: Option<String>,
    calls: Recent<Timestamp>,
    turns: u64,
    turn: Turn,
    /// The failure that was told last; `turn.failed` tells it again.
    told_failure: Option<String>,
    failure: Option<String>,
    notices: Notices,
    progress: Progress,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Turn {
    /// None was ended yet, or another one began.
    #[default]
    Open,
    Completed,
    Failed,
}

impl Codex {
    /// A run in this place.
    pub fn new(place: Place) -> Self {
        Self { place, ..Self::default() }
    }

    fn event(&mut self, event: &Fields, raw: &str, at: Timestamp, events: &mut Vec<EventData>) {
        let kind = event.text("type").unwrap_or_default();
        match kind.as_str() {
            "thread.started" => self.thread(event, events),
            "turn.started" => {
                if self.turn != Turn::Open {
                    self.turn = Turn::Open;
                    events.push(AgentStatusChanged { status: Status::Running }.into());
                }
            }
            "turn.completed" => self.turn_completed(event, events),
            "turn.failed" => self.turn_failed(event, events),
            "item.started" | "item.updated" | "item.completed" => match event.object("item") {
                Some(item) => self.item(&item, raw, &kind["item.".len()..], at, events),
                None => events.extend(self.notices.note(NoticeKind::Malformed, raw)),
            },
            "error" => self.error(&event.text("message").unwrap_or_default(), events),
            _ => events.extend(self.notices.note(NoticeKind::Unknown, raw)),
        }
    }

    fn thread(&mut self, event: &Fields, events: &mut Vec<EventData>) {
        let thread_id = event.text("thread_id").unwrap_or_default();
        if self.thread_id.as_ref() != Some(&thread_id) {
            events.push(self.place.session(thread_id.clone()).into());
            self.thread_id = Some(thread_id);
        }
    }

    fn item(&mut self, item: &Fields, raw: &str, state: &str, at: Timestamp, events: &mut Vec<EventData>) {
        let kind = item.text("type").unwrap_or_default();
        let completed = state == "completed";
        match kind.as_str() {
            "agent_message" if completed => events.extend(output(item, OutputStream::Assistant)),
            "reasoning" if completed => events.extend(output(item, OutputStream::Thinking)),
            "agent_message" | "reasoning" => {} // all of it comes when it is completed
            "error" => {
                let message = item.text("message").unwrap_or_default();
                events.push(AgentError { code: "warning".into(), message, retryable: None }.into());
            }
            "todo_list" => {
                let todos = codex_item::todos(item);
                events.extend(self.progress.todos(todos, at).map(EventData::from));
            }
            "" => events.extend(self.notices.note(NoticeKind::Malformed, raw)),
            kind => {
                self.call(kind, item, raw, at, events);
                if completed {
                    self.result(kind, item, at, events);
                }
            }
        }
    }

    /// An item that does something, when it is first heard of.
    fn call(&mut self, kind: &str, item: &Fields, raw: &str, at: Timestamp, events: &mut Vec<EventData>) {
        let id = item.text("id").unwrap_or_default();
        if self.calls.contains(&id) {
            return;
        }
        self.calls.insert(&id, at);
        let working_dir = self.place.working_dir.as_deref();
        let call = codex_item::call(kind, id, item, working_dir).unwrap_or_else(|| {
            // Of a kind that this version does not know: shown as it is, and said so.
            events.extend(self.notices.note(NoticeKind::Unknown, raw));
            codex_item::unknown_call(kind, item)
        });
        let progress = self.progress.call(&call.summary, at);
        events.push(call.into());
        events.extend(progress.map(EventData::from));
    }

    fn result(&mut self, kind: &str, item: &Fields, at: Timestamp, events: &mut Vec<EventData>) {
        let tool_use_id = item.text("id").unwrap_or_default();
        let called = self.calls.remove(&tool_use_id);
        let success = codex_item::succeeded(item);
        let content = codex_item::result_text(kind, item);
        let content_length = content.len() as u64;
        let duration_ms = called.map_or(0, |called| at.millis_since(called));
        let changes = if kind == "file_change" && success {
            codex_item::changes(item, &tool_use_id, self.place.working_dir.as_deref())
        } else {
            Vec::new()
        };
        events.push(AgentToolResult { tool_use_id, success, content, content_length, duration_ms }.into());
        events.extend(changes.into_iter().map(EventData::from));
    }

    /// A try that failed and is followed by another, or the last one.
    fn error(&mut self, message: &str, events: &mut Vec<EventData>) {
        let retryable = message.starts_with(RETRY);
        if !retryable {
            self.told_failure = Some(message.to_owned());
        }
        let code = if retryable { "api_retry" } else { "api_error" }.to_owned();
        events.push(AgentError { code, message: message.to_owned(), retryable: Some(retryable) }.into());
    }

    fn turn_failed(&mut self, event: &Fields, events: &mut Vec<EventData>) {
        let message = event.object("error").and_then(|error| error.text("message"));
        let message = message.or(self.told_failure.clone()).unwrap_or_else(|| "The turn failed".to_owned());
        if self.told_failure.as_ref() != Some(&message) {
            let error = AgentError { code: "turn_failed".into(), message: message.clone(), retryable: Some(false) };
            events.push(error.into());
        }
        self.failure = Some(message);
        self.turn_over(Turn::Failed, events);
    }

    fn turn_completed(&mut self, event: &Fields, events: &mut Vec<EventData>) {
        if let Some(usage) = event.object("usage") {
            let tokens = |name| usage.get::<u64>(name);
            let (read, created) = (tokens("cached_input_tokens"), tokens("cache_write_input_tokens"));
            let input = tokens("input_tokens").unwrap_or(0); // with those of the cache, which count apart
            let message_id = format!("turn-{}", self.turns + 1);
            let usage = AgentUsage {
                message_id,
                input_tokens: input.saturating_sub(read.unwrap_or(0)).saturating_sub(created.unwrap_or(0)),
                output_tokens: tokens("output_tokens").unwrap_or(0),
                cache_read_input_tokens: read,
                cache_creation_input_tokens: created,
                cost_usd: None,
                cumulative: true,
            };
            events.push(usage.into());
        }
        self.failure = None;
        self.turn_over(Turn::Completed, events);
    }

    fn turn_over(&mut self, how: Turn, events: &mut Vec<EventData>) {
        self.turns += 1;
        (self.turn, self.told_failure) = (how, None);
        events.push(AgentStatusChanged { status: Status::Waiting }.into());
    }
}

impl Normalise for Codex {
    fn line(&mut self, line: &str, at: Timestamp) -> Meaning {
        let mut meaning = Meaning::default();
        self.progress.seen(at);
        for part in parts(line, is_own) {
            match part {
                Part::Object(raw, event) => self.event(&event, raw, at, &mut meaning.events),
                Part::Stray(text) => meaning.events.extend(self.notices.note(NoticeKind::Malformed, text)),
            }
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
        self.turn != Turn::Open
    }
}

/// Whether a line of its own has this type.
fn is_own(kind: &str) -> bool {
    ["thread.", "turn.", "item."].iter().any(|own| kind.starts_with(own))
}

fn output(item: &Fields, stream: OutputStream) -> Option<EventData> {
    let text = item.text("text").filter(|text| !text.is_empty())?;
    Some(AgentOutput { text, stream, message_id: item.text("id"), parent_tool_use_id: None }.into())
}

//! Codex: `codex exec --json`.
//!
//! Facts about its output, each held by a recording in `tests/recordings/codex`. An item is reported when it starts and
//! when it is completed, under one `id` of the run. Messages and thoughts come only completed; nothing comes while they
//! are typed. A completed item of type `error` is a warning. A lost connection is a top-level `error` for each try and
//! one for the last, which `turn.failed` repeats. A turn's usage is that of the whole thread so far, with earlier runs.
//! An abort leaves items open and writes no last line. A web search has its query only at its end.

use townwatch_protocol::event::{
    AgentNotice, AgentNoticeKind, AgentOutput, AgentStatusChanged, AgentToolCall, AgentToolResult, EventData,
    NoticeKind, NoticeLevel, OutputStream, Status,
};
use townwatch_protocol::time::Timestamp;

use super::codex_item;
use super::codex_kinds::{self, CodexLineKind, ItemKind};
use super::fields::Fields;
use super::kinds::{Handling, KnownKinds};
use super::notices::Notices;
use super::parts::{LinePart, parts};
use super::progress::Progress;
use super::recent::Recent;
use super::tally::{Tally, Threads, Tokens};
use super::{Meaning, Normalise, RunContext, codex_agents, last_words, warnings};

/// The beginning of a message about another try.
const RETRY: &str = "Reconnecting...";
/// Calls whose purpose is not known yet, 64 at most. Beyond it the oldest are reported as they are.
const UNTOLD_MAX: usize = 64;

/// The state of one run's reading.
#[derive(Debug, Clone, Default)]
pub struct Codex {
    context: RunContext,
    thread_id: Option<String>,
    /// The number of processes that printed this stream, one after the other. Each counts its items from 0.
    processes: u32,
    calls: Recent<Timestamp>,
    /// The calls that will say their purpose at their end.
    untold: Vec<AgentToolCall>,
    agents: codex_agents::Agents,
    turns: u64,
    turn: TurnState,
    /// The failure that was reported last. `turn.failed` repeats it.
    told_failure: Option<String>,
    failure: Option<String>,
    tally: Tally,
    notices: Notices,
    progress: Progress,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum TurnState {
    /// No turn has ended, or another one began.
    #[default]
    Open,
    Completed,
    Failed,
}

/// The tables of kinds that reading goes through.
pub(super) fn known_kinds() -> Vec<KnownKinds> {
    codex_kinds::known()
}

impl Codex {
    /// The reader of a run in this context.
    pub fn new(context: RunContext) -> Self {
        Self { context, ..Self::default() }
    }

    fn event(&mut self, event: &Fields, raw: &str, at: Timestamp, meaning: &mut Meaning) {
        let events = &mut meaning.events;
        let kind = event.text("type").unwrap_or_default();
        let line = match codex_kinds::LINES.find(&kind) {
            Some(Handling::Event(_, line) | Handling::Preview(line)) => line,
            Some(Handling::Nothing(_)) => return,
            None => return events.extend(self.notices.note(NoticeKind::Unknown, raw)),
        };
        match line {
            CodexLineKind::Thread => self.thread(event, events),
            CodexLineKind::TurnStarted => {
                self.progress.turn_began(at);
                if self.turn != TurnState::Open {
                    self.turn = TurnState::Open;
                    events.push(AgentStatusChanged { status: Status::Running }.into());
                }
            }
            CodexLineKind::TurnCompleted => self.turn_completed(event, at, events),
            CodexLineKind::TurnFailed => self.turn_failed(event, at, events),
            CodexLineKind::ItemKind => match event.object("item") {
                Some(item) => self.item(&item, raw, kind == "item.completed", at, meaning),
                None => events.extend(self.notices.note(NoticeKind::Malformed, raw)),
            },
            CodexLineKind::Error => self.error(event.text("message").unwrap_or_default(), at, events),
            CodexLineKind::Asked => {
                let asked: Vec<_> = event.objects("questions").iter().filter_map(|one| one.text("question")).collect();
                let message = format!("It asks what nobody can answer while it runs unattended: {}", asked.join(" "));
                events.push(AgentNotice::new(AgentNoticeKind::Other, NoticeLevel::Warning, message).into());
            }
        }
    }

    fn thread(&mut self, event: &Fields, events: &mut Vec<EventData>) {
        self.processes += 1;
        let thread_id = event.text("thread_id").unwrap_or_default();
        if self.thread_id.as_ref() != Some(&thread_id) {
            events.push(self.context.session(thread_id.clone()).into());
            self.thread_id = Some(thread_id);
        }
    }

    fn item(&mut self, item: &Fields, raw: &str, completed: bool, at: Timestamp, meaning: &mut Meaning) {
        let events = &mut meaning.events;
        let kind = item.text("type").unwrap_or_default();
        let known = codex_kinds::ITEMS.find(&kind);
        match known {
            Some(Handling::Event(_, ItemKind::Message) | Handling::Preview(ItemKind::Message)) if completed => {
                events.extend(output(self.name_of(item), item, OutputStream::Assistant));
            }
            Some(Handling::Event(_, ItemKind::Thought) | Handling::Preview(ItemKind::Thought)) if completed => {
                events.extend(output(self.name_of(item), item, OutputStream::Thinking));
            }
            // All of it comes when it is completed.
            Some(
                Handling::Event(_, ItemKind::Message | ItemKind::Thought)
                | Handling::Preview(ItemKind::Message | ItemKind::Thought)
                | Handling::Nothing(_),
            ) => {}
            Some(Handling::Event(_, ItemKind::Warning) | Handling::Preview(ItemKind::Warning)) => {
                events.push(warnings::warning(item.text("message").unwrap_or_default(), at).into());
            }
            Some(Handling::Event(_, ItemKind::Compaction) | Handling::Preview(ItemKind::Compaction)) => {
                let (kind, message) = if completed {
                    (AgentNoticeKind::CompactionEnded, "The conversation was summed up")
                } else {
                    (AgentNoticeKind::CompactionStarted, "The conversation is being summed up, to make room")
                };
                events.push(AgentNotice::new(kind, NoticeLevel::Info, message).into());
            }
            Some(Handling::Event(_, ItemKind::Todos) | Handling::Preview(ItemKind::Todos)) => {
                let todos = codex_item::todos(item);
                events.extend(self.progress.todos(None, todos, at).map(EventData::from));
            }
            None if kind.is_empty() => events.extend(self.notices.note(NoticeKind::Malformed, raw)),
            Some(Handling::Event(_, ItemKind::Call) | Handling::Preview(ItemKind::Call)) | None => {
                self.call(&kind, item, raw, completed, at, events);
                if completed {
                    self.result(&kind, item, at, meaning);
                }
            }
        }
    }

    /// Reports an item's call, when it starts or first says its purpose.
    fn call(
        &mut self,
        kind: &str,
        item: &Fields,
        raw: &str,
        completed: bool,
        at: Timestamp,
        events: &mut Vec<EventData>,
    ) {
        let id = self.name_of(item).unwrap_or_default();
        let begun = self.calls.contains(&id);
        let untold = self.untold.iter().position(|call| call.tool_use_id == id);
        if begun && untold.is_none() {
            return;
        }
        self.calls.insert(&id, at);
        let working_dir = self.context.working_dir.as_deref();
        let call = codex_item::call(kind, id.clone(), item, working_dir).unwrap_or_else(|| {
            // Of a kind that this version does not know: shown as it is, and said so.
            events.extend(self.notices.note(NoticeKind::Unknown, raw));
            codex_item::unknown_call(kind, id, item)
        });
        let is_told = completed || codex_item::says_what(kind, item);
        match (untold, is_told) {
            (Some(_), false) => return,
            (Some(index), true) => drop(self.untold.remove(index)),
            (None, false) => {
                self.untold.push(call);
                if self.untold.len() > UNTOLD_MAX {
                    let oldest = self.untold.remove(0);
                    self.tell(oldest, at, events);
                }
                return;
            }
            (None, true) => {}
        }
        self.tell(call, at, events);
    }

    fn tell(&mut self, call: AgentToolCall, at: Timestamp, events: &mut Vec<EventData>) {
        let progress = self.progress.call(None, &call.summary, at);
        events.push(call.into());
        events.extend(progress.map(EventData::from));
    }

    fn result(&mut self, kind: &str, item: &Fields, at: Timestamp, meaning: &mut Meaning) {
        let tool_use_id = self.name_of(item).unwrap_or_default();
        let called = self.calls.remove(&tool_use_id);
        let given = codex_item::result(kind, item);
        let success = codex_item::succeeded(item) && !given.failed;
        let duration_ms = called.map_or(0, |called| at.millis_since(called));
        let changes = if kind == "file_change" && success {
            codex_item::changes(item, &tool_use_id, self.context.working_dir.as_deref())
        } else {
            Vec::new()
        };
        for unknown in &given.unknown {
            meaning.events.extend(self.notices.note(NoticeKind::Unknown, unknown));
        }
        let result = AgentToolResult {
            exit_code: given.exit_code,
            attachments: given.attachments,
            ..AgentToolResult::new(tool_use_id.clone(), success, given.text, duration_ms)
        };
        meaning.events.push(result.into());
        meaning.pictures.extend(given.pictures);
        meaning.events.extend(changes.into_iter().map(EventData::from));
        if kind == "collab_tool_call" {
            meaning.events.extend(self.agents.told(item, &tool_use_id));
        }
    }

    /// The name of an item: its own id, and after the first process `item_0#2`, with the number of the process.
    fn name_of(&self, item: &Fields) -> Option<String> {
        let id = item.text("id")?;
        Some(if self.processes > 1 { format!("{id}#{}", self.processes) } else { id })
    }

    /// A failed try, after which another one comes, or the last one.
    fn error(&mut self, message: String, at: Timestamp, events: &mut Vec<EventData>) {
        let retryable = message.starts_with(RETRY);
        if !retryable {
            self.told_failure = Some(message.clone());
        }
        let code = if retryable { "api_retry" } else { "api_error" };
        events.push(warnings::error(message, code, Some(retryable), at).into());
    }

    fn turn_failed(&mut self, event: &Fields, at: Timestamp, events: &mut Vec<EventData>) {
        let message = event.object("error").and_then(|error| error.text("message"));
        let message = message.or(self.told_failure.clone()).unwrap_or_else(|| "The turn failed".to_owned());
        if self.told_failure.as_ref() != Some(&message) {
            events.push(warnings::error(message.clone(), "turn_failed", Some(false), at).into());
        }
        self.failure = Some(message);
        self.turn_over(TurnState::Failed, at, events);
    }

    fn turn_completed(&mut self, event: &Fields, at: Timestamp, events: &mut Vec<EventData>) {
        if let Some(usage) = event.object("usage") {
            let tokens = |name| usage.get::<u64>(name);
            let (read, created) = (tokens("cached_input_tokens"), tokens("cache_write_input_tokens"));
            let input = tokens("input_tokens").unwrap_or(0); // with those of the cache, which count apart
            let total = Tokens {
                input: input.saturating_sub(read.unwrap_or(0)).saturating_sub(created.unwrap_or(0)),
                output: tokens("output_tokens").unwrap_or(0),
                cache_read: read,
                cache_creation: created,
            };
            let thread = self.thread_id.clone().unwrap_or_default();
            events.push(self.tally.total(&thread, total).of_run(format!("turn-{}", self.turns + 1)).into());
        }
        self.failure = None;
        self.turn_over(TurnState::Completed, at, events);
    }

    fn turn_over(&mut self, how: TurnState, at: Timestamp, events: &mut Vec<EventData>) {
        self.turns += 1;
        (self.turn, self.told_failure) = (how, None);
        self.tell_untold(at, events);
        self.progress.turn_ended(at);
        events.push(AgentStatusChanged { status: Status::Waiting }.into());
    }

    /// Reports the calls that will not say their purpose any more.
    fn tell_untold(&mut self, at: Timestamp, events: &mut Vec<EventData>) {
        for call in std::mem::take(&mut self.untold) {
            self.tell(call, at, events);
        }
    }
}

impl Normalise for Codex {
    fn line(&mut self, line: &str, at: Timestamp) -> Meaning {
        let mut meaning = Meaning::default();
        self.progress.seen(at);
        for part in parts(line, is_own) {
            match part {
                LinePart::Object(raw, event) => self.event(&event, raw, at, &mut meaning),
                LinePart::Stray(text) => meaning.events.extend(self.notices.note(NoticeKind::Malformed, text)),
            }
        }
        meaning
    }

    fn oversized(&mut self, bytes: u64, sample: &str) -> Vec<EventData> {
        self.notices.oversized(bytes, sample)
    }

    fn end(&mut self, succeeded: bool, at: Timestamp) -> Vec<EventData> {
        let mut events = Vec::new();
        self.tell_untold(at, &mut events);
        events.extend(last_words(&mut self.notices, &mut self.progress, succeeded, at));
        events
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn finished(&self) -> bool {
        self.turn != TurnState::Open
    }

    fn remember(&mut self, threads: &Threads) {
        self.tally.remember(threads);
    }
}

/// Whether a line of Codex has this type.
fn is_own(kind: &str) -> bool {
    codex_kinds::LINES.find(kind).is_some() && kind != "error"
}

fn output(message_id: Option<String>, item: &Fields, stream: OutputStream) -> Option<EventData> {
    let text = item.text("text").filter(|text| !text.is_empty())?;
    Some(AgentOutput { message_id, ..AgentOutput::new(stream, text) }.into())
}

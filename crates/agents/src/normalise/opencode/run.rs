//! `opencode run --format json`, and Kilo's: a line for each action of the run's own session.
//!
//! Facts about these lines, held by a recording. A line is `{"type","timestamp","sessionID","part"}`, with the part as
//! the server streams it, but only once it is complete. So a call comes with its result, and nothing comes while it
//! runs. The tokens of a step come at its end, with the reason of the end: after `tool-calls` the turn continues. No
//! line has the prompt, the model, or the actions of sub-agents; to-do lists are in their calls. An error is in
//! `error`; one of Kilo's own is a text.

use serde_json::value::RawValue;
use townwatch_protocol::event::{AgentUsage, EventData, NoticeKind};
use townwatch_protocol::time::Timestamp;

use super::Opencode;
use super::author::Author;
use super::kinds::{RUN_LINES, RunLine};
use super::wire::{FinishedStep, MessageInfo, NamedError, Part, TimeSpan, TodosFrame};
use crate::json::read;
use crate::normalise::fields::Fields;
use crate::normalise::kinds::Handling;
use crate::normalise::parts::{LinePart, parts};
use crate::normalise::{Meaning, Normalise, RunContext};

/// The reason of a step's end after which the next step continues with the results of its calls.
const GOES_ON: &str = "tool-calls";
/// The tool that writes the to-do list.
const TODOS_TOOL: &str = "todowrite";

/// The state of one run's reading.
#[derive(Debug, Clone)]
pub struct OpencodeRun {
    /// The reader of the parts, which are those of the server.
    session: Opencode,
    /// The usage of the latest message so far: the sum of its steps.
    taken: Option<AgentUsage>,
    /// The number of parts without an id.
    unnamed: u64,
}

impl OpencodeRun {
    /// The reader of a run in this context, for the program with this command.
    pub fn new(program: &'static str, context: RunContext) -> Self {
        Self { session: Opencode::new(program, context, None), taken: None, unnamed: 0 }
    }

    fn event(&mut self, event: &Fields, raw: &str, at: Timestamp, meaning: &mut Meaning) {
        let line = match RUN_LINES.find(&event.text("type").unwrap_or_default()) {
            Some(Handling::Event(_, line) | Handling::Preview(line)) => line,
            Some(Handling::Nothing(_)) => return,
            None => return meaning.events.extend(self.session.notices.note(NoticeKind::Unknown, raw)),
        };
        if let Some(session_id) = event.text("sessionID") {
            self.begins(session_id, &mut meaning.events);
        }
        if line == RunLine::Error {
            self.session.fail(failure(event), true, at, &mut meaning.events);
            return self.turn_over(at, &mut meaning.events);
        }
        let Some(part) = event.raw("part") else {
            return meaning.events.extend(self.session.notices.note(NoticeKind::Malformed, raw));
        };
        self.session.progress.turn_began(at);
        self.session.at_work(&mut meaning.events);
        match line {
            RunLine::Part(kind) => self.part(kind, part, at, meaning),
            RunLine::StepFinish => self.step_over(part, at, &mut meaning.events),
            RunLine::Error => {}
        }
    }

    /// Begins a session. Each line has its session; a second program on the same pipe has another one.
    fn begins(&mut self, session_id: String, events: &mut Vec<EventData>) {
        let session = &mut self.session;
        if session.session_id.as_ref() != Some(&session_id) {
            (session.session_id, session.session_told) = (Some(session_id), false);
            session.tell_session(None, events);
        }
    }

    fn part(&mut self, kind: &str, raw: &RawValue, at: Timestamp, meaning: &mut Meaning) {
        let mut part: Part = read(raw.get()).unwrap_or_default();
        part.kind.get_or_insert_with(|| kind.to_owned());
        let id = part.id.take();
        part.id = Some(id.unwrap_or_else(|| self.unnamed()));
        // What is printed is whole, whether it says when it ended or not.
        part.time.get_or_insert_with(TimeSpan::default).end.get_or_insert(at.millis());
        let state = part.state.as_ref().filter(|_| part.tool.as_deref() == Some(TODOS_TOOL));
        let written = state.filter(|state| state.status.as_deref() == Some("completed"));
        let input = written.and_then(|state| state.input.as_deref());
        let todos = input.and_then(|input| read::<TodosFrame>(input.get())).and_then(|list| list.todos);
        self.session.read_part(part, raw.get(), &Author::Main, at, meaning);
        if let Some(todos) = todos {
            self.session.todo_list(&todos, &Author::Main, at, &mut meaning.events);
        }
    }

    fn unnamed(&mut self) -> String {
        self.unnamed += 1;
        format!("part-{}", self.unnamed)
    }

    fn step_over(&mut self, raw: &RawValue, at: Timestamp, events: &mut Vec<EventData>) {
        let step: FinishedStep = read(raw.get()).unwrap_or_default();
        let id = step.id.clone().unwrap_or_else(|| self.unnamed());
        let reason = step.reason.clone().unwrap_or_default();
        if self.session.parts.is_new(&id) {
            let message_id = step.message_id.clone().unwrap_or(id);
            events.extend(self.session.stopped(&reason, &message_id, None));
            let message = MessageInfo { tokens: step.tokens, cost: step.cost, ..MessageInfo::default() };
            if let Some(usage) = message.usage(message_id) {
                let before = self.taken.take().filter(|before| before.message_id == usage.message_id);
                let taken = before.map_or_else(|| usage.clone(), |before| plus(&before, &usage));
                events.push(taken.clone().into());
                self.taken = Some(taken);
            }
        }
        if reason != GOES_ON {
            self.turn_over(at, events);
        }
    }

    fn turn_over(&mut self, at: Timestamp, events: &mut Vec<EventData>) {
        self.session.progress.turn_ended(at);
        self.session.turn_end(events);
    }
}

impl Normalise for OpencodeRun {
    fn line(&mut self, line: &str, at: Timestamp) -> Meaning {
        let mut meaning = Meaning::default();
        self.session.progress.seen(at);
        for part in parts(line, is_own) {
            match part {
                LinePart::Object(raw, event) => self.event(&event, raw, at, &mut meaning),
                LinePart::Stray(text) => {
                    meaning.events.extend(self.session.notices.note(NoticeKind::Malformed, text));
                }
            }
        }
        meaning
    }

    fn oversized(&mut self, bytes: u64, sample: &str) -> Vec<EventData> {
        self.session.oversized(bytes, sample)
    }

    fn end(&mut self, succeeded: bool, at: Timestamp) -> Vec<EventData> {
        self.session.end(succeeded, at)
    }

    fn failure(&self) -> Option<&str> {
        self.session.failure()
    }

    fn finished(&self) -> bool {
        self.session.finished()
    }
}

/// Whether a line has this type. Some parts have the same types.
fn is_own(kind: &str) -> bool {
    RUN_LINES.find(kind).is_some() && !matches!(kind, "text" | "reasoning" | "error")
}

/// The failure in a line: an object with a name and data, one with a message, or a text.
fn failure(event: &Fields) -> NamedError {
    let mut failure: NamedError = event.get("error").unwrap_or_default();
    let said = event.text("error").or_else(|| event.object("error").and_then(|error| error.text("message")));
    let said = said.or_else(|| event.text("message"));
    let message = &mut failure.data.get_or_insert_default().message;
    *message = message.take().or(said);
    failure
}

/// The usage of two steps of one message.
fn plus(one: &AgentUsage, other: &AgentUsage) -> AgentUsage {
    let sum = |a: Option<u64>, b: Option<u64>| a.map_or(b, |a| Some(a.saturating_add(b.unwrap_or(0))));
    AgentUsage {
        input_tokens: one.input_tokens.saturating_add(other.input_tokens),
        output_tokens: one.output_tokens.saturating_add(other.output_tokens),
        cache_read_input_tokens: sum(one.cache_read_input_tokens, other.cache_read_input_tokens),
        cache_creation_input_tokens: sum(one.cache_creation_input_tokens, other.cache_creation_input_tokens),
        cost_usd: one.cost_usd.map_or(other.cost_usd, |cost| Some(cost + other.cost_usd.unwrap_or(0.0))),
        ..other.clone()
    }
}

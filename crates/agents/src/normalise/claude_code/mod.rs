//! Claude Code: `claude -p … --output-format stream-json --verbose`.
//!
//! Facts about its output, each held by a recording in `tests/recordings/claude_code`. One API message comes as several
//! `assistant` lines, one for each block, and each repeats the same usage. `is_error` is absent on some successes. An
//! API failure is a `result` of subtype `success` with `is_error`. A session with a background sub-agent has two `init`
//! and two `result` lines, so a `result` ends a turn, and only the end of the process ends the run. A sub-agent's call
//! can have its result before the sub-agent's own messages.

mod always;
mod calls;
mod control;
mod heard;
mod hooks;
mod input_protocol;
mod kinds;
mod limits;
mod messages;
mod program_words;
mod stops;
mod subject;
mod system;
mod tasks;
mod todos;
mod turns;
mod usage;

use std::hash::{Hash, Hasher};

use townwatch_protocol::event::{AgentStatusChanged, EventData, NoticeKind, Status};
use townwatch_protocol::time::Timestamp;

use self::calls::CallRecord;
use self::control::ControlRequests;
pub use self::control::user_line;
pub(super) use self::kinds::known as known_kinds;
use self::limits::Limits;
use self::messages::BlockOrigin;
use self::stops::Stops;
use self::tasks::Tasks;
use self::todos::TodoLists;
use self::usage::RunUsage;
use super::call_names::CallNames;
use super::kinds::Handling;
use super::notices::Notices;
use super::partials::Partials;
use super::parts::{LinePart, parts};
use super::progress::Progress;
use super::recent::Recent;
use super::wire::Head;
use super::{InputProtocol, Meaning, Normalise, RunContext, last_words};
use crate::json::read;

/// The program's name as an author: of answers that no person gave, and of words in a person's place.
const PROGRAM: &str = "claude_code";

/// The failure of a turn.
#[derive(Debug, Clone)]
struct TurnFailure {
    message: String,
    /// Whether the turn was only interrupted, and nothing else is wrong.
    only_broken_off: bool,
}

/// The state of one run's reading.
#[derive(Debug, Clone, Default)]
pub struct ClaudeCode {
    context: RunContext,
    session_id: Option<String>,
    working_dir: Option<String>,
    /// The ids of lines that were read. A line with the same id is a repetition.
    lines: Recent<()>,
    calls: Recent<CallRecord>,
    names: CallNames,
    spent: RunUsage,
    todos: TodoLists,
    turns: u64,
    /// Whether the turn is over and nothing was done since.
    waiting: bool,
    /// Whether the assistant has said something in this turn.
    spoke: bool,
    /// The hash of the assistant's last text, because the text may be megabytes.
    last_said: u64,
    /// The API failure of this turn that was reported already. The `result` repeats it.
    told_failure: Option<String>,
    /// The failure of the last turn.
    failure: Option<TurnFailure>,
    limits: Limits,
    stops: Stops,
    /// Whether a compaction is running.
    compacting: bool,
    /// The failures of tool servers that were reported.
    told_servers: Recent<()>,
    /// The agents that got a message, by the call that each works for; the empty name is the agent itself.
    spoken_to: Recent<()>,
    notices: Notices,
    progress: Progress,
    partials: Partials,
    control: ControlRequests,
    /// The work in the background, which may go on after the turn.
    tasks: Tasks,
}

impl ClaudeCode {
    /// The reader of a run in this context.
    pub fn new(context: RunContext) -> Self {
        Self { context, ..Self::default() }
    }

    /// The meaning of a broken line: the events inside it, and a notice of the rest.
    fn broken(&mut self, line: &str, at: Timestamp) -> Meaning {
        let mut meaning = Meaning::default();
        for part in parts(line, kinds::is_own) {
            meaning.add(match part {
                LinePart::Object(event, _) if event.len() < line.len() => self.line(event, at),
                LinePart::Object(text, _) | LinePart::Stray(text) => {
                    let events = self.notices.note(NoticeKind::Malformed, text).into_iter().collect();
                    Meaning::of(events)
                }
            });
        }
        meaning
    }

    /// Whether no line with this id was read before.
    fn is_new(&mut self, uuid: &str) -> bool {
        self.lines.insert(uuid, ()) || !self.lines.contains(uuid)
    }

    /// Continues a turn that was over, because a background task reported or a person wrote.
    fn at_work(&mut self, events: &mut Vec<EventData>) {
        if std::mem::take(&mut self.waiting) {
            events.push(AgentStatusChanged { status: Status::Running }.into());
        }
    }

    fn known_line(
        &mut self,
        kind: kinds::ClaudeLineKind,
        head: Head,
        line: &str,
        at: Timestamp,
        meaning: &mut Meaning,
    ) {
        let events = &mut meaning.events;
        match kind {
            kinds::ClaudeLineKind::System => {
                let subtype = head.subtype.unwrap_or_default();
                if subtype == "init" {
                    events.extend(self.tasks.settle());
                    self.at_work(events);
                }
                self.system(&subtype, line, at, events);
            }
            kinds::ClaudeLineKind::Assistant => self.message(true, line, at, meaning),
            kinds::ClaudeLineKind::User => self.message(false, line, at, meaning),
            kinds::ClaudeLineKind::Result => self.turn_end(line, at, events),
            kinds::ClaudeLineKind::Block => {
                self.at_work(events);
                self.block(&mut BlockOrigin { assistant: true, ..BlockOrigin::default() }, line, at, meaning);
            }
            kinds::ClaudeLineKind::StreamEvent => {
                let typed = self.partials.line(line);
                if typed.unknown {
                    events.extend(self.notices.note(NoticeKind::Unknown, line));
                }
                if typed.author.is_none() {
                    self.at_work(events);
                }
                let (author, usage) = (typed.author.as_deref(), typed.usage);
                if let Some((message_id, reason, details)) = typed.stop
                    && !self.stops.heard(&reason, details, Some(&message_id), author)
                {
                    events.extend(self.notices.note(NoticeKind::Unknown, line));
                }
                let spent = usage.and_then(|(id, usage)| self.spent.message(&id, &usage, author));
                events.extend(spent.map(EventData::from));
                meaning.piece = typed.piece;
            }
            kinds::ClaudeLineKind::RateLimit => self.rate_limit(line, events),
            kinds::ClaudeLineKind::ProgramNotice(words) => events.extend(program_words::notices(words, line)),
            kinds::ClaudeLineKind::Authentication => Self::authentication(line, events),
            kinds::ClaudeLineKind::ControlRequest => self.request(line, events),
            kinds::ClaudeLineKind::ControlCancel => {
                let answered = self.control.cancelled(line, PROGRAM);
                self.answered(answered, events);
            }
        }
    }
}

impl Normalise for ClaudeCode {
    fn line(&mut self, line: &str, at: Timestamp) -> Meaning {
        let mut meaning = Meaning::default();
        if line.trim().is_empty() {
            return meaning;
        }
        self.progress.seen(at);
        let Some(head) = read::<Head>(line).filter(|_| line.trim_start().starts_with('{')) else {
            return self.broken(line, at);
        };
        if head.subtype.as_deref() != Some("task_started") {
            meaning.events.extend(self.tasks.only_listed());
        }
        match head.kind.as_deref().and_then(|kind| kinds::LINES.find(kind)) {
            Some(Handling::Event(_, kind) | Handling::Preview(kind)) => {
                // What is being typed goes on; and a message may be the program's own word for it.
                if !matches!(kind, kinds::ClaudeLineKind::StreamEvent | kinds::ClaudeLineKind::Assistant) {
                    meaning.events.extend(self.stops.tell());
                }
                self.known_line(kind, head, line, at, &mut meaning);
            }
            Some(Handling::Nothing(_)) => {}
            None => meaning.events.extend(self.notices.note(NoticeKind::Unknown, line)),
        }
        if self.waiting && self.tasks.running() == 0 {
            self.progress.turn_ended(at);
        } else {
            self.progress.turn_began(at);
        }
        meaning
    }

    fn oversized(&mut self, bytes: u64, sample: &str) -> Vec<EventData> {
        self.notices.oversized(bytes, sample)
    }

    fn end(&mut self, succeeded: bool, at: Timestamp) -> Vec<EventData> {
        let mut events = self.partials.end();
        events.extend(self.stops.tell());
        events.extend(self.tasks.end());
        events.extend(last_words(&mut self.notices, &mut self.progress, succeeded, at));
        events
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_ref().map(|failure| failure.message.as_str())
    }

    fn can_go_on(&self) -> bool {
        self.failure.as_ref().is_none_or(|failure| failure.only_broken_off)
    }

    fn finished(&self) -> bool {
        self.waiting
    }

    fn input_protocol(&mut self) -> Option<&mut dyn InputProtocol> {
        Some(self)
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

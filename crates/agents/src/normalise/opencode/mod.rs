//! OpenCode and Kilo, which is made from it: the frames of `GET /event` of their servers.
//!
//! Facts about these streams, each held by a recording in `tests/recordings/{opencode,kilo}`. A part of a message is sent
//! whole at every change. `session.idle` ends a turn of its session; it comes twice, with last frames in between, when
//! the turn failed or was interrupted. A sub-agent is a session of its own on the same stream. A failed shell command
//! is `completed`. A person's message is a message, too, and is sent whole at every change. A message's tokens are
//! repeated, and only the last ones are right.

mod author;
mod files;
mod inbox;
mod kinds;
mod messages;
mod parts;
mod questions;
mod run;
mod server_words;
mod turns;
mod wire;

use townwatch_protocol::error::Result;
use townwatch_protocol::event::{
    AgentQuestionAnswered, AgentStatusChanged, EventData, NoticeKind, QuestionKind, Status,
};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::AnswerAgent;

use self::author::Author;
use self::inbox::Inbox;
use self::kinds::{FRAMES, FrameKind, PARTS, PartKind};
use self::parts::{PartContext, Parts};
use self::questions::{CallName, QuestionOrigin, Questions};
pub use self::run::OpencodeRun;
use self::wire::{
    Asked, DeltaFrame, ErrorFrame, Frame, Part, PartFrame, RemovedFrame, Replied, SessionFrame, StatusFrame, TodosFrame,
};
use super::kinds::{Handling, KnownKinds};
use super::notices::Notices;
use super::progress::Progress;
use super::recent::Recent;
use super::{CheckedAnswer, Meaning, Normalise, RunContext, asking, last_words};
use crate::json::read;
use crate::summary::TodoInput;

/// The tables of kinds that reading goes through.
pub(super) fn known_kinds() -> Vec<KnownKinds> {
    kinds::known()
}

/// The state of one run's reading.
#[derive(Debug, Clone)]
pub struct Opencode {
    /// The program's command, which is also the author of answers that no person gave.
    program: &'static str,
    context: RunContext,
    /// The run's own session.
    session_id: Option<String>,
    session_told: bool,
    working_dir: Option<String>,
    agent_version: Option<String>,
    /// The sub-agents' sessions, each with the call that it works for.
    children: Recent<Option<String>>,
    inbox: Inbox,
    /// The counts that were reported last, by message.
    counted_messages: Recent<[u64; 5]>,
    /// The model of the main session's latest message.
    model: Option<String>,
    failed_messages: Recent<()>,
    /// The messages whose early stop was reported.
    stopped_messages: Recent<()>,
    parts: Parts,
    questions: Questions,
    /// Whether the turn is over.
    waiting: bool,
    /// Whether an event was reported after the end of the turn.
    told_late: bool,
    told_failure: Option<String>,
    failure: Option<String>,
    notices: Notices,
    progress: Progress,
}

impl Opencode {
    /// The reader of a run in this context. Without a session's id, the first session without a parent is the run's. A
    /// caller that gives the id sends the messages itself, and has reported the prompt.
    pub fn new(program: &'static str, context: RunContext, session_id: Option<String>) -> Self {
        let mut inbox = Inbox::default();
        if session_id.is_some() {
            inbox.told();
        }
        Self {
            program,
            context,
            inbox,
            session_id,
            session_told: false,
            working_dir: None,
            agent_version: None,
            children: Recent::default(),
            model: None,
            counted_messages: Recent::default(),
            failed_messages: Recent::default(),
            stopped_messages: Recent::default(),
            parts: Parts::default(),
            questions: Questions::default(),
            waiting: false,
            told_late: false,
            told_failure: None,
            failure: None,
            notices: Notices::default(),
            progress: Progress::default(),
        }
    }

    /// Whether the agent has nothing to do until it gets a message.
    pub fn is_idle(&self) -> bool {
        self.waiting && self.questions.is_empty()
    }

    /// Whether a message to the agent has no message of the agent after it. A server that has taken a prompt still
    /// reports `idle` until the turn begins.
    pub fn owes_answer(&self) -> bool {
        self.inbox.owes_answer()
    }

    /// The kind of an open question, and the checked answer.
    ///
    /// # Errors
    ///
    /// `conflict` for a question that is not open or is being answered; `invalid_request` for an answer that does not
    /// fit.
    pub fn check(&self, answer: &AnswerAgent, by: &str) -> Result<(QuestionKind, CheckedAnswer)> {
        self.questions.check(answer, by)
    }

    /// Notes the answer that is being sent for an open question; `None` takes it back.
    pub fn answering(&mut self, request_id: &str, given: Option<CheckedAnswer>) {
        self.questions.answering(request_id, given);
    }

    /// The events of a message to the agent, which begins its next turn.
    pub fn told(&mut self, text: &str, by: &str) -> Vec<EventData> {
        let mut events = vec![asking::message(text, by)];
        self.inbox.told();
        self.at_work(&mut events);
        events
    }

    /// The events of a frame that was made from the server's answer after the stream had been cut.
    pub fn reread(&mut self, frame: &str, at: Timestamp) -> Vec<EventData> {
        let events = self.line(frame, at).events;
        self.parts.stop_typing();
        events
    }

    fn frame(&mut self, kind: FrameKind, frame: &str, properties: &str, at: Timestamp, meaning: &mut Meaning) {
        let events = &mut meaning.events;
        if kind == FrameKind::Session {
            let session = read::<SessionFrame>(properties).and_then(|frame| frame.info).unwrap_or_default();
            return self.session(session, events);
        }
        let Some(author) = self.author(properties) else { return };
        let main = matches!(author, Author::Main);
        match kind {
            FrameKind::Status => {
                let status = read::<StatusFrame>(properties).and_then(|frame| frame.status).unwrap_or_default();
                self.status(&status, main, frame, at, events);
            }
            FrameKind::Idle if main => {
                self.progress.turn_ended(at);
                self.turn_end(events);
            }
            FrameKind::Error => {
                let error = read::<ErrorFrame>(properties).and_then(|frame| frame.error);
                self.fail(error.unwrap_or_default(), main, at, events);
            }
            FrameKind::Message => self.message(properties, &author, at, events),
            FrameKind::Part => self.part(properties, &author, at, meaning),
            FrameKind::Delta => {
                meaning.piece = self.parts.delta(read::<DeltaFrame>(properties).unwrap_or_default());
            }
            FrameKind::Todos => self.todos(properties, &author, at, events),
            FrameKind::Idle | FrameKind::Session => {}
            FrameKind::Asked => {
                let asked: Asked = read(properties).unwrap_or_default();
                let parent = author.call();
                let tool_use_id = asked.tool.as_ref().and_then(|tool| self.parts.tool_use_id(tool));
                let from = QuestionOrigin { working_dir: self.working_dir.as_deref(), tool_use_id, parent };
                if let Some((question, one_too_many)) = self.questions.asked(&asked, from) {
                    events.extend(one_too_many.map(EventData::from));
                    events.push(question.into());
                    events.push(AgentStatusChanged { status: Status::Waiting }.into());
                }
            }
            FrameKind::Replied | FrameKind::Rejected => {
                let replied: Replied = read(properties).unwrap_or_default();
                let answered = self.questions.replied(replied, kind == FrameKind::Rejected, self.program);
                self.answered(answered, events);
            }
            FrameKind::Compacted => events.push(messages::compacted(author.call()).into()),
            FrameKind::MessageRemoved => {
                let removed = read::<RemovedFrame>(properties).unwrap_or_default().message_id.unwrap_or_default();
                events.extend(self.taken_back(&removed, author.call()));
            }
            FrameKind::PartRemoved => {
                let removed = read::<RemovedFrame>(properties).unwrap_or_default().part_id.unwrap_or_default();
                events.extend(self.parts.removed(&removed));
            }
            FrameKind::Toast | FrameKind::SignIn | FrameKind::Trouble => {
                events.extend(server_words::notice(kind, properties, at).map(EventData::from));
            }
            FrameKind::Unread => events.extend(self.notices.note(NoticeKind::Unknown, frame)),
        }
    }

    fn part(&mut self, properties: &str, author: &Author, at: Timestamp, meaning: &mut Meaning) {
        let raw = read::<PartFrame>(properties).and_then(|frame| frame.part).unwrap_or_default();
        self.read_part(read(raw.get()).unwrap_or_default(), raw.get(), author, at, meaning);
    }

    /// The meaning of a part; `raw` is its text.
    fn read_part(&mut self, part: Part, raw: &str, author: &Author, at: Timestamp, meaning: &mut Meaning) {
        let kind = match PARTS.find(part.kind.as_deref().unwrap_or_default()) {
            Some(Handling::Event(_, kind) | Handling::Preview(kind)) => kind,
            Some(Handling::Nothing(_)) => return,
            None => return meaning.events.extend(self.notices.note(NoticeKind::Unknown, raw)),
        };
        if let Some(said_as) = part.message_id.as_ref().and_then(|id| self.inbox.get(id)).copied() {
            return meaning.events.extend(self.said_to(kind, part, said_as, author.call()));
        }
        let (main, parent) = (matches!(author, Author::Main), author.call());
        let (working_dir, progress) = (self.working_dir.as_deref(), &mut self.progress);
        let Meaning { events, pictures, .. } = meaning;
        let mut context = PartContext { at, working_dir, parent, progress, events, pictures };
        match kind {
            PartKind::Text => meaning.piece = self.parts.text(part, &mut context),
            PartKind::Tool => {
                let call = CallName::of(&part);
                match self.parts.tool(part, &mut context) {
                    Ok(Some(handed_over)) => {
                        self.children.set(&handed_over.session_id, Some(handed_over.tool_use_id));
                    }
                    Ok(None) => {}
                    Err(()) => meaning.events.extend(self.notices.note(NoticeKind::Unknown, raw)),
                }
                let answered = self.questions.call_is(call, self.program);
                self.answered(answered, &mut meaning.events);
            }
            PartKind::Patch => self.parts.patch(part, &mut context),
            PartKind::StepStart if main => self.parts.begin_step(&part),
            PartKind::File => self.parts.file(part, &mut context),
            PartKind::StepStart | PartKind::Subtask | PartKind::Compaction => {} // only said to the agent, or a sub-agent's
        }
    }

    fn answered(&mut self, answered: Option<AgentQuestionAnswered>, events: &mut Vec<EventData>) {
        let Some(answered) = answered else { return };
        events.push(answered.into());
        if self.questions.is_empty() && !self.waiting {
            events.push(AgentStatusChanged { status: Status::Running }.into());
        }
    }

    /// Reads the to-do list of the main session, or of a sub-agent.
    fn todos(&mut self, properties: &str, author: &Author, at: Timestamp, events: &mut Vec<EventData>) {
        let (Author::Main | Author::SubAgent(Some(_))) = author else { return };
        let todos = read::<TodosFrame>(properties).and_then(|frame| frame.todos).unwrap_or_default();
        self.todo_list(&todos, author, at, events);
    }

    fn todo_list(&mut self, todos: &[TodoInput], author: &Author, at: Timestamp, events: &mut Vec<EventData>) {
        let meant = todos.iter().filter(|todo| todo.status != "cancelled");
        let (todos, author) = (meant.map(TodoInput::to_todo).collect(), author.call());
        events.extend(self.progress.todos(author.as_deref(), todos, at).map(EventData::from));
    }
}

impl Normalise for Opencode {
    fn line(&mut self, line: &str, at: Timestamp) -> Meaning {
        let mut meaning = Meaning::default();
        self.progress.seen(at);
        let frame = read::<Frame>(line).filter(|_| line.trim_start().starts_with('{'));
        let Some(Frame { kind: Some(kind), properties }) = frame else {
            meaning.events.extend(self.notices.note(NoticeKind::Malformed, line));
            return meaning;
        };
        let kind = match FRAMES.find(&kind) {
            Some(Handling::Event(_, kind) | Handling::Preview(kind)) => kind,
            Some(Handling::Nothing(_)) => return meaning,
            None => FrameKind::Unread,
        };
        let properties = properties.unwrap_or_default();
        let waited = self.waiting;
        self.frame(kind, line, properties.get(), at, &mut meaning);
        self.told_late |= waited && self.waiting && meaning.events.iter().any(is_work);
        meaning
    }

    fn oversized(&mut self, bytes: u64, sample: &str) -> Vec<EventData> {
        self.notices.oversized(bytes, sample)
    }

    fn end(&mut self, succeeded: bool, at: Timestamp) -> Vec<EventData> {
        let mut events = self.parts.broken_off();
        events.extend(last_words(&mut self.notices, &mut self.progress, succeeded, at));
        events
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    fn finished(&self) -> bool {
        self.is_idle()
    }
}

/// Whether an event shows an agent at work again.
fn is_work(event: &EventData) -> bool {
    matches!(event, EventData::Output(_) | EventData::ToolCall(_) | EventData::ToolResult(_))
}

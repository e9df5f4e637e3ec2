//! OpenCode and Kilo, which is made from it: the frames of `GET /event` of their servers.
//!
//! What these streams really are like, each held by a recording in `tests/golden/{opencode,kilo}`: a part of a message
//! is sent whole at every change; `session.idle` ends a turn of that session, and comes twice, with last frames in
//! between, when the turn failed or was interrupted; a sub-agent is a session of its own on the same stream; a shell
//! command that fails is `completed`; what the person said comes as messages too, each time with all changes so far.

mod parts;
mod questions;
mod turns;
mod wire;

use townwatch::event::{AgentQuestionAnswered, AgentStatusChanged, EventData, NoticeKind, Status};
use townwatch::time::Timestamp;

use self::parts::{Parts, Telling};
use self::questions::{CallName, Open, Questions};
use self::wire::{
    Asked, DeltaFrame, ErrorFrame, Frame, MessageFrame, Part, PartFrame, Replied, Session, SessionFrame, StatusFrame,
    TodosFrame, Whose, model_name,
};
use super::notices::Notices;
use super::progress::Progress;
use super::recent::Recent;
use super::{Meaning, Normalise, Piece, Place, last_words};
use crate::json::read;
use crate::summary::TodoInput;

/// Frames that say nothing of what the agent does: the server's own affairs, and repeats. The last lines are Kilo's;
/// its `sync` frames are every durable change once more.
const IGNORED: &[&str] = &[
    "server.connected",
    "server.heartbeat",
    "server.instance.disposed",
    "global.disposed",
    "plugin.added",
    "catalog.updated",
    "reference.updated",
    "integration.updated",
    "integration.connection.updated",
    "models-dev.refreshed",
    "installation.updated",
    "installation.update-available",
    "project.updated",
    "project.directories.updated",
    "vcs.branch.updated",
    "lsp.updated",
    "lsp.client.diagnostics",
    "mcp.tools.changed",
    "command.executed",
    "file.edited",
    "file.watcher.updated",
    "session.diff",
    "session.compacted",
    "session.deleted",
    "message.removed",
    "message.part.removed",
    "pty.created",
    "pty.updated",
    "pty.exited",
    "pty.deleted",
    "sync",
    "indexing.status",
    "session.turn.open",
    "session.turn.close",
    "session.drain.interrupted",
    "session.queue.changed",
];

/// The state of one run's reading.
#[derive(Debug, Clone)]
pub struct Opencode {
    /// The program's command, which also stands for it where nobody else answered a question.
    program: &'static str,
    place: Place,
    /// The run's own session.
    session_id: Option<String>,
    session_told: bool,
    working_dir: Option<String>,
    agent_version: Option<String>,
    /// Sub-agents' sessions, with the call that each works for.
    children: Recent<Option<String>>,
    user_messages: Recent<()>,
    counted_messages: Recent<()>,
    failed_messages: Recent<()>,
    parts: Parts,
    questions: Questions,
    /// The turn is over.
    waiting: bool,
    /// Something was told after that.
    told_late: bool,
    told_failure: Option<String>,
    failure: Option<String>,
    notices: Notices,
    progress: Progress,
}

impl Opencode {
    /// A run in this place. Without a session's id, the first session that no other one began is the run's.
    pub fn new(program: &'static str, place: Place, session_id: Option<String>) -> Self {
        Self {
            program,
            place,
            session_id,
            session_told: false,
            working_dir: None,
            agent_version: None,
            children: Recent::default(),
            user_messages: Recent::default(),
            counted_messages: Recent::default(),
            failed_messages: Recent::default(),
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

    /// Whether the agent has nothing to do until somebody tells it something.
    pub fn is_idle(&self) -> bool {
        self.waiting && self.questions.is_empty()
    }

    /// The open question of this name.
    pub fn question(&self, request_id: &str) -> Option<&Open> {
        self.questions.find(request_id)
    }

    /// Somebody is answering an open question; nobody, after all.
    pub fn answering(&mut self, request_id: &str, by: Option<&str>) {
        self.questions.answering(request_id, by);
    }

    /// Somebody told the agent something, so that its next turn begins.
    pub fn begin_turn(&mut self) -> Vec<EventData> {
        let mut events = Vec::new();
        self.at_work(&mut events);
        events
    }

    /// What a frame means that was made of what the server answered after the stream had broken off.
    pub fn reread(&mut self, frame: &str, at: Timestamp) -> Vec<EventData> {
        let events = self.line(frame, at).events;
        self.parts.stop_typing();
        events
    }

    fn frame(&mut self, kind: &str, frame: &str, properties: &str, at: Timestamp, meaning: &mut Meaning) {
        let events = &mut meaning.events;
        if matches!(kind, "session.created" | "session.updated") {
            let session = read::<SessionFrame>(properties).and_then(|frame| frame.info).unwrap_or_default();
            return self.session(session, events);
        }
        let Some(author) = self.author(properties) else { return };
        let main = matches!(author, Author::Main);
        match kind {
            "session.status" => {
                let status = read::<StatusFrame>(properties).and_then(|frame| frame.status).unwrap_or_default();
                self.status(&status, main, frame, at, events);
            }
            "session.idle" if main => self.turn_end(events),
            "session.error" => {
                let error = read::<ErrorFrame>(properties).and_then(|frame| frame.error);
                self.fail(error.unwrap_or_default(), main, events);
            }
            "message.updated" => self.message(properties, main, events),
            "message.part.updated" => meaning.piece = self.part(properties, author, at, events),
            "message.part.delta" => {
                meaning.piece = self.parts.delta(read::<DeltaFrame>(properties).unwrap_or_default());
            }
            "todo.updated" if main => self.todos(properties, at, events),
            "session.idle" | "todo.updated" => {}
            "permission.asked" | "question.asked" => {
                let asked: Asked = read(properties).unwrap_or_default();
                if let Some(question) = self.questions.asked(&asked, self.working_dir.as_deref()) {
                    events.push(question.into());
                    events.push(AgentStatusChanged { status: Status::Waiting }.into());
                }
            }
            "permission.replied" | "question.replied" | "question.rejected" => {
                let replied: Replied = read(properties).unwrap_or_default();
                let answered = self.questions.replied(replied, kind == "question.rejected", self.program);
                self.answered(answered, events);
            }
            _ => events.extend(self.notices.note(NoticeKind::Unknown, frame)),
        }
    }

    /// Whose frame it is; `None` if another session's. A frame that names no session is the server's, which is the run's.
    fn author(&self, properties: &str) -> Option<Author> {
        let whose: Whose = read(properties).unwrap_or_default();
        let inner = || whose.info.and_then(|info| info.session_id).or(whose.part.and_then(|part| part.session_id));
        let Some(session_id) = whose.session_id.or_else(inner) else { return Some(Author::Main) };
        if self.session_id.as_ref() == Some(&session_id) {
            return Some(Author::Main);
        }
        self.children.get(&session_id).map(|call| Author::SubAgent(call.clone()))
    }

    fn session(&mut self, session: Session, events: &mut Vec<EventData>) {
        let Some(id) = session.id else { return };
        if let Some(parent_id) = session.parent_id {
            let ours = self.session_id.as_ref() == Some(&parent_id) || self.children.get(&parent_id).is_some();
            if ours {
                self.children.insert(&id, None);
            }
            return;
        }
        if *self.session_id.get_or_insert_with(|| id.clone()) != id {
            return;
        }
        self.working_dir = session.directory.or(self.working_dir.take());
        self.agent_version = session.version.or(self.agent_version.take());
        if let Some(model) = session.model {
            self.tell_session(model_name(model.provider_id.as_deref(), model.id.as_deref()), events);
        }
    }

    /// Tells the session once, with its model as soon as that is known.
    fn tell_session(&mut self, model: Option<String>, events: &mut Vec<EventData>) {
        let Some(session_id) = self.session_id.clone().filter(|_| !self.session_told) else { return };
        self.session_told = true;
        let mut session = self.place.session(session_id);
        session.model = model;
        session.working_dir.clone_from(&self.working_dir);
        session.agent_version.clone_from(&self.agent_version);
        events.push(session.into());
    }

    fn message(&mut self, properties: &str, main: bool, events: &mut Vec<EventData>) {
        let mut message = read::<MessageFrame>(properties).and_then(|frame| frame.info).unwrap_or_default();
        let id = message.id.take().unwrap_or_default();
        if message.role.as_deref() != Some("assistant") {
            self.user_messages.insert(&id, ());
            return;
        }
        if main {
            self.tell_session(model_name(message.provider_id.as_deref(), message.model_id.as_deref()), events);
        }
        if let Some(failure) = message.error.take()
            && self.failed_messages.insert(&id, ())
        {
            self.fail(failure, main, events);
        }
        let ended = message.time.as_ref().is_some_and(|time| time.completed.is_some());
        if ended && self.counted_messages.insert(&id, ()) {
            events.extend(message.usage(id).map(EventData::from));
        }
    }

    fn part(&mut self, properties: &str, author: Author, at: Timestamp, events: &mut Vec<EventData>) -> Option<Piece> {
        let raw = read::<PartFrame>(properties).and_then(|frame| frame.part).unwrap_or_default();
        let part: Part = read(raw.get()).unwrap_or_default();
        if part.message_id.as_ref().is_some_and(|id| self.user_messages.get(id).is_some()) {
            return None; // what a person said is no output of the agent
        }
        let (main, parent) = match author {
            Author::Main => (true, None),
            Author::SubAgent(call) => (false, call),
        };
        let (working_dir, progress) = (self.working_dir.as_deref(), &mut self.progress);
        let mut telling = Telling { at, working_dir, parent, progress, events };
        match part.kind.as_deref() {
            Some("text" | "reasoning") => return self.parts.text(part, &mut telling),
            Some("tool") => {
                let call = CallName::of(&part);
                match self.parts.tool(part, &mut telling) {
                    Ok(Some(handed_over)) => {
                        self.children.set(&handed_over.session_id, Some(handed_over.tool_use_id));
                    }
                    Ok(None) => {}
                    Err(()) => events.extend(self.notices.note(NoticeKind::Unknown, raw.get())),
                }
                let answered = self.questions.call_is(call, self.program);
                self.answered(answered, events);
            }
            Some("patch") => self.parts.patch(part, &mut telling),
            Some("step-start") if main => self.parts.begin_step(&part),
            Some("step-start" | "step-finish" | "snapshot" | "file" | "agent" | "subtask" | "retry" | "compaction") => {
            }
            _ => events.extend(self.notices.note(NoticeKind::Unknown, raw.get())),
        }
        None
    }

    fn answered(&mut self, answered: Option<AgentQuestionAnswered>, events: &mut Vec<EventData>) {
        let Some(answered) = answered else { return };
        events.push(answered.into());
        if self.questions.is_empty() && !self.waiting {
            events.push(AgentStatusChanged { status: Status::Running }.into());
        }
    }

    fn todos(&mut self, properties: &str, at: Timestamp, events: &mut Vec<EventData>) {
        let todos = read::<TodosFrame>(properties).and_then(|frame| frame.todos).unwrap_or_default();
        let meant = todos.iter().filter(|todo| todo.status != "cancelled");
        events.extend(self.progress.todos(meant.map(TodoInput::to_todo).collect(), at).map(EventData::from));
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
        if IGNORED.contains(&kind.as_str()) {
            return meaning;
        }
        let properties = properties.unwrap_or_default();
        let waited = self.waiting;
        self.frame(&kind, line, properties.get(), at, &mut meaning);
        self.told_late |= waited && self.waiting && meaning.events.iter().any(is_work);
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
        self.is_idle()
    }
}

/// Whose session it is.
enum Author {
    Main,
    /// With the call that it works for, once that is known.
    SubAgent(Option<String>),
}

/// Whether the event lets an agent seem to be at work again.
fn is_work(event: &EventData) -> bool {
    matches!(event, EventData::Output(_) | EventData::ToolCall(_) | EventData::ToolResult(_))
}

//! From the lines of an agent to the events of the wire. Pure: the time comes in, nothing else is asked for.

mod answering;
mod asking;
mod call_names;
pub mod claude_code;
pub mod codex;
mod codex_agents;
mod codex_item;
mod codex_kinds;
mod content;
mod content_kinds;
mod fields;
pub mod gemini;
mod gemini_kinds;
mod gemini_output;
pub mod kinds;
mod limit_end;
mod notices;
pub mod opencode;
mod partial_kinds;
mod partials;
mod parts;
pub mod pictures;
mod process;
mod progress;
mod recent;
mod stop;
mod tally;
mod warnings;
mod wire;

pub use answering::Given;
pub use claude_code::ClaudeCode;
pub use codex::Codex;
pub use gemini::Gemini;
pub use opencode::{Opencode, OpencodeRun};
pub use process::ProcessLines;
pub use tally::Threads;

use townwatch_protocol::error::Result;
use townwatch_protocol::event::{AgentSession, EventData, Runtime};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::AnswerAgent;

use self::kinds::Known;
use self::notices::Notices;
use self::pictures::Picture;
use self::progress::Progress;

/// Reads what one run of one agent prints. Must take any line without panicking and hold only bounded memory.
pub trait Normalise: Send {
    /// What a line of standard output means.
    fn line(&mut self, line: &str, at: Timestamp) -> Meaning;

    /// A line was too long to be kept.
    fn oversized(&mut self, bytes: u64, sample: &str) -> Vec<EventData>;

    /// Whether a part of a line means something, too.
    fn has_parts(&self) -> bool {
        false
    }

    /// What a part of a line means that has no end yet. The line's rest comes to [`Normalise::line`].
    fn part(&mut self, _part: &str) -> Option<EventData> {
        None
    }

    /// The process has ended; what is still to be said before its exit.
    fn end(&mut self, succeeded: bool, at: Timestamp) -> Vec<EventData>;

    /// Why the run failed by the agent's own account, whatever its exit code.
    fn failure(&self) -> Option<&str> {
        None
    }

    /// Whether a next turn is worth waiting for: a turn that failed would most likely fail again, one that was only broken
    /// off can be followed by another.
    fn can_go_on(&self) -> bool {
        self.failure().is_none()
    }

    /// Whether the agent has said that it is done, where its program says so: it may end well in the middle of a turn.
    fn finished(&self) -> bool {
        true
    }

    /// What was said to the agent just now is in the log already, so it is nothing new where its program repeats it.
    fn will_repeat(&mut self) {}

    /// What earlier runs know of their threads, where the program tells a thread's totals.
    fn remember(&mut self, _threads: &Threads) {}

    /// How the agent is spoken to while it runs, where its program can be.
    fn talk(&mut self) -> Option<&mut dyn Talk> {
        None
    }
}

/// An agent that reads what it is told, line by line, while it runs.
pub trait Talk {
    /// Whether it has nothing to do until somebody tells it something.
    fn is_idle(&self) -> bool;

    /// It is told something: its turn goes on with that, or its next turn begins.
    fn message(&mut self, text: &str, by: &str) -> Said;

    /// Its question is answered, if it is open.
    fn answer(&mut self, answer: &AnswerAgent, by: &str) -> Result<Said>;

    /// Its turn is to be broken off; nothing where it has none.
    fn interrupt(&mut self) -> Option<Said>;

    /// What it has to be answered though no person can.
    fn owed(&mut self) -> Option<Said>;
}

/// A line for an agent to read.
#[derive(Debug)]
pub struct Said {
    /// The line, with its line feed.
    pub line: String,
    /// What has happened once the agent has it.
    pub events: Vec<EventData>,
}

/// The tables of kinds that reading this program's lines goes through, if it has any.
pub fn known_kinds(runtime: Runtime) -> Vec<Known> {
    match runtime {
        Runtime::ClaudeCode => claude_code::known_kinds(),
        Runtime::Codex => codex::known_kinds(),
        Runtime::Gemini => gemini::known_kinds(),
        Runtime::Opencode | Runtime::Kilo => opencode::known_kinds(),
        Runtime::Process | Runtime::Replay => Vec::new(),
    }
}

/// What every agent's end comes to: notices that were only counted, and the last of its progress if it went well.
fn last_words(notices: &mut Notices, progress: &mut Progress, succeeded: bool, at: Timestamp) -> Vec<EventData> {
    let mut events = notices.end();
    if succeeded {
        events.push(progress.done(at).into());
    }
    events
}

/// What a line means.
#[derive(Debug, Default)]
pub struct Meaning {
    /// What happened.
    pub events: Vec<EventData>,
    /// What was typed after that.
    pub piece: Option<Piece>,
    /// The pictures that the events name.
    pub pictures: Vec<Picture>,
}

impl Meaning {
    /// Nothing but events.
    pub fn of(events: Vec<EventData>) -> Self {
        Self { events, ..Self::default() }
    }

    /// What came after it in the same line.
    fn add(&mut self, next: Self) {
        self.piece = match (self.piece.take(), next.piece) {
            (Some(mut typed), Some(next)) if !next.begins => {
                typed.text.push_str(&next.text);
                Some(typed)
            }
            (typed, None) if next.events.is_empty() => typed,
            (_, next) => next,
        };
        self.events.extend(next.events);
        self.pictures.extend(next.pictures);
    }
}

/// The next piece of a message's text, while it is being typed. The `agent_output` with this `message_id` ends the
/// text; a message may have several, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The message.
    pub message_id: String,
    /// Whether a text begins with it.
    pub begins: bool,
    /// What was added; may be empty.
    pub text: String,
}

/// Where an agent runs, which it does not say itself.
#[derive(Debug, Clone, Default)]
pub struct RunContext {
    /// Where it works.
    pub working_dir: Option<String>,
    /// The machine.
    pub hostname: Option<String>,
    /// Its system.
    pub os: Option<String>,
    /// Whether it is a container.
    pub in_container: Option<bool>,
    /// The branch checked out in the working directory.
    pub branch: Option<String>,
    /// The commit there.
    pub commit: Option<String>,
    /// The repository's address.
    pub git_origin: Option<String>,
    /// Whether the agent is spoken to from here while it runs.
    pub takes_messages: bool,
}

impl RunContext {
    /// A session here, of which only the name is known.
    pub fn session(&self, session_id: String) -> AgentSession {
        AgentSession { session_id: Some(session_id), ..self.unnamed_session() }
    }

    /// The work of a program that has no sessions.
    pub fn unnamed_session(&self) -> AgentSession {
        AgentSession {
            session_id: None,
            model: None,
            working_dir: self.working_dir.clone(),
            branch: self.branch.clone(),
            initial_commit: self.commit.clone(),
            git_origin: self.git_origin.clone(),
            hostname: self.hostname.clone(),
            os: self.os.clone(),
            in_container: self.in_container,
            tools: None,
            permission_mode: None,
            agent_version: None,
            takes_messages: self.takes_messages.then_some(true),
        }
    }
}

/// What reads the output of this runtime's program.
pub fn normaliser_of(runtime: Runtime, context: RunContext) -> Box<dyn Normalise> {
    match runtime {
        Runtime::ClaudeCode => Box::new(ClaudeCode::new(context)),
        Runtime::Codex => Box::new(Codex::new(context)),
        Runtime::Gemini => Box::new(Gemini::new(context)),
        Runtime::Opencode | Runtime::Kilo => Box::new(Opencode::new(runtime.as_str(), context, None)),
        Runtime::Process | Runtime::Replay => Box::new(ProcessLines::default()),
    }
}

/// Whether it is a server that is spoken to.
pub fn is_served(runtime: Runtime) -> bool {
    matches!(runtime, Runtime::Opencode | Runtime::Kilo)
}

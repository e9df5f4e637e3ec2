//! Normalisers: from the lines of an agent to the events of the wire. They are pure; the time is an argument.

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
pub mod shape;
mod stop;
mod tally;
mod warnings;
mod wire;

pub use answering::CheckedAnswer;
pub use claude_code::ClaudeCode;
pub use codex::Codex;
pub use gemini::Gemini;
pub use opencode::{Opencode, OpencodeRun};
pub use process::ProcessLines;
pub use tally::Threads;

use townwatch_protocol::error::Result;
use townwatch_protocol::event::{AgentSession, EventData};
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::AnswerAgent;

use self::kinds::KnownKinds;
use self::notices::Notices;
use self::pictures::Picture;
use self::progress::Progress;

/// A reader of one run's output. It must accept any line without a panic, and use bounded memory.
pub trait Normalise: Send {
    /// The meaning of a line of standard output.
    fn line(&mut self, line: &str, at: Timestamp) -> Meaning;

    /// The events for a line that was too long to keep.
    fn oversized(&mut self, bytes: u64, sample: &str) -> Vec<EventData>;

    /// Whether a part of an unfinished line has a meaning, too.
    fn has_parts(&self) -> bool {
        false
    }

    /// The event for a part of an unfinished line. The rest of the line comes to [`Normalise::line`].
    fn part(&mut self, _part: &str) -> Option<EventData> {
        None
    }

    /// The last events, after the end of the process and before its exit.
    fn end(&mut self, succeeded: bool, at: Timestamp) -> Vec<EventData>;

    /// The agent's own reason for the failure of the run, for any exit code.
    fn failure(&self) -> Option<&str> {
        None
    }

    /// Whether waiting for another turn makes sense. After a failed turn it does not, because the next one would most
    /// likely fail, too. After an interrupted turn it does.
    fn can_go_on(&self) -> bool {
        self.failure().is_none()
    }

    /// Whether the agent has said that it is done, where its program says so. Without it an exit with 0 may be in the
    /// middle of a turn.
    fn finished(&self) -> bool {
        true
    }

    /// Notes that a message to the agent is in the log already, so that its program's repetition of it is no new event.
    fn will_repeat(&mut self) {}

    /// Takes the token totals of earlier runs' threads, for a program that reports the total of a thread.
    fn remember(&mut self, _threads: &Threads) {}

    /// The way to send messages to the agent while it runs, where its program has one.
    fn input_protocol(&mut self) -> Option<&mut dyn InputProtocol> {
        None
    }
}

/// A running agent that reads messages, line by line.
pub trait InputProtocol {
    /// Whether the agent has nothing to do until it gets a message.
    fn is_idle(&self) -> bool;

    /// The line of a message. It continues the agent's turn, or begins the next one.
    fn message(&mut self, text: &str, by: &str) -> InputLine;

    /// The line with the answer to an open question.
    ///
    /// # Errors
    ///
    /// `conflict` for a question that is not open, and `invalid_request` for an answer that does not fit.
    fn answer(&mut self, answer: &AnswerAgent, by: &str) -> Result<InputLine>;

    /// The line that interrupts the agent's turn; `None` without a turn.
    fn interrupt(&mut self) -> Option<InputLine>;

    /// The line that answers a request of the program that no person can answer; `None` without such a request.
    fn owed(&mut self) -> Option<InputLine>;
}

/// A line for the standard input of an agent.
#[derive(Debug)]
pub struct InputLine {
    /// The line, with its line feed.
    pub line: String,
    /// The events once the agent has the line.
    pub events: Vec<EventData>,
}

/// What there is for the output of one runtime's program.
struct Readers {
    /// The tables of kinds; none for a program without kinds.
    known_kinds: fn() -> Vec<KnownKinds>,
    /// Makes the normaliser of a run of ours.
    of_run: MakeNormaliser,
    /// Makes the normaliser of output that somebody else pipes to us.
    of_pipe: MakeNormaliser,
}

type MakeNormaliser = fn(Runtime, RunContext) -> Box<dyn Normalise>;

/// The readers of each runtime: a new program is registered here.
fn readers(runtime: Runtime) -> Readers {
    match runtime {
        Runtime::ClaudeCode => {
            Readers::of_lines(claude_code::known_kinds, |_, context| Box::new(ClaudeCode::new(context)))
        }
        Runtime::Codex => Readers::of_lines(codex::known_kinds, |_, context| Box::new(Codex::new(context))),
        Runtime::Gemini => Readers::of_lines(gemini::known_kinds, |_, context| Box::new(Gemini::new(context))),
        Runtime::Opencode | Runtime::Kilo => Readers {
            known_kinds: opencode::known_kinds,
            of_run: |runtime, context| Box::new(Opencode::new(runtime.as_str(), context, None)),
            of_pipe: |runtime, context| Box::new(OpencodeRun::new(runtime.as_str(), context)),
        },
        Runtime::Process | Runtime::Replay => Readers::of_lines(Vec::new, |_, _| Box::new(ProcessLines::default())),
    }
}

impl Readers {
    /// The readers for a program that prints the same lines in a run of ours and into a pipe.
    fn of_lines(known_kinds: fn() -> Vec<KnownKinds>, make: MakeNormaliser) -> Self {
        Self { known_kinds, of_run: make, of_pipe: make }
    }
}

/// The tables of kinds of this program; none for a program without kinds.
pub fn known_kinds(runtime: Runtime) -> Vec<KnownKinds> {
    (readers(runtime).known_kinds)()
}

/// The normaliser of a runtime's program.
pub fn normaliser_of(runtime: Runtime, context: RunContext) -> Box<dyn Normalise> {
    (readers(runtime).of_run)(runtime, context)
}

/// The normaliser of output of a runtime's program that comes through a pipe.
pub fn piped_normaliser_of(runtime: Runtime, context: RunContext) -> Box<dyn Normalise> {
    (readers(runtime).of_pipe)(runtime, context)
}

/// The last events of every normaliser: the counted notices, and the last progress of a successful run.
fn last_words(notices: &mut Notices, progress: &mut Progress, succeeded: bool, at: Timestamp) -> Vec<EventData> {
    let mut events = notices.end();
    if succeeded {
        events.push(progress.done(at).into());
    }
    events
}

/// The meaning of a line.
#[derive(Debug, Default)]
pub struct Meaning {
    /// The events of the line.
    pub events: Vec<EventData>,
    /// The typed text after the events.
    pub piece: Option<Piece>,
    /// The pictures that the events name.
    pub pictures: Vec<Picture>,
}

impl Meaning {
    /// A meaning of events only.
    pub fn of(events: Vec<EventData>) -> Self {
        Self { events, ..Self::default() }
    }

    /// Adds the meaning of the next part of the same line.
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

/// The next piece of a text that is being typed. The `agent_output` with this `message_id` ends the text. A message may
/// have several texts, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The message.
    pub message_id: String,
    /// Whether the piece begins a text.
    pub begins: bool,
    /// The added text; may be empty.
    pub text: String,
}

/// The context of an agent's run, which the agent itself does not report.
#[derive(Debug, Clone, Default)]
pub struct RunContext {
    /// The working directory.
    pub working_dir: Option<String>,
    /// The host name.
    pub hostname: Option<String>,
    /// The operating system.
    pub os: Option<String>,
    /// Whether the machine is a container.
    pub in_container: Option<bool>,
    /// The branch checked out in the working directory.
    pub branch: Option<String>,
    /// The commit checked out there.
    pub commit: Option<String>,
    /// The repository's address.
    pub git_origin: Option<String>,
    /// Whether this program can send the agent messages while it runs.
    pub takes_messages: bool,
}

impl RunContext {
    /// A session in this context, of which only the id is known.
    pub fn session(&self, session_id: String) -> AgentSession {
        AgentSession { session_id: Some(session_id), ..self.unnamed_session() }
    }

    /// A session in this context, for a program without session ids.
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

//! The standard input of an agent: what it is told, line by line, as fast as it reads. Reading what it prints never waits
//! for that, and an agent that reads nothing is none the worse for it.

use std::collections::VecDeque;

use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::oneshot;
use townwatch_agents::normalise::InputLine;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::EventData;

use crate::runtimes::Input;

/// Lines that wait for the agent to read them; further ones are dropped. Commands come one at a time.
const WAITING_MAX: usize = 32;

/// The outcome of a line once the agent has it.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    events: Vec<EventData>,
    outcome: Option<oneshot::Sender<Result<()>>>,
}

impl Delivery {
    /// Tells the person who waits for it, and gives the events that have happened.
    pub(crate) fn done(self) -> Vec<EventData> {
        if let Some(outcome) = self.outcome {
            let _ = outcome.send(Ok(()));
        }
        self.events
    }
}

/// An agent's standard input.
#[derive(Debug, Default)]
pub(crate) struct Stdin {
    pipe: Option<ChildStdin>,
    lines: VecDeque<Line>,
    /// Whether it is closed as soon as everything is written.
    last: bool,
}

#[derive(Debug)]
struct Line {
    bytes: Vec<u8>,
    written: usize,
    delivery: Delivery,
}

impl Stdin {
    /// The pipe, if there is one, with the first thing to write to it.
    pub(crate) fn new(pipe: Option<ChildStdin>, input: Input) -> Self {
        let (first, last) = match input {
            Input::None => return Self::default(),
            Input::Whole(text) => (text, true),
            Input::Open(line) => (line, false),
        };
        let first = Line { bytes: first.into_bytes(), written: 0, delivery: Delivery::default() };
        Self { pipe, lines: VecDeque::from([first]), last }
    }

    /// Whether more can be said.
    pub(crate) fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// Whether something is on its way.
    pub(crate) fn is_writing(&self) -> bool {
        self.pipe.is_some() && !self.lines.is_empty()
    }

    /// A line that nobody waits for.
    pub(crate) fn push(&mut self, said: InputLine) {
        self.line(said, None);
    }

    /// A line that somebody waits for.
    pub(crate) fn push_command(&mut self, said: InputLine, outcome: oneshot::Sender<Result<()>>) {
        self.line(said, Some(outcome));
    }

    fn line(&mut self, said: InputLine, outcome: Option<oneshot::Sender<Result<()>>>) {
        if self.pipe.is_some() && self.lines.len() < WAITING_MAX {
            let delivery = Delivery { events: said.events, outcome };
            self.lines.push_back(Line { bytes: said.line.into_bytes(), written: 0, delivery });
        } else if let Some(outcome) = outcome {
            let _ = outcome.send(Err(deaf()));
        }
    }

    /// Writes a part of what waits; what has become of it once a line is whole. Can be given up at any time, and has to be
    /// called only while something [is on its way](Self::is_writing).
    pub(crate) async fn write(&mut self) -> Option<Delivery> {
        let (pipe, line) = (self.pipe.as_mut()?, self.lines.front_mut()?);
        let Ok(count @ 1..) = pipe.write(&line.bytes[line.written..]).await else {
            self.close(); // it has ended, or wants to hear nothing
            return None;
        };
        line.written += count;
        if line.written < line.bytes.len() {
            return None;
        }
        let delivery = self.lines.pop_front().map(|line| line.delivery);
        if self.last && self.lines.is_empty() {
            self.close();
        }
        delivery
    }

    /// Closes it: the agent reads the end.
    pub(crate) fn close(&mut self) {
        self.pipe = None;
        for line in self.lines.drain(..) {
            if let Some(outcome) = line.delivery.outcome {
                let _ = outcome.send(Err(deaf()));
            }
        }
    }
}

fn deaf() -> Error {
    Error::new(Code::Conflict, "the agent does not listen any more; start a new run when this one has ended")
}

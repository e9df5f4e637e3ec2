//! The standard input of an agent. It is written line by line, as fast as the agent reads. The reading of the agent's
//! output never waits for that, so an agent that ignores its input works on undisturbed.

use std::collections::VecDeque;

use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::oneshot;
use townwatch_agents::normalise::InputLine;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::EventData;

use crate::runtimes::Input;

/// Lines that wait for the agent to read them, 32; further ones are dropped. Commands come one at a time.
const WAITING_MAX: usize = 32;

/// The outcome of a line, for the moment at which the agent has it.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    events: Vec<EventData>,
    outcome: Option<oneshot::Sender<Result<()>>>,
}

impl Delivery {
    /// Tells the person who waits for the line, and gives the events that have happened by it.
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
    lines: VecDeque<QueuedLine>,
    /// Whether the input is closed as soon as everything is written.
    last: bool,
}

#[derive(Debug)]
struct QueuedLine {
    bytes: Vec<u8>,
    written: usize,
    delivery: Delivery,
}

impl Stdin {
    /// Makes an input of the pipe, if there is one, with the first text to write to it.
    pub(crate) fn new(pipe: Option<ChildStdin>, input: Input) -> Self {
        let (first, last) = match input {
            Input::None => return Self::default(),
            Input::Whole(text) => (text, true),
            Input::Open(line) => (line, false),
        };
        let first = QueuedLine { bytes: first.into_bytes(), written: 0, delivery: Delivery::default() };
        Self { pipe, lines: VecDeque::from([first]), last }
    }

    /// Whether more lines can be written.
    pub(crate) fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// Whether a line is being written.
    pub(crate) fn is_writing(&self) -> bool {
        self.pipe.is_some() && !self.lines.is_empty()
    }

    /// Adds a line that nobody waits for.
    pub(crate) fn push(&mut self, said: InputLine) {
        self.line(said, None);
    }

    /// Adds a line whose outcome somebody waits for.
    pub(crate) fn push_command(&mut self, said: InputLine, outcome: oneshot::Sender<Result<()>>) {
        self.line(said, Some(outcome));
    }

    fn line(&mut self, said: InputLine, outcome: Option<oneshot::Sender<Result<()>>>) {
        if self.pipe.is_some() && self.lines.len() < WAITING_MAX {
            let delivery = Delivery { events: said.events, outcome };
            self.lines.push_back(QueuedLine { bytes: said.line.into_bytes(), written: 0, delivery });
        } else if let Some(outcome) = outcome {
            let _ = outcome.send(Err(deaf()));
        }
    }

    /// Writes a part of the waiting lines; gives the delivery of a line once it is whole. The future can be dropped at
    /// any time. It must be awaited only while a line [is being written](Self::is_writing).
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

    /// Closes the input, so that the agent reads the end.
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

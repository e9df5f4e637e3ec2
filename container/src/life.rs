//! The life of a run, from the start of its program to its end: how long it is waited for, by which steps it is told to
//! end, and which name and sentence its end has. It is pure: the time comes in, and the actions go out.
//!
//! ```text
//!  Working ──stop, time over──► Interrupting ──turn over, 2 or 3 s──► Terminating ──5 s──► Killing ──5 s──┐
//!     │                                                                  ▲                  ▲      ▲        │
//!     ├──waited enough──► InputClosed ──5 s─────────────────────────────┘   SIGKILL ────────┘      └────────┘
//!     └──cannot go on───────────────────────────────────────────────────┘   (from anywhere)
//! ```
//!
//! The program may end at any time, and only its end is the end of the life.
//!
//! An agent that takes messages does not end with its turn. If nobody ever sent it a message, it would keep its
//! container awake for ever. So it has completed once it has waited long enough, even if its time limit is reached
//! meanwhile. An agent whose turn failed has nothing to wait for.

mod end;

pub(crate) use end::{End, FAULT, no_work_dir, not_cloned, not_started, stopped_while_cloned, with_bound};

use std::time::Duration;

use tokio::time::Instant;
use townwatch_protocol::event::StopSignal;

use crate::stop::{StopCause, StopRequest};

/// The time from SIGTERM to SIGKILL, from the end of the input to SIGTERM, and from one SIGKILL to the next, 5 s. No
/// process survives the first SIGKILL, but the kernel may need time.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// The time for the last messages of a turn that failed or was interrupted, 1 s. They report how its calls ended.
pub(crate) const SETTLE: Duration = Duration::from_secs(1);
/// The time for which pipes are read after the program's own end, 2 s. Processes that it started may hold them open.
pub(crate) const PIPE_GRACE: Duration = Duration::from_secs(2);

/// The kind of a run's program, which decides how it is told to end, and what is reported of its exit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Program {
    /// A process that works on one order, and ends when the order is done or its input ends.
    Process,
    /// A server with this name, which waits for requests, and ends when it is told to.
    Server(String),
}

impl Program {
    /// The time for interrupting a turn, before the program itself is told to end. A process that reads its input needs
    /// some milliseconds, and another process must not be waited for. A server is interrupted by a request, and reports
    /// the end by its stream.
    fn interrupt_limit(&self) -> Duration {
        match self {
            Self::Process => Duration::from_secs(2),
            Self::Server(_) => Duration::from_secs(3),
        }
    }
}

/// A turn of the agent, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The agent works, or never reports what it does.
    Open,
    /// The agent has nothing to do until it gets a message. `can_go_on` is false after a turn that failed.
    Idle { can_go_on: bool },
}

/// A step that is to be taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The run's status becomes `stopping`.
    Announce,
    /// The agent is told to interrupt its turn, so that it reports how its calls ended and what the turn cost. If it
    /// cannot be told, its [turn is over](Life::turn_over).
    Interrupt,
    /// The program's input ends.
    CloseInput,
    /// The program is sent SIGTERM, and its input ends.
    Terminate,
    /// Every process that the program started is sent SIGKILL.
    Kill,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Working,
    Interrupting,
    InputClosed,
    Terminating,
    Killing,
}

/// The reason why a run is made to end. The first reason stays, so a stop during a timeout is a timeout.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cause {
    /// The agent has waited long enough.
    WaitedEnough,
    Stopped(StopCause),
    TimeOver,
    /// The agent cannot go on, for this reason.
    Broken(String),
}

/// The life of one run.
#[derive(Debug)]
pub(crate) struct Life {
    program: Program,
    /// The time for which the agent waits for messages when it has nothing to do; `None` where it takes none.
    waiting_max: Option<Duration>,
    stage: Stage,
    /// The end of the run's time limit; later the end of its stage's time limit.
    deadline: Instant,
    idle_since: Option<Instant>,
    /// The cause of the end; `None` while nothing makes the run end.
    cause: Option<Cause>,
    is_killed: bool,
}

impl Life {
    /// The life of a program that begins now, with the time limit `timeout`.
    pub(crate) fn new(program: Program, timeout: Duration, waiting_max: Option<Duration>, now: Instant) -> Self {
        Self {
            program,
            waiting_max,
            stage: Stage::Working,
            deadline: now + timeout,
            idle_since: None,
            cause: None,
            is_killed: false,
        }
    }

    /// Whether the agent takes messages.
    pub(crate) fn takes_messages(&self) -> bool {
        self.waiting_max.is_some()
    }

    /// Whether nothing makes the run end yet.
    pub(crate) fn is_working(&self) -> bool {
        self.stage == Stage::Working
    }

    /// Notes an event of the agent, even of a sub-agent or at the end of a turn: the waiting begins anew.
    pub(crate) fn happened(&mut self) {
        self.idle_since = None;
    }

    /// The moment at which the clock decides, by [`Life::time_over`], unless something happens before. The caller must
    /// ask anew after every event.
    pub(crate) fn due(&mut self, turn: Turn, now: Instant) -> Instant {
        let Some(waiting_max) = self.waiting_max.filter(|_| self.is_working()) else { return self.deadline };
        let Turn::Idle { can_go_on } = turn else {
            self.idle_since = None;
            return self.deadline;
        };
        let since = *self.idle_since.get_or_insert(now);
        self.deadline.min(since + if can_go_on { waiting_max.max(SETTLE) } else { SETTLE })
    }

    /// Takes the end of a time limit.
    pub(crate) fn time_over(&mut self, turn: Turn, now: Instant) -> Vec<Action> {
        let is_idle = self.takes_messages() && turn != Turn::Open;
        match self.stage {
            Stage::Working if is_idle || now < self.deadline => {
                self.cause = Some(Cause::WaitedEnough);
                match self.program {
                    Program::Process => self.enter(Stage::InputClosed, Action::CloseInput, now),
                    Program::Server(_) => self.terminate(now),
                }
            }
            Stage::Working => self.end_early(Cause::TimeOver, StopSignal::Term, now),
            Stage::Interrupting | Stage::InputClosed => self.terminate(now),
            Stage::Terminating | Stage::Killing => self.kill(now),
        }
    }

    /// Takes an order to end. If the run is ending already, only a kill changes anything.
    pub(crate) fn stop(&mut self, order: StopRequest, now: Instant) -> Vec<Action> {
        match (&self.cause, order.signal) {
            (None, signal) => self.end_early(Cause::Stopped(order.cause), signal, now),
            (Some(_), StopSignal::Kill) => self.kill(now),
            (Some(_), StopSignal::Term) => Vec::new(),
        }
    }

    /// Takes the news that the agent cannot go on, for this reason.
    pub(crate) fn broke(&mut self, problem: String, now: Instant) -> Vec<Action> {
        if !self.is_working() {
            return Vec::new();
        }
        self.cause = Some(Cause::Broken(problem));
        self.terminate(now)
    }

    /// Takes the news that the agent has no turn any more that could be interrupted.
    pub(crate) fn turn_over(&mut self, now: Instant) -> Vec<Action> {
        if self.stage == Stage::Interrupting { self.terminate(now) } else { Vec::new() }
    }

    fn end_early(&mut self, cause: Cause, signal: StopSignal, now: Instant) -> Vec<Action> {
        self.cause = Some(cause);
        let first = match signal {
            StopSignal::Term => self.enter(Stage::Interrupting, Action::Interrupt, now),
            StopSignal::Kill => self.kill(now),
        };
        [vec![Action::Announce], first].concat()
    }

    fn terminate(&mut self, now: Instant) -> Vec<Action> {
        self.enter(Stage::Terminating, Action::Terminate, now)
    }

    fn kill(&mut self, now: Instant) -> Vec<Action> {
        self.is_killed = true;
        self.enter(Stage::Killing, Action::Kill, now)
    }

    fn enter(&mut self, stage: Stage, action: Action, now: Instant) -> Vec<Action> {
        let time = if stage == Stage::Interrupting { self.program.interrupt_limit() } else { STOP_GRACE };
        (self.stage, self.deadline) = (stage, now + time);
        vec![action]
    }
}

#[cfg(test)]
mod tests;

//! One process at work, from its start to its one end.
//!
//! One task reads both pipes, the process's end, the order to stop and the clock, and writes what the agent is told. Lines
//! are read, understood and appended in this task, so the order of a run's events is the order of its output, and an
//! agent that prints faster than that is slowed down by its own pipe; nothing in between can grow.
//!
//! An agent that takes messages does not end with its turn. One that nobody tells anything has completed once it has
//! waited long enough, also where the time that it was given is over meanwhile, and is told so by the end of its input;
//! one whose turn failed has nothing to wait for.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use tokio::time::{Instant, sleep_until};
use townwatch_agents::normalise::{Normalise, Talk};
use townwatch_host::now;
use townwatch_host::signal_name;
use townwatch_protocol::event::{AgentExited, AgentStatusChanged, ExitReason, Status, StopSignal};

use crate::command::{AgentCommand, CommandReceiver, Inbox, OPERATOR, QueuedCommand};
use crate::executor::STOP_GRACE;
use crate::group::Group;
use crate::printed::Printed;
use crate::run::Run;
use crate::runtimes::Input;
use crate::stdin::Stdin;

/// What a process started may hold its pipes open; they are read no longer than this after the process's own end.
const PIPE_GRACE: Duration = Duration::from_secs(2);
/// One read of a pipe; what a Linux pipe holds.
const READ_BYTES: usize = 64 << 10;
/// How long an agent may take to break off its turn before it is asked to end too: a program that listens needs some
/// milliseconds, and another one must not be waited for.
const INTERRUPT_LIMIT: Duration = Duration::from_secs(2);
/// The last words of a turn that failed.
const SETTLE: Duration = Duration::from_secs(1);

/// A process at work.
pub(crate) struct Execution<'a> {
    run: &'a Run,
    normaliser: &'a mut dyn Normalise,
    child: Child,
    group: Option<Group>,
    stdin: Stdin,
    printed: Printed<'a>,
    /// How long it is waited for, where it takes messages.
    waiting_max: Option<Duration>,
    idle_since: Option<Instant>,
    ended_by: Option<ExitReason>,
    ending: Option<Ending>,
    /// The end of the time that the run is given, then of the time that the present step of its ending is given.
    deadline: Instant,
    killed: bool,
}

/// How far a run is that is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The agent breaks off its turn.
    Interrupted,
    /// It has read the end of its input, and goes.
    InputClosed,
    /// It was sent the signal to end.
    Signalled,
}

impl<'a> Execution<'a> {
    pub(crate) fn new(
        run: &'a Run,
        normaliser: &'a mut dyn Normalise,
        child: Child,
        group: Group,
        timeout: Duration,
    ) -> Self {
        Self {
            group: Some(group),
            stdin: Stdin::default(),
            printed: Printed::new(run),
            waiting_max: None,
            idle_since: None,
            ended_by: None,
            ending: None,
            deadline: Instant::now() + timeout,
            killed: false,
            run,
            normaliser,
            child,
        }
    }

    /// Follows it to its end.
    pub(crate) async fn follow(mut self, input: Input, inbox: Option<Inbox>) -> AgentExited {
        self.stdin = Stdin::new(self.child.stdin.take(), input);
        self.waiting_max = inbox.as_ref().map(|inbox| inbox.waiting_max);
        let mut commands = inbox.map(|inbox| inbox.commands);
        let mut stop_asked = self.run.stop_asked.clone();
        stop_asked.mark_changed(); // the order may be older than this task
        let (mut out, mut err) = (self.child.stdout.take(), self.child.stderr.take());
        let (mut out_bytes, mut err_bytes) = (vec![0; READ_BYTES], vec![0; READ_BYTES]);
        let (mut status, mut grace_end) = (None, self.deadline);
        let status = loop {
            if let Some(status) = status.take_if(|_| (out.is_none() && err.is_none()) || Instant::now() >= grace_end) {
                break status;
            }
            let working = status.is_none();
            if !working || self.ending.is_some() {
                commands = None;
            }
            let alarm = if working { self.alarm() } else { grace_end };
            let unended = self.printed.due(self.normaliser);
            tokio::select! {
                read = read(&mut out, &mut out_bytes), if out.is_some() => match read {
                    0 => out = None,
                    bytes => self.take_stdout(&out_bytes[..bytes]),
                },
                read = read(&mut err, &mut err_bytes), if err.is_some() => match read {
                    0 => err = None,
                    bytes => self.printed.take_stderr(&err_bytes[..bytes]),
                },
                ended = self.child.wait(), if working => {
                    status = Some(ended);
                    grace_end = Instant::now() + PIPE_GRACE;
                }
                Ok(()) = stop_asked.changed() => {
                    let signal = *stop_asked.borrow_and_update();
                    if let Some(signal) = signal && working {
                        self.stop(ExitReason::Stopped, signal);
                    }
                }
                told = self.stdin.write(), if self.stdin.is_writing() => if let Some(told) = told {
                    self.run.append(told.done(), now());
                },
                // One after the other: what waits here has not been promised to anybody.
                Some(queued) = receive(&mut commands), if !self.stdin.is_writing() => self.fulfil(queued),
                () = sleep_until(unended.unwrap_or(alarm)), if unended.is_some() => {
                    self.printed.tell_unended(self.normaliser);
                }
                () = sleep_until(alarm) => if working { self.late() },
            }
        };
        self.group = None;
        self.printed.finish(self.normaliser);
        self.exit(&status)
    }

    fn take_stdout(&mut self, bytes: &[u8]) {
        if self.printed.take_stdout(self.normaliser, bytes) {
            self.idle_since = None;
        }
        while self.waiting_max.is_some()
            && let Some(said) = self.normaliser.talk().and_then(Talk::owed)
        {
            self.stdin.push(said);
        }
        if self.ending == Some(Ending::Interrupted) && self.normaliser.finished() {
            self.terminate();
        }
    }

    /// Hands a command on to the agent.
    fn fulfil(&mut self, queued: QueuedCommand) {
        let Some((command, outcome)) = queued.take() else { return };
        let Some(talk) = self.normaliser.talk() else { return };
        let said = match command {
            AgentCommand::Message(text) => Ok(talk.message(&text, OPERATOR)),
            AgentCommand::Answer { answer, by } => talk.answer(&answer, &by),
        };
        match said {
            Ok(said) => self.stdin.push_command(said, outcome),
            Err(error) => {
                let _ = outcome.send(Err(error));
            }
        }
    }

    fn is_idle(&mut self) -> bool {
        self.waiting_max.is_some() && self.normaliser.talk().is_some_and(|talk| talk.is_idle())
    }

    /// When something is due that nothing but the clock tells.
    fn alarm(&mut self) -> Instant {
        let Some(waiting_max) = self.waiting_max.filter(|_| self.ending.is_none()) else { return self.deadline };
        if !self.is_idle() {
            self.idle_since = None;
            return self.deadline;
        }
        let can_go_on = self.normaliser.can_go_on();
        let since = *self.idle_since.get_or_insert_with(Instant::now);
        self.deadline.min(since + if can_go_on { waiting_max.max(SETTLE) } else { SETTLE })
    }

    /// Asks the process to end. The first reason stays: a stop during a timeout is a timeout.
    fn stop(&mut self, reason: ExitReason, signal: StopSignal) {
        if self.ended_by.is_some() {
            if signal == StopSignal::Kill {
                self.kill();
            } // else it has been asked already, and its time runs
            return;
        }
        self.ended_by = Some(reason);
        self.run.append(vec![AgentStatusChanged { status: Status::Stopping }.into()], now());
        if signal == StopSignal::Kill {
            return self.kill();
        }
        let listens = self.waiting_max.is_some() && self.stdin.is_open();
        match self.normaliser.talk().filter(|_| listens).and_then(Talk::interrupt) {
            // So that it tells how its calls ended and what the turn cost.
            Some(said) => {
                self.stdin.push(said);
                self.step(Ending::Interrupted, INTERRUPT_LIMIT);
            }
            None => self.terminate(),
        }
    }

    /// A time is over.
    fn late(&mut self) {
        let waited_enough = Instant::now() < self.deadline || self.is_idle();
        match self.ending {
            None if waited_enough => {
                self.ended_by = Some(ExitReason::Completed);
                self.stdin.close();
                self.step(Ending::InputClosed, STOP_GRACE);
            }
            None => self.stop(ExitReason::Timeout, StopSignal::Term),
            Some(Ending::Interrupted | Ending::InputClosed) => self.terminate(),
            Some(Ending::Signalled) => self.kill(),
        }
    }

    fn terminate(&mut self) {
        self.stdin.close();
        self.signal(StopSignal::Term);
        self.step(Ending::Signalled, STOP_GRACE);
    }

    fn kill(&mut self) {
        self.killed = true;
        self.signal(StopSignal::Kill);
        self.step(Ending::Signalled, STOP_GRACE); // nothing survives it, but the kernel may take its time
    }

    fn step(&mut self, ending: Ending, time: Duration) {
        (self.ending, self.deadline) = (Some(ending), Instant::now() + time);
    }

    fn signal(&self, signal: StopSignal) {
        if let Some(group) = &self.group {
            group.signal(signal);
        }
    }

    fn exit(self, status: &io::Result<ExitStatus>) -> AgentExited {
        let (exit_code, signal) = match status {
            Ok(status) => (status.code(), status.signal().map(signal_name)),
            Err(_) => (None, None),
        };
        let failure = self.normaliser.failure();
        let reason = match (self.ended_by, exit_code, failure) {
            (Some(ExitReason::Completed), _, Some(_)) => ExitReason::Failed,
            (Some(reason), _, _) => reason,
            (None, Some(0), None) if self.normaliser.finished() => ExitReason::Completed,
            (None, _, _) => ExitReason::Failed,
        };
        let message = match reason {
            ExitReason::Completed => None,
            ExitReason::Stopped if self.killed => Some("it was stopped with SIGKILL".to_owned()),
            ExitReason::Stopped => Some("it was stopped".to_owned()),
            ExitReason::Timeout => Some("it took longer than it was given".to_owned()),
            // A budget is the town's, and the silence, too: neither is said from here.
            ExitReason::Failed | ExitReason::BudgetExceeded | ExitReason::Lost => {
                Some(match (failure, exit_code, &signal) {
                    (Some(failure), _, _) => failure.to_owned(),
                    (None, Some(0), _) => self.with_reason("it ended before its turn was over".to_owned()),
                    (None, Some(code), _) => self.with_reason(format!("it ended with exit code {code}")),
                    (None, None, Some(signal)) => self.with_reason(format!("it was ended by {signal}")),
                    (None, None, None) => "its end could not be observed".to_owned(),
                })
            }
        };
        AgentExited {
            reason,
            exit_code,
            signal,
            message: message.map(|text| townwatch_agents::cut::text(&text, 4 << 10)),
        }
    }

    fn with_reason(&self, message: String) -> String {
        match self.printed.failure_reason() {
            Some(line) => format!("{message}: {line}"),
            None => message,
        }
    }
}

/// One read; 0 is the end, also where the pipe is broken.
async fn read(pipe: &mut Option<impl AsyncRead + Unpin>, bytes: &mut [u8]) -> usize {
    match pipe {
        Some(pipe) => pipe.read(bytes).await.unwrap_or(0),
        None => 0,
    }
}

async fn receive(commands: &mut Option<CommandReceiver>) -> Option<QueuedCommand> {
    commands.as_mut()?.recv().await
}

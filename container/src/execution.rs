//! A run whose agent is a process: the process at work, from its start to its one end.
//!
//! One task reads both pipes, the process's end, the order to stop and the clock, and writes the agent's input. Lines
//! are read, understood and appended in this task, so the order of a run's events is the order of its output. An agent
//! that prints faster than that is slowed down by its own pipe, and no queue in between can grow. The run's [`Life`]
//! decides when and how the process is made to end.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use tokio::time::{Instant, sleep_until};
use townwatch_agents::normalise::{InputProtocol, Normalise, RunContext};
use townwatch_host::{now, run_context_of};
use townwatch_protocol::event::{AgentExited, AgentStatusChanged, EventData, ExitReason, Status, StopSignal};
use townwatch_protocol::wire::StartAgent;

use crate::command::{AgentCommand, CommandInbox, CommandReceiver, OPERATOR, QueuedCommand};
use crate::group::Group;
use crate::life::{Action, End, Life, PIPE_GRACE, Program, Turn};
use crate::printed::{Printed, READ_BYTES};
use crate::room::Room;
use crate::run::RunHandle;
use crate::runtimes::{self, Input};
use crate::stdin::Stdin;

/// Follows a process that was started for an order up to its end, and gives that end. `timeout` is the time limit of
/// the run.
pub(crate) async fn follow(
    run: &RunHandle,
    order: &StartAgent,
    room: &Room,
    (child, group): (Child, Group),
    input: Input,
    inbox: Option<CommandInbox>,
    timeout: Duration,
) -> AgentExited {
    let context = RunContext { takes_messages: inbox.is_some(), ..run_context_of(room.dir()) };
    let mut normaliser = runtimes::normaliser(order, context);
    normaliser.remember(&run.town.threads);
    let (waiting_max, commands) = inbox.map(|inbox| (inbox.waiting_max, inbox.commands)).unzip();
    let life = Life::new(Program::Process, timeout, waiting_max, Instant::now());
    let execution = Execution::new(run, &mut *normaliser, child, group, input, life);
    let exit = execution.follow(commands).await;
    let mut events = normaliser.end(exit.reason == ExitReason::Completed, now());
    events.extend(runtimes::not_signed_in(order.runtime, &exit).map(EventData::from));
    run.append(events, now());
    exit
}

/// A process at work.
struct Execution<'a> {
    run: &'a RunHandle,
    normaliser: &'a mut dyn Normalise,
    child: Child,
    group: Group,
    stdin: Stdin,
    printed: Printed<'a>,
    life: Life,
}

impl<'a> Execution<'a> {
    fn new(
        run: &'a RunHandle,
        normaliser: &'a mut dyn Normalise,
        mut child: Child,
        group: Group,
        input: Input,
        life: Life,
    ) -> Self {
        let stdin = Stdin::new(child.stdin.take(), input);
        Self { run, normaliser, child, group, stdin, printed: Printed::new(run), life }
    }

    async fn follow(mut self, mut commands: Option<CommandReceiver>) -> AgentExited {
        let mut stop = self.run.stop.clone();
        let (mut out, mut err) = (self.child.stdout.take(), self.child.stderr.take());
        let (mut out_bytes, mut err_bytes) = (vec![0; READ_BYTES], vec![0; READ_BYTES]);
        // The process's own end, and the time until which its pipes are read.
        let mut ended = None;
        let status = loop {
            if let Some((status, _)) =
                ended.take_if(|(_, grace_end)| (out.is_none() && err.is_none()) || Instant::now() >= *grace_end)
            {
                break status;
            }
            if ended.is_some() || !self.life.is_working() {
                commands = None;
            }
            let grace_end = ended.as_ref().map(|(_, grace_end)| *grace_end);
            let due = grace_end.unwrap_or_else(|| self.life.due(turn(self.normaliser), Instant::now()));
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
                status = self.child.wait(), if ended.is_none() => {
                    ended = Some((status.ok(), Instant::now() + PIPE_GRACE));
                }
                order = stop.next(), if ended.is_none() => {
                    let actions = self.life.stop(order, Instant::now());
                    self.perform(actions);
                }
                delivery = self.stdin.write(), if self.stdin.is_writing() => if let Some(delivery) = delivery {
                    self.run.append(delivery.done(), now());
                },
                // Commands are taken one after the other: no waiting command has been confirmed to anybody yet.
                Some(queued) = receive(&mut commands), if !self.stdin.is_writing() => self.fulfil(queued),
                () = sleep_until(unended.unwrap_or(due)), if unended.is_some() => {
                    self.printed.tell_unended(self.normaliser);
                }
                () = sleep_until(due) => if ended.is_none() {
                    let actions = self.life.time_over(turn(self.normaliser), Instant::now());
                    self.perform(actions);
                },
            }
        };
        drop(self.group); // before the last lines are told: nothing that it started works on
        self.printed.finish(self.normaliser);
        self.life.exit(&End {
            status,
            failure: self.normaliser.failure(),
            is_finished: self.normaliser.finished(),
            last_line: self.printed.failure_reason(),
        })
    }

    fn take_stdout(&mut self, bytes: &[u8]) {
        if self.printed.take_stdout(self.normaliser, bytes) {
            self.life.happened();
        }
        while self.life.takes_messages()
            && let Some(line) = self.normaliser.input_protocol().and_then(InputProtocol::owed)
        {
            self.stdin.push(line);
        }
        if self.normaliser.finished() {
            let actions = self.life.turn_over(Instant::now());
            self.perform(actions);
        }
    }

    /// Gives a command to the agent.
    fn fulfil(&mut self, queued: QueuedCommand) {
        let Some((command, outcome)) = queued.take() else { return };
        let Some(input_protocol) = self.normaliser.input_protocol() else { return };
        let line = match command {
            AgentCommand::Message(text) => Ok(input_protocol.message(&text, OPERATOR)),
            AgentCommand::Answer { answer, by } => input_protocol.answer(&answer, &by),
        };
        match line {
            Ok(line) => self.stdin.push_command(line, outcome),
            Err(error) => {
                let _ = outcome.send(Err(error));
            }
        }
    }

    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Announce => {
                    self.run.append(vec![AgentStatusChanged { status: Status::Stopping }.into()], now());
                }
                Action::Interrupt => self.interrupt(),
                Action::CloseInput => self.stdin.close(),
                Action::Terminate => {
                    self.stdin.close();
                    self.group.signal(StopSignal::Term);
                }
                Action::Kill => self.group.signal(StopSignal::Kill),
            }
        }
    }

    fn interrupt(&mut self) {
        let listens = self.life.takes_messages() && self.stdin.is_open();
        let Some(line) = self.normaliser.input_protocol().filter(|_| listens).and_then(InputProtocol::interrupt) else {
            let actions = self.life.turn_over(Instant::now());
            return self.perform(actions);
        };
        self.stdin.push(line);
    }
}

/// The agent's turn. An agent without an input protocol never reports what it does, so its turn counts as open.
fn turn(normaliser: &mut dyn Normalise) -> Turn {
    let can_go_on = normaliser.can_go_on();
    match normaliser.input_protocol() {
        Some(input_protocol) if input_protocol.is_idle() => Turn::Idle { can_go_on },
        _ => Turn::Open,
    }
}

/// Reads once from a pipe. 0 is the end, even if the pipe is broken.
async fn read(pipe: &mut Option<impl AsyncRead + Unpin>, bytes: &mut [u8]) -> usize {
    match pipe {
        Some(pipe) => pipe.read(bytes).await.unwrap_or(0),
        None => 0,
    }
}

async fn receive(commands: &mut Option<CommandReceiver>) -> Option<QueuedCommand> {
    commands.as_mut()?.recv().await
}

//! A run whose agent is a server with an HTTP API: its process, from its start to its one end. The run's [`Life`]
//! decides when and how the process is made to end.

mod catch_up;
mod commands;
mod conversation;
mod server;

use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Child;
use tokio::time::{Instant, sleep_until};
use townwatch_host::now;
use townwatch_protocol::event::{AgentExited, AgentStatusChanged, ExitReason, Status, StopSignal};
use townwatch_protocol::wire::StartAgent;

use self::conversation::Conversation;
use self::server::Pipes;
use crate::command::CommandInbox;
use crate::group::Group;
use crate::life::{Action, End, Life, Program, Turn};
use crate::room::Room;
use crate::run::RunHandle;
use crate::runtimes::Launch;
use crate::runtimes::opencode::password_variable;
use crate::stop::StopReceiver;

/// Follows a server that was started for an order up to its end, and gives that end. `timeout` is the time limit of the
/// run.
pub(crate) async fn follow(
    run: &RunHandle,
    order: &StartAgent,
    room: &Room,
    (mut child, group): (Child, Group),
    launch: &Launch,
    inbox: CommandInbox,
    timeout: Duration,
) -> AgentExited {
    let name = launch.program.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let password = launch.variables.iter().find(|(name, _)| *name == password_variable(order.runtime));
    let password = password.map_or("", |(_, password)| password.as_str());
    let (pipes, address) = Pipes::read(run, &mut child);
    let CommandInbox { commands, waiting_max } = inbox;
    let mut life = Life::new(Program::Server(name), timeout, Some(waiting_max), Instant::now());
    let mut conversation = Conversation::new(run, order, room.dir(), commands);
    let mut stop = run.stop.clone();
    let deadline = life.due(Turn::Open, Instant::now()); // the server is not up yet, so nobody waits
    let actions = tokio::select! {
        held = conversation.hold(&mut life, address, password) => Ok(match held {
            Ok(()) => life.time_over(conversation.turn(), Instant::now()),
            Err(problem) => life.broke(problem, Instant::now()),
        }),
        status = child.wait() => Err(status.ok()),
        order = stop.next() => Ok(life.stop(order, Instant::now())),
        () = sleep_until(deadline) => Ok(life.time_over(conversation.turn(), Instant::now())),
    };
    let status = match actions {
        Ok(actions) => end(run, &mut life, &mut conversation, &mut stop, (&mut child, &group), actions).await,
        Err(status) => status,
    };
    drop(group); // before the pipes are read to their end: nothing that it started holds them open
    let last_line = pipes.last_line().await;
    let failure = conversation.failure();
    let exit = life.exit(&End { status, failure, is_finished: true, last_line: last_line.as_deref() });
    conversation.end(exit.reason == ExitReason::Completed);
    exit
}

/// Makes the server end, by these actions and those that follow; gives its exit.
async fn end(
    run: &RunHandle,
    life: &mut Life,
    conversation: &mut Conversation<'_>,
    stop: &mut StopReceiver,
    (child, group): (&mut Child, &Group),
    mut actions: Vec<Action>,
) -> Option<ExitStatus> {
    loop {
        let mut interrupts = false;
        for action in actions {
            match action {
                Action::Announce => run.append(vec![AgentStatusChanged { status: Status::Stopping }.into()], now()),
                Action::Interrupt => interrupts = true,
                Action::CloseInput => {} // it reads none
                Action::Terminate => group.signal(StopSignal::Term),
                Action::Kill => group.signal(StopSignal::Kill),
            }
        }
        let due = life.due(conversation.turn(), Instant::now());
        actions = tokio::select! {
            () = conversation.interrupt(), if interrupts => life.turn_over(Instant::now()),
            status = child.wait() => return status.ok(),
            actions = ordered(stop, life) => actions,
            () = sleep_until(due) => life.time_over(conversation.turn(), Instant::now()),
        };
    }
}

/// Waits for an order to stop that leads to actions.
async fn ordered(stop: &mut StopReceiver, life: &mut Life) -> Vec<Action> {
    loop {
        let actions = life.stop(stop.next().await, Instant::now());
        if !actions.is_empty() {
            return actions;
        }
    }
}

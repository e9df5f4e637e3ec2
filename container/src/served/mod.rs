//! A run whose agent is a server with an HTTP API: its process, from its start to its one end.
//!
//! The end of a turn is not the end of the run: the agent waits for what it is told next. But one that nobody tells
//! anything would keep its container awake for ever, so a run ends by itself once it has waited long enough: `completed`,
//! also where the time that it was given is over while it waits, or `failed` where its last turn failed, which nobody has
//! to wait for.

mod catch_up;
mod commands;
mod conversation;
mod server;

use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use townwatch_host::now;
use townwatch_protocol::event::{AgentExited, AgentStatusChanged, ExitReason, Status, StopSignal};
use townwatch_protocol::wire::StartAgent;

use self::conversation::Conversation;
use self::server::Pipes;
use crate::command::Inbox;
use crate::executor::{STOP_GRACE, spawn, spawn_failure, timeout_of};
use crate::group::Group;
use crate::room::Room;
use crate::run::Run;
use crate::runtimes::Launch;
use crate::runtimes::opencode::password_variable;

/// How long an agent may take to interrupt its turn, before its server is asked to end too.
const INTERRUPT_LIMIT: Duration = Duration::from_secs(3);

/// Why a conversation is over.
enum Over {
    /// The agent has nothing to do, and nobody told it anything.
    Idle,
    /// It cannot go on.
    Broken(String),
    /// The server has ended by itself.
    Died(Option<ExitStatus>),
    Stopped(StopSignal),
    Late,
}

/// Executes a run up to its end, which it gives.
pub(crate) async fn work(run: &Run, order: &StartAgent, launch: Launch, room: &Room, inbox: Inbox) -> AgentExited {
    let deadline = Instant::now() + timeout_of(order);
    let program = launch.program.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let password = launch.variables.iter().find(|(name, _)| *name == password_variable(order.runtime));
    let password = password.map_or_else(String::new, |(_, password)| password.clone());
    let (mut child, group) = match spawn(run, order, &launch, room) {
        Ok(spawned) => spawned,
        Err(error) => {
            let message = Some(spawn_failure(&launch, &error));
            return AgentExited { reason: ExitReason::Failed, exit_code: None, signal: None, message };
        }
    };
    run.append(vec![AgentStatusChanged { status: Status::Running }.into()], now());
    let (pipes, address) = Pipes::read(run, &mut child);
    let mut conversation = Conversation::new(run, order, room.dir(), inbox);
    let mut stop_asked = run.stop_asked.clone();
    let mut over = tokio::select! {
        over = conversation.hold(address, &password) => over,
        status = child.wait() => Over::Died(status.ok()),
        signal = asked(&mut stop_asked) => Over::Stopped(signal),
        () = sleep_until(deadline) => Over::Late,
    };
    if matches!(over, Over::Late) && conversation.is_idle() {
        over = Over::Idle;
    }
    if matches!(over, Over::Stopped(_) | Over::Late) {
        run.append(vec![AgentStatusChanged { status: Status::Stopping }.into()], now());
    }
    if matches!(over, Over::Stopped(StopSignal::Term) | Over::Late) {
        tokio::select! {
            _ = timeout(INTERRUPT_LIMIT, conversation.interrupt()) => {}
            _ = child.wait() => {}
            () = asked_to_kill(&mut stop_asked) => {}
        }
    }
    let killed = end(&mut child, group, &over, &mut stop_asked).await;
    let last_words = pipes.last_words().await;
    exit(&mut conversation, over, &program, killed, last_words.as_deref())
}

/// Ends the server and all that it started; whether it had to be killed.
async fn end(
    child: &mut Child,
    group: Group,
    over: &Over,
    stop_asked: &mut watch::Receiver<Option<StopSignal>>,
) -> bool {
    if matches!(over, Over::Died(_)) {
        return false;
    }
    if !matches!(over, Over::Stopped(StopSignal::Kill)) {
        group.signal(StopSignal::Term);
        tokio::select! {
            ended = timeout(STOP_GRACE, child.wait()) => if ended.is_ok() { return false },
            () = asked_to_kill(stop_asked) => {}
        }
    }
    group.signal(StopSignal::Kill);
    let _ = timeout(STOP_GRACE, child.wait()).await;
    true
}

fn exit(
    conversation: &mut Conversation<'_>,
    over: Over,
    program: &str,
    killed: bool,
    last_words: Option<&str>,
) -> AgentExited {
    let with_last_words = |message: String| match last_words {
        Some(last) => format!("{message}: {last}"),
        None => message,
    };
    let failure = conversation.failure();
    let (reason, message) = match (over, failure) {
        (Over::Idle, None) => (ExitReason::Completed, None),
        (Over::Idle, Some(failure)) => (ExitReason::Failed, Some(failure)),
        (Over::Broken(problem), _) => (ExitReason::Failed, Some(with_last_words(problem))),
        (Over::Died(status), _) => {
            let how = status.map_or_else(|| "in a way that was not seen".to_owned(), |status| format!("with {status}"));
            (ExitReason::Failed, Some(with_last_words(format!("the server of {program} ended by itself {how}"))))
        }
        (Over::Stopped(_), _) if killed => (ExitReason::Stopped, Some("it was stopped with SIGKILL".to_owned())),
        (Over::Stopped(_), _) => (ExitReason::Stopped, Some("it was stopped".to_owned())),
        (Over::Late, _) => (ExitReason::Timeout, Some("it took longer than it was given".to_owned())),
    };
    conversation.end(reason == ExitReason::Completed);
    // How the server's process ended is nobody's business: it was asked to.
    AgentExited {
        reason,
        exit_code: None,
        signal: None,
        message: message.map(|text| townwatch_agents::cut::text(&text, 4 << 10)),
    }
}

async fn asked(stop_asked: &mut watch::Receiver<Option<StopSignal>>) -> StopSignal {
    let signal = stop_asked.wait_for(Option::is_some).await.map(|signal| signal.unwrap_or(StopSignal::Term));
    match signal {
        Ok(signal) => signal,
        Err(_) => std::future::pending().await, // nobody is left who could ask
    }
}

async fn asked_to_kill(stop_asked: &mut watch::Receiver<Option<StopSignal>>) {
    let asked = stop_asked.wait_for(|signal| *signal == Some(StopSignal::Kill)).await.is_ok();
    if !asked {
        std::future::pending::<()>().await;
    }
}

//! The execution of a run, up to its one end.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use shlex::Quoter;
use tokio::process::Child;
use townwatch_agents::normalise::{RunContext, is_served};
use townwatch_host::{now, run_context_of};
use townwatch_protocol::event::{
    AgentExited, AgentStatusChanged, EventData, ExitReason, MessageSource, Runtime, Status, UserMessage,
};
use townwatch_protocol::limits::TIMEOUT_SECONDS_DEFAULT;
use townwatch_protocol::wire::StartAgent;

use crate::checkout::checkout;
use crate::command::{Inbox, OPERATOR};
use crate::config::Config;
use crate::execution::Execution;
use crate::files::Files;
use crate::group::Group;
use crate::lease;
use crate::room::Room;
use crate::run::Run;
use crate::runtimes::{self, Input, Launch};
use crate::served;

/// A run ends at the latest after this where its order names nothing.
/// From SIGTERM to SIGKILL.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(5);

/// Executes a run, up to its `agent.exited`, in a task of its own. An agent that takes messages waits for one only so long
/// as is set.
pub fn start(run: Run, order: StartAgent, launch: Launch, room: Room, config: &Config) {
    let Config { waiting_max, lease, .. } = *config;
    let ended = run.clone();
    let inbox = runtimes::takes_messages(order.runtime).then(|| Inbox { commands: run.listen(), waiting_max });
    let executing = tokio::spawn(async move { execute(run, order, launch, room, inbox, lease).await });
    tokio::spawn(async move {
        // A run has an end even where a fault of ours cuts it short; its group was killed as the task unwound.
        if executing.await.is_err() {
            ended.fail("a fault of the control server ended it; it is in the log");
        }
    });
}

async fn execute(run: Run, order: StartAgent, launch: Launch, room: Room, inbox: Option<Inbox>, lease: Duration) {
    run.append(told_at_first(&order), now());
    let mut exit = match checkout(&run, &order, &room).await {
        Ok(()) => {
            let is_replay = order.runtime == Runtime::Replay; // which works nowhere
            run.append(session(&order, room.dir()), now());
            let files = if is_replay { None } else { Files::watch(&run, room.dir()).await };
            let exit = match inbox {
                Some(inbox) if is_served(order.runtime) => served::work(&run, &order, launch, &room, inbox).await,
                inbox => work(&run, &order, launch, &room, inbox).await,
            };
            if let Some(files) = files {
                files.end().await;
            }
            exit
        }
        Err(exit) => exit,
    };
    if exit.reason == ExitReason::Failed
        && let Some(bound) = room.confinement().reached(&exit)
    {
        exit.message = Some(match exit.message {
            Some(message) => format!("{message}; {bound}"),
            None => bound,
        });
    }
    // What it leaves may be much to put away.
    let _ = tokio::task::spawn_blocking(move || drop(room)).await;
    if exit.reason == ExitReason::Stopped && run.town.is_unasked(&run) {
        exit.message = Some(lease::message(lease));
    }
    crate::log::write(
        "run_ended",
        serde_json::json!({
            "agent_id": run.agent_id(), "run_id": run.run_id(),
            "reason": exit.reason, "exit_code": exit.exit_code, "signal": exit.signal,
        }),
    );
    run.end(exit, now());
}

/// What a run begins with: the words of a person.
fn told_at_first(order: &StartAgent) -> Vec<EventData> {
    let words = order.command.as_deref().unwrap_or_default().iter().map(String::as_str);
    let command = (order.runtime == Runtime::Process).then(|| Quoter::new().allow_nul(true).join(words).ok()).flatten();
    let prompt = order.prompt.clone().filter(|prompt| !prompt.trim().is_empty());
    let said = prompt.map(|text| (text, MessageSource::Prompt)).into_iter();
    let said = said.chain(command.map(|text| (text, MessageSource::Command)));
    let message = |(text, source)| {
        UserMessage { text, by: OPERATOR.to_owned(), source, message_id: None, parent_tool_use_id: None }.into()
    };
    said.map(message).collect()
}

/// Where a program works that does not say so itself. What was recorded worked elsewhere, and may say where.
fn session(order: &StartAgent, working_dir: &Path) -> Vec<EventData> {
    let here = run_context_of(working_dir);
    match order.runtime {
        Runtime::Process => vec![here.unnamed_session().into()],
        Runtime::Replay => {
            let RunContext { hostname, os, in_container, .. } = here;
            vec![RunContext { hostname, os, in_container, ..RunContext::default() }.unnamed_session().into()]
        }
        _ => Vec::new(),
    }
}

async fn work(run: &Run, order: &StartAgent, launch: Launch, room: &Room, inbox: Option<Inbox>) -> AgentExited {
    let context = RunContext { takes_messages: inbox.is_some(), ..run_context_of(room.dir()) };
    let mut normaliser = runtimes::normaliser(order, context);
    normaliser.remember(&run.town.threads);
    match spawn(run, order, &launch, room) {
        Ok((child, group)) => {
            run.append(vec![AgentStatusChanged { status: Status::Running }.into()], now());
            let execution = Execution::new(run, &mut *normaliser, child, group, timeout_of(order));
            let exit = execution.follow(launch.input, inbox).await;
            let mut events = normaliser.end(exit.reason == ExitReason::Completed, now());
            events.extend(runtimes::not_signed_in(order.runtime, &exit).map(EventData::from));
            run.append(events, now());
            exit
        }
        Err(error) => {
            let message = Some(spawn_failure(&launch, &error));
            AgentExited { reason: ExitReason::Failed, exit_code: None, signal: None, message }
        }
    }
}

/// The time that a run is given.
pub(crate) fn timeout_of(order: &StartAgent) -> Duration {
    Duration::from_secs(order.timeout_seconds.unwrap_or(TIMEOUT_SECONDS_DEFAULT))
}

/// Starts the run's process.
pub(crate) fn spawn(run: &Run, order: &StartAgent, launch: &Launch, room: &Room) -> io::Result<(Child, Group)> {
    let (mut command, leader) = room.command(order.runtime, &launch.program, &launch.arguments);
    command.envs(launch.variables.iter().map(|(name, value)| (name, value)));
    command.envs(order.env_vars.iter().flatten());
    command.stdin(if launch.input == Input::None { Stdio::null() } else { Stdio::piped() });
    Group::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()), run.run_id(), leader, room.confinement())
}

/// Why it could not be started, for a person.
pub(crate) fn spawn_failure(launch: &Launch, error: &io::Error) -> String {
    let program = launch.program.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("`{program}` was not found; install it, or give its full path"),
        io::ErrorKind::PermissionDenied => format!("`{program}` may not be executed by the run's user"),
        _ => format!("`{program}` could not be started: {error}"),
    }
}

//! The execution of a run, up to its one end.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use shlex::Quoter;
use tokio::process::Child;
use townwatch_agents::normalise::RunContext;
use townwatch_host::{now, run_context_of};
use townwatch_protocol::event::{
    AgentExited, AgentStatusChanged, EventData, ExitReason, MessageSource, Status, UserMessage,
};
use townwatch_protocol::limits::TIMEOUT_SECONDS_DEFAULT;
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::wire::StartAgent;

use crate::checkout::checkout;
use crate::command::{CommandInbox, OPERATOR};
use crate::config::Config;
use crate::files::Files;
use crate::group::Group;
use crate::room::Room;
use crate::run::RunHandle;
use crate::runtimes::{Input, Launch};
use crate::{execution, life, served};

/// Executes a run, up to its `agent.exited`, in a task of its own. An agent that takes messages waits for the next one
/// as long as the setting allows.
pub fn start(run: RunHandle, order: StartAgent, launch: Launch, room: Room, config: &Config) {
    let waiting_max = config.waiting_max;
    let ended = run.clone();
    let inbox = order.runtime.takes_messages().then(|| CommandInbox { commands: run.listen(), waiting_max });
    let executing = tokio::spawn(async move { execute(run, order, launch, room, inbox).await });
    tokio::spawn(async move {
        // A run has an end even if a fault of ours breaks it off. Its group was killed when the task unwound.
        if executing.await.is_err() {
            ended.fail(life::FAULT);
        }
    });
}

async fn execute(run: RunHandle, order: StartAgent, launch: Launch, room: Room, inbox: Option<CommandInbox>) {
    run.append(told_at_first(&order), now());
    let mut exit = match checkout(&run, &order, &room).await {
        Ok(()) => {
            let is_replay = order.runtime == Runtime::Replay; // which works nowhere
            run.append(session(&order, room.dir()), now());
            let files = if is_replay { None } else { Files::watch(&run, room.dir()).await };
            let exit = work(&run, &order, launch, &room, inbox).await;
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
        exit = life::with_bound(exit, bound);
    }
    // The removal of the room may take long, so it has a thread of its own.
    let _ = tokio::task::spawn_blocking(move || drop(room)).await;
    crate::log::write(
        "run_ended",
        serde_json::json!({
            "agent_id": run.agent_id(), "run_id": run.run_id(),
            "reason": exit.reason, "exit_code": exit.exit_code, "signal": exit.signal,
        }),
    );
    run.end(exit, now());
}

/// The messages of a person with which a run begins: its prompt or its command.
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

/// The session of a program that does not report itself where it works. A recording worked elsewhere, and may report
/// where.
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

/// Runs the order's program up to its end.
async fn work(
    run: &RunHandle,
    order: &StartAgent,
    launch: Launch,
    room: &Room,
    inbox: Option<CommandInbox>,
) -> AgentExited {
    let started = match spawn(run, order, &launch, room) {
        Ok(started) => started,
        Err(error) => return life::not_started(&launch.program, &error),
    };
    run.append(vec![AgentStatusChanged { status: Status::Running }.into()], now());
    let timeout = Duration::from_secs(order.timeout_seconds.unwrap_or(TIMEOUT_SECONDS_DEFAULT));
    match inbox {
        Some(inbox) if order.runtime.is_served() => {
            served::follow(run, order, room, started, &launch, inbox, timeout).await
        }
        inbox => execution::follow(run, order, room, started, launch.input, inbox, timeout).await,
    }
}

fn spawn(run: &RunHandle, order: &StartAgent, launch: &Launch, room: &Room) -> io::Result<(Child, Group)> {
    let (mut command, leader) = room.command(order.runtime, &launch.program, &launch.arguments);
    command.envs(launch.variables.iter().map(|(name, value)| (name, value)));
    command.envs(order.env_vars.iter().flatten());
    command.stdin(if launch.input == Input::None { Stdio::null() } else { Stdio::piped() });
    Group::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()), run.run_id(), leader, room.confinement())
}

//! The repository of an order, cloned into the run's working directory before its agent starts.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;
use townwatch_agents::summary;
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::event::AgentExited;
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::wire::StartAgent;

use crate::group::{Group, Leader};
use crate::life;
use crate::room::Room;
use crate::run::RunHandle;

/// The time limit of one step, 10 minutes.
const STEP_TIMEOUT: Duration = Duration::from_mins(10);
/// The part of git's output that is kept, 64 KiB. The rest is ignored.
const SAID_BYTES_MAX: u64 = 64 << 10;
/// The protocols by which git may reach a repository. `ext` is not among them, because it runs a command.
const PROTOCOLS: &str = "https:http:ssh:git:file";

/// Refuses an address or a branch that git would read as something else, for example as an option.
pub fn check(order: &StartAgent) -> Result<()> {
    let fields = [("git_url", &order.git_url), ("branch", &order.branch), ("default_branch", &order.default_branch)];
    for (field, text) in fields {
        if text.as_ref().is_some_and(|text| text.is_empty() || text.starts_with('-') || text.contains('\0')) {
            return Err(Error::invalid(field, "must not be empty, begin with a dash or contain a NUL character"));
        }
    }
    Ok(())
}

/// Clones the repository of the order. The error is the run's end. Git works outside of the run's sandbox, if there is
/// one, because it needs the person's keys, which the agent does not get.
pub async fn checkout(run: &RunHandle, order: &StartAgent, room: &Room) -> std::result::Result<(), AgentExited> {
    let Some(url) = order.git_url.as_deref().filter(|_| order.runtime != Runtime::Replay) else { return Ok(()) };
    let mut stop = run.stop.clone();
    let steps = async {
        let from: Vec<&str> = order.default_branch.iter().flat_map(|branch| ["--branch", branch]).collect();
        git(run, room, order, &[&["clone", "--quiet"], &from[..], &["--", url, "."]].concat()).await?;
        let Some(branch) = order.branch.as_deref() else { return Ok(()) };
        match git(run, room, order, &["switch", "--quiet", branch]).await {
            Ok(()) => Ok(()), // it exists, here or at the origin
            Err(_) => git(run, room, order, &["switch", "--quiet", "--create", branch]).await,
        }
    };
    tokio::select! {
        done = steps => done.map_err(|said| life::not_cloned(&said, url)),
        order = stop.next() => Err(life::stopped_while_cloned(order)),
    }
}

async fn git(run: &RunHandle, room: &Room, order: &StartAgent, arguments: &[&str]) -> std::result::Result<(), String> {
    let mut command = Command::new("git");
    room.dress(command.args(arguments));
    command.envs(order.env_vars.iter().flatten());
    command.envs([("GIT_TERMINAL_PROMPT", "0"), ("GIT_ALLOW_PROTOCOL", PROTOCOLS)]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // The group ends git and its helpers if this is given up.
    let (mut child, _group) = Group::spawn(&mut command, run.run_id(), Leader::Agent, room.confinement())
        .map_err(|error| format!("git could not be started: {error}"))?;
    let mut said = Vec::new();
    let status = tokio::time::timeout(STEP_TIMEOUT, async {
        if let Some(stderr) = child.stderr.take() {
            let _ = stderr.take(SAID_BYTES_MAX).read_to_end(&mut said).await;
        }
        child.wait().await
    });
    match status.await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(_)) => {
            let said = String::from_utf8_lossy(&said);
            Err(summary::line(said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("git said nothing")))
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it took longer than {} minutes", STEP_TIMEOUT.as_secs() / 60)),
    }
}

//! The programs that can be run here. Each program found is asked for its version once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::Mutex;
use townwatch_agents::recordings::RECORDINGS;
use townwatch_protocol::runtime::{Program, Runtime};
use townwatch_protocol::wire::RuntimeView;

use crate::environment;
use crate::runtimes;
use crate::search_path::find_on_path;
use crate::users::Users;

/// The time limit for a program to print its version, 5 s. A program that needs longer counts as one without a version.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// The part of the program's output that is read, 4 KiB. The rest is ignored.
const OUTPUT_BYTES_MAX: u64 = 4 << 10;

/// The versions of programs that were asked so far.
#[derive(Debug, Default)]
pub struct Versions {
    known: Mutex<HashMap<PathBuf, Option<String>>>,
}

impl Versions {
    /// Lists all runtimes, found or not. Each call searches `PATH` anew, so that a program that was installed meanwhile
    /// is found.
    pub async fn runtimes(&self, users: Option<&Users>) -> Vec<RuntimeView> {
        let mut known = self.known.lock().await; // held while asking: ten callers must not start ten probes
        let path = |runtime: &Runtime| runtime.program().and_then(|program| find_on_path(program.command));
        let found: Vec<_> = Runtime::ALL.iter().map(|runtime| (*runtime, path(runtime))).collect();
        let new: Vec<PathBuf> = found
            .iter()
            .filter_map(|(_, path)| path.as_ref())
            .filter(|path| !known.contains_key(*path))
            .cloned()
            .collect();
        let probes: Vec<_> = new
            .into_iter()
            .map(|path| {
                let command = version_command(&path, users);
                tokio::spawn(async move { (path, said(command).await) })
            })
            .collect();
        for probe in probes {
            if let Ok((path, version)) = probe.await {
                known.insert(path, version);
            }
        }
        let view = |(runtime, path): (Runtime, Option<PathBuf>)| {
            let version = path.as_ref().and_then(|path| known.get(path).cloned().flatten());
            if let Some(version) = &version {
                runtimes::saw(runtime, version);
            }
            let program = runtime.program();
            RuntimeView {
                name: runtime,
                found: path.is_some() || program.is_none(),
                version,
                install: program.map_or_else(String::new, Program::install_command),
                recordings: if runtime == Runtime::Replay { recordings() } else { Vec::new() },
            }
        };
        found.into_iter().map(view).collect()
    }
}

/// The recordings that can be replayed, the first one first.
fn recordings() -> Vec<String> {
    RECORDINGS.iter().map(|recording| recording.name.to_owned()).collect()
}

fn version_command(program: &Path, users: Option<&Users>) -> Command {
    let mut command = Command::new(program);
    command.arg("--version").env_clear().envs(environment::inherited());
    if let Some(users) = users {
        users.dress_probe(&mut command);
    }
    command
}

async fn said(command: Command) -> Option<String> {
    let output = tokio::time::timeout(PROBE_TIMEOUT, first_output(command)).await;
    let text = output.ok().flatten().unwrap_or_default();
    String::from_utf8_lossy(&text).lines().map(townwatch_agents::summary::line).find(|line| !line.is_empty())
}

async fn first_output(mut command: Command) -> Option<Vec<u8>> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().ok()?;
    let mut output = Vec::new();
    child.stdout.take()?.take(OUTPUT_BYTES_MAX).read_to_end(&mut output).await.ok()?;
    child.wait().await.ok()?.success().then_some(output)
}

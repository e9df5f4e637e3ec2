//! The program `townwatch-control`: it reads its settings, serves, and ends its agents before it ends itself.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use townwatch_control::app::app;
use townwatch_control::cgroup::{self, Cgroups};
use townwatch_control::config::Config;
use townwatch_control::control::Control;
use townwatch_control::mark::ServerMark;
use townwatch_control::runtimes::replay;
use townwatch_control::sandbox::{Permissions, Sandbox};
use townwatch_control::seal::seal;
use townwatch_control::work_dirs::{self, WorkDirs};
use townwatch_control::{confinement, lease, leftovers, orphans};
use townwatch_protocol::event::StopSignal;

/// The time for closing, 7 s: the 5 s that agents have from SIGTERM to SIGKILL, and a little more, so that their ends
/// are seen.
const CLOSE_TIME: Duration = Duration::from_secs(7);
/// The number of the signal `SIGXFSZ`.
const FILE_TOO_LARGE: i32 = 25;
/// The command that makes this program the guard, which outlives a control server and ends its remaining processes.
const GUARD_COMMAND: &str = "guard";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((command, rest)) if command == replay::PRINT_COMMAND => {
            return replay::print(rest, &mut std::io::stdout().lock()).map_or(ExitCode::from(1), ExitCode::from);
        }
        Some((command, [server, cgroups_dir @ ..])) if command == GUARD_COMMAND => match ServerMark::parse(server) {
            Some(server) => {
                leftovers::watch_over(&server, cgroups_dir.first().map(Path::new));
                Ok(())
            }
            None => Err(format!("{server:?} is no control server")),
        },
        Some((word, _)) => {
            Err(format!("unknown argument {word:?}; settings are environment variables: CONTROL_PORT, …"))
        }
        None => seal()
            .map_err(|error| format!("this process cannot be closed to others: {error}"))
            .and_then(|()| orphans::adopt().map_err(|error| format!("orphans cannot be adopted: {error}")))
            .and_then(|()| Config::read(|name| std::env::var(name).ok()))
            .and_then(run),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = writeln!(std::io::stderr(), "townwatch-control: {problem}");
            ExitCode::from(2)
        }
    }
}

fn run(config: Config) -> Result<(), String> {
    // This comes before the first request can: an agent never runs beside the remains of its last run.
    leftovers::end_of_the_gone();
    confinement::spare_this_process();
    config.run_limits.inherit(config.users.is_some()).map_err(|error| format!("runs cannot be bounded: {error}"))?;
    let cgroups = Cgroups::prepare().map(Arc::new);
    let guard =
        leftovers::guard(&config.own_program, GUARD_COMMAND, cgroups.as_ref().ok().map(|cgroups| cgroups.dir()))
            .map_err(|error| format!("its guard could not be started: {error}"))?;
    let outcome = serve(config, &cgroups);
    leftovers::end_all();
    drop(cgroups);
    drop(guard);
    outcome
}

#[tokio::main]
async fn serve(config: Config, cgroups: &Result<Arc<Cgroups>, String>) -> Result<(), String> {
    let listen = config.listen;
    let failed = |what: &str, error: std::io::Error| format!("{what}: {error}");
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| failed("SIGTERM", error))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| failed("SIGINT", error))?;
    // This server has the same bound of a file's size as its runs. A log that grows beyond it loses lines, and must not
    // end the server.
    let _log_is_full = signal(SignalKind::from_raw(FILE_TOO_LARGE)).map_err(|error| failed("SIGXFSZ", error))?;
    let listener =
        TcpListener::bind(listen).await.map_err(|error| failed(&format!("cannot listen on {listen}"), error))?;
    let address = listener.local_addr().map_err(|error| failed("the port", error))?;
    config.users.iter().for_each(|users| users.end_leftovers()); // before anything of theirs is removed
    let work_dirs = WorkDirs::open(&config.work_dir, config.work_dir_kept, config.users.is_some())
        .map_err(|error| failed("the agents' directories", error))?;
    if let Some(users) = &config.users {
        users.prepare(work_dirs.root()).map_err(|error| failed("the agents' directories", error))?;
    }
    if let Sandbox::Bubblewrap(bubblewrap) = &config.sandbox {
        bubblewrap.try_out().await?;
    }
    tokio::spawn(work_dirs::watch(work_dirs.clone()));
    let control = Control::new(config, work_dirs, cgroups.as_ref().ok().cloned());
    tokio::spawn(orphans::reap());
    tokio::spawn(lease::watch(control.clone()));
    let served = tokio::spawn(
        axum::serve(listener, app(control.clone()).into_make_service_with_connect_info::<SocketAddr>()).into_future(),
    );
    let told = (how_agents_run(&control.config), cgroup::how_runs_are_held(cgroups));
    let _ = writeln!(std::io::stdout(), "listening on http://{address}\n{}\n{}", told.0, told.1);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        ended = served => return Err(format!("the server ended: {ended:?}")),
    }
    // The server goes on serving meanwhile, so that the town can still fetch the ends of its agents.
    tokio::select! {
        () = control.close(StopSignal::Term, CLOSE_TIME) => {}
        _ = terminate.recv() => at_once(&control).await,
        _ = interrupt.recv() => at_once(&control).await,
    }
    Ok(())
}

/// The sentences that a person should know before an agent runs.
fn how_agents_run(config: &Config) -> String {
    let who = match (&config.sandbox, &config.users) {
        (Sandbox::Bubblewrap(_), _) => {
            "agents run in sandboxes (bubblewrap), one for each run: each sees the system's programs, its own directory, the \
             login of its own program, and the network"
        }
        (Sandbox::None | Sandbox::Image, Some(_)) => {
            "agents run as users of their own, one for each run, and cannot reach each other or this server"
        }
        (Sandbox::None | Sandbox::Image, None) => {
            "agents run as this server's own user: each can read your files and end or alter what else you run, this server \
             too; for agents that you do not trust set CONTROL_SANDBOX=bubblewrap (npm run dev -- --sandbox), or run it in \
             its container"
        }
    };
    let asks = match config.sandbox.permissions() {
        Permissions::Ask => "they ask before they do things, or are refused them where they can ask nobody",
        Permissions::All => "they do not ask, because they are in a sandbox",
    };
    format!("{who}; {asks}")
}

/// Ends all agents at once, because a person who asks twice does not want to wait.
async fn at_once(control: &Arc<Control>) {
    control.close(StopSignal::Kill, Duration::from_secs(1)).await;
}

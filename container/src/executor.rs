//! One run's process, from its start to its one end.
//!
//! One task reads both pipes, the process's end, the wish to stop and the clock. Lines are read, understood and
//! appended in this task, so the order of a run's events is the order of its output, and an agent that prints faster
//! than that is slowed down by its own pipe; nothing in between can grow.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::Instant;
use townwatch::event::{AgentExited, AgentStatusChanged, EventData, ExitReason, Status, StopSignal};
use townwatch::limits::STDOUT_LINE_BYTES_MAX;
use townwatch::protocol::StartAgent;

use crate::checkout::checkout;
use crate::environment;
use crate::group::{Group, signal_name};
use crate::lines::{Line, LineDecoder};
use crate::log::now;
use crate::normalise::{Meaning, Normalise};
use crate::redact::KeyLines;
use crate::run::Run;
use crate::runtimes::{self, Launch};
use crate::served;
use crate::stderr::{self, Stderr};
use crate::wish::Ear;

/// A run ends at the latest after this where its order names nothing.
const TIMEOUT_DEFAULT: Duration = Duration::from_mins(30);
/// From SIGTERM to SIGKILL.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(5);
/// What a process started may hold its pipes open; they are read no longer than this after the process's own end.
const PIPE_GRACE: Duration = Duration::from_secs(2);
/// One read of a pipe; what a Linux pipe holds.
const READ_BYTES: usize = 64 << 10;

/// Executes a run, up to its `agent.exited`, in a task of its own. An agent that takes messages waits for one at most
/// `waiting_max`.
pub fn start(run: Run, order: StartAgent, launch: Launch, working_dir: PathBuf, waiting_max: Duration) {
    let ended = run.clone();
    let ear = runtimes::is_served(order.runtime).then(|| run.listen());
    let served = ear.map(|ear| (ear, waiting_max));
    let executing = tokio::spawn(async move { execute(run, order, launch, &working_dir, served).await });
    tokio::spawn(async move {
        // A run has an end even where a fault of ours cuts it short; its group was killed as the task unwound.
        if executing.await.is_err() {
            ended.fail("a fault of the control server ended it; it is in the log");
        }
    });
}

async fn execute(run: Run, order: StartAgent, launch: Launch, working_dir: &Path, served: Option<(Ear, Duration)>) {
    let exit = match (checkout(&run, &order, working_dir).await, served) {
        (Ok(()), None) => work(&run, &order, launch, working_dir).await,
        (Ok(()), Some((ear, waiting_max))) => served::work(&run, &order, launch, working_dir, ear, waiting_max).await,
        (Err(exit), _) => exit,
    };
    let _ = std::fs::remove_dir(working_dir); // only an empty one goes: what an agent made is its work
    crate::log::write(
        "run_ended",
        serde_json::json!({
            "agent_id": run.agent_id(), "run_id": run.run_id(),
            "reason": exit.reason, "exit_code": exit.exit_code, "signal": exit.signal,
        }),
    );
    run.end(exit, now());
}

async fn work(run: &Run, order: &StartAgent, launch: Launch, working_dir: &Path) -> AgentExited {
    let mut normaliser = runtimes::normaliser(order, environment::place(working_dir));
    match spawn(order, &launch, working_dir) {
        Ok((child, group)) => {
            run.append(vec![AgentStatusChanged { status: Status::Running }.into()], now());
            let exit =
                Execution::new(run, &mut *normaliser, child, group, timeout_of(order)).follow(launch.input).await;
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
    order.timeout_seconds.map_or(TIMEOUT_DEFAULT, Duration::from_secs)
}

/// Starts the run's process.
pub(crate) fn spawn(order: &StartAgent, launch: &Launch, working_dir: &Path) -> io::Result<(Child, Group)> {
    let mut command = Command::new(&launch.program);
    command.args(&launch.arguments).current_dir(working_dir).env_clear().envs(environment::inherited());
    command.envs(launch.variables.iter().map(|(name, value)| (name, value)));
    command.envs(order.env_vars.iter().flatten());
    command.stdin(if launch.input.is_some() { Stdio::piped() } else { Stdio::null() });
    Group::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
}

/// Why it could not be started, for a person.
pub(crate) fn spawn_failure(launch: &Launch, error: &io::Error) -> String {
    let program = launch.program.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("`{program}` was not found; install it, or give its full path"),
        io::ErrorKind::PermissionDenied => format!("`{program}` may not be executed by the control server's user"),
        _ => format!("`{program}` could not be started: {error}"),
    }
}

/// A process at work.
struct Execution<'a> {
    run: &'a Run,
    normaliser: &'a mut dyn Normalise,
    child: Child,
    group: Option<Group>,
    stdout: LineDecoder,
    stderr: LineDecoder,
    stderr_events: Stderr,
    stdout_keys: KeyLines,
    stderr_keys: KeyLines,
    ended_by: Option<ExitReason>,
    /// The end of the time that the run is given, then of the time that its process is given to stop.
    deadline: Instant,
    killed: bool,
}

impl<'a> Execution<'a> {
    fn new(run: &'a Run, normaliser: &'a mut dyn Normalise, child: Child, group: Group, timeout: Duration) -> Self {
        Self {
            group: Some(group),
            stdout: LineDecoder::new(STDOUT_LINE_BYTES_MAX),
            stderr: LineDecoder::new(stderr::LINE_BYTES_MAX),
            stderr_events: Stderr::default(),
            stdout_keys: KeyLines::default(),
            stderr_keys: KeyLines::default(),
            ended_by: None,
            deadline: Instant::now() + timeout,
            killed: false,
            run,
            normaliser,
            child,
        }
    }

    async fn follow(mut self, input: Option<String>) -> AgentExited {
        let mut stop_asked = self.run.stop_asked.clone();
        stop_asked.mark_changed(); // the wish may be older than this task
        let (mut out, mut err) = (self.child.stdout.take(), self.child.stderr.take());
        let (mut out_bytes, mut err_bytes) = (vec![0; READ_BYTES], vec![0; READ_BYTES]);
        let writing = feed(self.child.stdin.take(), input);
        tokio::pin!(writing);
        let (mut written, mut status, mut grace_end) = (false, None, self.deadline);
        let status = loop {
            if let Some(status) = status.take_if(|_| (out.is_none() && err.is_none()) || Instant::now() >= grace_end) {
                break status;
            }
            let alarm = if status.is_some() { grace_end } else { self.deadline };
            tokio::select! {
                read = read(&mut out, &mut out_bytes), if out.is_some() => match read {
                    0 => out = None,
                    bytes => self.take_stdout(&out_bytes[..bytes]),
                },
                read = read(&mut err, &mut err_bytes), if err.is_some() => match read {
                    0 => err = None,
                    bytes => self.take_stderr(&err_bytes[..bytes]),
                },
                ended = self.child.wait(), if status.is_none() => {
                    status = Some(ended);
                    grace_end = Instant::now() + PIPE_GRACE;
                }
                Ok(()) = stop_asked.changed() => {
                    let signal = *stop_asked.borrow_and_update();
                    if let Some(signal) = signal && status.is_none() {
                        self.stop(ExitReason::Stopped, signal);
                    }
                }
                () = &mut writing, if !written => written = true,
                () = tokio::time::sleep_until(alarm) => if status.is_none() { self.late() },
            }
        };
        self.group = None;
        self.finish_lines();
        self.exit(&status)
    }

    fn take_stdout(&mut self, bytes: &[u8]) {
        let (run, normaliser, keys) = (self.run, &mut *self.normaliser, &mut self.stdout_keys);
        self.stdout.push(bytes, |line| understand(run, normaliser, keys, line));
    }

    fn take_stderr(&mut self, bytes: &[u8]) {
        let (run, events, keys) = (self.run, &mut self.stderr_events, &mut self.stderr_keys);
        self.stderr.push(bytes, |line| complain(run, events, keys, line));
    }

    fn finish_lines(&mut self) {
        let (run, normaliser, events) = (self.run, &mut *self.normaliser, &mut self.stderr_events);
        self.stdout.finish(|line| understand(run, normaliser, &mut self.stdout_keys, line));
        self.stderr.finish(|line| complain(run, events, &mut self.stderr_keys, line));
        run.append(events.end(), now());
    }

    /// Asks the process to end. The first reason stays: a stop during a timeout is a timeout.
    fn stop(&mut self, reason: ExitReason, signal: StopSignal) {
        if self.ended_by.is_none() {
            self.ended_by = Some(reason);
            self.run.append(vec![AgentStatusChanged { status: Status::Stopping }.into()], now());
            self.deadline = Instant::now() + STOP_GRACE;
        } else if signal == StopSignal::Term {
            return; // it has been asked already, and its time runs
        }
        self.killed |= signal == StopSignal::Kill;
        self.signal(signal);
    }

    /// The deadline has passed.
    fn late(&mut self) {
        if self.ended_by.is_none() {
            self.stop(ExitReason::Timeout, StopSignal::Term);
        } else {
            self.killed = true;
            self.signal(StopSignal::Kill);
            self.deadline = Instant::now() + STOP_GRACE; // nothing survives it, but the kernel may take its time
        }
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
            (Some(reason), _, _) => reason,
            (None, Some(0), None) if self.normaliser.finished() => ExitReason::Completed,
            (None, _, _) => ExitReason::Failed,
        };
        let message = match reason {
            ExitReason::Completed => None,
            ExitReason::Stopped if self.killed => Some("it was stopped with SIGKILL".to_owned()),
            ExitReason::Stopped => Some("it was stopped".to_owned()),
            ExitReason::Timeout => Some("it took longer than it was given".to_owned()),
            ExitReason::Failed | ExitReason::Lost => Some(match (failure, exit_code, &signal) {
                (Some(failure), _, _) => failure.to_owned(),
                (None, Some(0), _) => self.with_last_words("it ended before its turn was over".to_owned()),
                (None, Some(code), _) => self.with_last_words(format!("it ended with exit code {code}")),
                (None, None, Some(signal)) => self.with_last_words(format!("it was ended by {signal}")),
                (None, None, None) => "its end could not be observed".to_owned(),
            }),
        };
        AgentExited { reason, exit_code, signal, message: message.map(|text| crate::cut::text(&text, 4 << 10)) }
    }

    fn with_last_words(&self, message: String) -> String {
        match self.stderr_events.last() {
            Some(last) => format!("{message}: {last}"),
            None => message,
        }
    }
}

fn understand(run: &Run, normaliser: &mut dyn Normalise, keys: &mut KeyLines, line: Line<'_>) {
    let at = now();
    let Meaning { events, piece } = match keys.clean(run.redaction.redactor(), line) {
        Line::Text(text) => normaliser.line(&text, at),
        Line::Oversized { bytes, sample } => Meaning { events: normaliser.oversized(bytes, &sample), piece: None },
    };
    run.append(events, at);
    if let Some(piece) = piece {
        run.type_on(piece);
    }
}

pub(crate) fn complain(run: &Run, events: &mut Stderr, keys: &mut KeyLines, line: Line<'_>) {
    let at = now();
    run.append(events.line(keys.clean(run.redaction.redactor(), line), at), at);
}

/// One read; 0 is the end, also where the pipe is broken.
async fn read(pipe: &mut Option<impl AsyncRead + Unpin>, bytes: &mut [u8]) -> usize {
    match pipe {
        Some(pipe) => pipe.read(bytes).await.unwrap_or(0),
        None => 0,
    }
}

/// Writes the input and closes the pipe; an agent that does not want it has ended or says so itself.
async fn feed(pipe: Option<tokio::process::ChildStdin>, input: Option<String>) {
    if let (Some(mut pipe), Some(input)) = (pipe, input) {
        let _ = pipe.write_all(input.as_bytes()).await;
    }
}

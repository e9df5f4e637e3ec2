//! `townwatch send`: from standard input to standard output, and as events to the spool and then the server.
//!
//! Invariant: the thread that reads standard input never waits for the network. It writes to files, and another thread
//! sends the files to the server ([`posting`]).

mod batch_size;
mod held;
mod input;
mod pictures;
mod posting;
mod reading;
mod record;
mod set_aside;
mod spool;
mod spooled_run;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use std::{fs, thread};

use input::{NextInput, StandardInput};
use posting::{Poster, SendingState};
use reading::Reading;
use record::Recorder;
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use spool::AgentSpool;
use spooled_run::SpooledRun;
use townwatch_agents::normalise::Threads;
use townwatch_agents::redact::Redaction;
use townwatch_host::{known, now, run_context_of};
use townwatch_protocol::event::{AgentStatusChanged, ExitReason, Status};

use crate::arguments::SendArguments;
use crate::notice::say;
use crate::server::Server;

/// The time limit at the end of the input: sending continues as long as the server takes something within each 10 s.
const FLUSH_MAX: Duration = Duration::from_secs(10);
/// The file in an agent's spool with the token totals of its threads, for a later run that continues one.
const THREADS_FILE: &str = "threads.json";
/// The time between two checks whether held lines have waited long enough.
const PAUSE: Duration = Duration::from_millis(100);
/// The time between two checks whether the town has ended the run.
const LOOK: Duration = Duration::from_millis(250);
/// The time after which a person who waits for the end is told the reason.
const FLUSH_QUIET: Duration = Duration::from_secs(3);
/// The exit code that a shell gives a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Sends standard input to its end, and gives the exit code.
pub(crate) fn run(arguments: &SendArguments) -> Result<u8, String> {
    take_interrupts()?;
    // What this shell knows, and what lies in its HOME, the agent before the pipe most likely knows too.
    let variables = std::env::vars_os();
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from);
    let texts = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let redaction = Redaction::new(known(texts, &[], home.as_deref())).map_err(|error| error.message)?;
    let mut input = StandardInput::new(arguments.tee);
    let opened = Server::new(&arguments.server, &["TOWNWATCH_TOKEN", "TOWNWATCH_API_KEY"])
        .and_then(|server| Ok((AgentSpool::open(&server.base, &arguments.rig, &arguments.agent)?, server)));
    let (spool, server) = match opened {
        Ok(opened) => opened,
        Err(problem) => {
            // Whoever reads this pipe must not suffer from it.
            say(&format!("{problem}. Nothing is sent; the input only passes through"));
            while input.read().is_some() {}
            return Ok(crate::REFUSED);
        }
    };
    let (left, run, threads_file) = (spool.left, Arc::new(spool.run), spool.dir.join(THREADS_FILE));
    let poster = Poster::new(server, arguments, spool.dir, left, Arc::clone(&run));
    let standing = poster.standing();
    thread::spawn(move || poster.work());
    read(input, arguments, (&run, &standing), &redaction, &threads_file);
    flush(&standing);
    match standing.run_end() {
        Some(ExitReason::Stopped) => {
            say("the run was stopped from the town's page (or API); nothing more of it is sent");
        }
        Some(ExitReason::BudgetExceeded) => {
            say("the run was stopped, since its agent's or its town's budget is used up; nothing more of it is sent");
        }
        _ => {}
    }
    Ok(report(&run, &standing))
}

/// Ignores the first Ctrl-C, which is meant for the agent: its last output is still read and sent. The second one ends
/// this program.
fn take_interrupts() -> Result<(), String> {
    let asked = Arc::new(AtomicBool::new(false));
    flag::register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(&asked))
        .and_then(|_| flag::register(SIGINT, asked))
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// Reads the input until it or the run ends, and writes its events into the run's spool. After a stop nothing more is
/// read, and the closed pipe ends the agent's program. After a loss the agent may go on, so reading goes on.
fn read(
    input: StandardInput,
    arguments: &SendArguments,
    (run, standing): (&SpooledRun, &SendingState),
    redaction: &Redaction,
    threads_file: &Path,
) {
    let mut recorder = Recorder::new(run, redaction);
    let context = run_context_of(&std::env::current_dir().unwrap_or_default());
    let threads = Threads::read(&fs::read_to_string(threads_file).unwrap_or_default());
    let keep = |picture: &_| pictures::keep(&run.dir, picture);
    let mut reading = Reading::new(arguments.format, context, threads.clone(), redaction).keeping(keep);
    // In the order of the control server: first what is known of the agent.
    recorder.event(&reading.session().into(), now());
    recorder.event(&AgentStatusChanged { status: Status::Running }.into(), now());
    recorder.write();
    let input = input.listen();
    loop {
        match standing.run_end() {
            None => {}
            Some(ExitReason::Lost) => {
                say(
                    "the town has called the run lost: nothing was heard of it for too long, or its agent began more runs than \
                     it may have open. Nothing more of it is sent; the input only passes through",
                );
                while !matches!(input.next(None), NextInput::End) {}
                return;
            }
            Some(_) => return,
        }
        let pause = if reading.holds() { PAUSE } else { LOOK };
        match input.next(Some(pause)) {
            NextInput::Bytes(bytes) => reading.push(&bytes, &mut |event, at| recorder.event(event, at)),
            NextInput::Nothing => {}
            NextInput::End => break,
        }
        // Also behind bytes: a progress bar that never ends its line never leaves a pause.
        reading.show_overdue(&mut |event, at| recorder.event(event, at));
        recorder.write();
    }
    let exit = reading.finish(&mut |event, at| recorder.event(event, at));
    recorder.end(&exit);
    // Without it the next run of a thread counts all of the thread: no reason to trouble anybody.
    if !threads.is_empty() {
        let _ = fs::write(threads_file, threads.write());
    }
}

/// Waits until all is sent, or until more waiting is useless.
fn flush(standing: &SendingState) {
    standing.end_input();
    let (mut moved, mut waiting) = (Instant::now(), standing.waiting_events());
    let began = Instant::now();
    let mut is_told = false;
    while !standing.is_finished() && !standing.is_refused() && moved.elapsed() < FLUSH_MAX {
        thread::sleep(Duration::from_millis(20));
        if standing.waiting_events() < waiting {
            (moved, waiting) = (Instant::now(), standing.waiting_events());
        }
        if !is_told && began.elapsed() >= FLUSH_QUIET {
            is_told = true;
            say(&format!("sending the last {waiting} events; Ctrl-C leaves them for later"));
        }
    }
}

/// Reports what is not sent, and gives the exit code.
fn report(run: &SpooledRun, standing: &SendingState) -> u8 {
    if standing.run_end().is_some() {
        return crate::RUN_ENDED;
    }
    let waiting = standing.waiting_events();
    if !standing.is_finished() && waiting > 0 {
        say(&format!(
            "{waiting} events are not sent; they are kept in {}, and the next `townwatch send` of this agent sends them",
            standing.dir().display()
        ));
    }
    let lost = run.lost_events() + standing.dropped_events();
    if lost > 0 {
        say(&format!("{lost} events are lost"));
    }
    let aside = standing.set_aside_events();
    if aside > 0 {
        say(&format!("{aside} events could not be sent; they are in {}", set_aside::file(standing.dir()).display()));
    }
    if standing.is_refused() { crate::REFUSED } else { u8::from(lost > 0 || aside > 0) }
}

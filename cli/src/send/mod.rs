//! `townwatch send`: standard input → standard output, and → events → spool → server.
//!
//! Invariant: the thread that reads standard input never waits for the network. It writes to files; another thread
//! carries what is in them to the server ([`posting`]).

mod posting;
mod reading;
mod record;
mod spool;

use std::io::{self, IsTerminal, Read, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::SIGINT;
use signal_hook::flag;
use townwatch::event::{AgentStatusChanged, Status};
use townwatch_control::log::now;
use townwatch_control::redact::{Redaction, Secrets};

use crate::arguments::SendArguments;
use crate::notice::say;
use crate::server::Server;
use posting::{Poster, Standing};
use reading::Reading;
use record::Recorder;
use spool::{Run, Spool};

/// One read of standard input; what a Linux pipe holds.
const READ_BYTES: usize = 64 << 10;
/// At the end of input what is left is sent for as long as the server takes some of it every so often.
const FLUSH_MAX: Duration = Duration::from_secs(10);
/// After so long a person who waits for the end is told why.
const FLUSH_QUIET: Duration = Duration::from_secs(3);
/// What a shell says of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Sends standard input to its end; gives the exit code.
pub(crate) fn run(arguments: &SendArguments) -> Result<u8, String> {
    take_interrupts()?;
    // What this shell knows, the agent before the pipe most likely knows too.
    let variables = std::env::vars_os();
    let texts = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let redaction = Redaction::new(Secrets::of(texts)).map_err(|error| error.message)?;
    let mut input = Input::new(arguments.tee);
    let opened = Server::new(&arguments.server, &["TOWNWATCH_TOKEN", "TOWNWATCH_API_KEY"])
        .and_then(|server| Ok((Spool::open(&server.base, &arguments.rig, &arguments.agent)?, server)));
    let (spool, server) = match opened {
        Ok(opened) => opened,
        Err(problem) => {
            // Whoever reads this pipe must not suffer from it.
            say(&format!("{problem}. Nothing is sent; the input only passes through"));
            while input.next().is_some() {}
            return Ok(crate::REFUSED);
        }
    };
    let (left, run) = (spool.left, Arc::new(spool.run));
    let poster = Poster::new(server, arguments, spool.dir, left, Arc::clone(&run));
    let standing = poster.standing();
    thread::spawn(move || poster.work());
    read(&mut input, arguments, &run, &redaction);
    flush(&standing);
    Ok(report(&run, &standing))
}

/// The first Ctrl-C is for the agent: its last words are still to be read and sent. The second one is for this program.
fn take_interrupts() -> Result<(), String> {
    let asked = Arc::new(AtomicBool::new(false));
    flag::register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(&asked))
        .and_then(|_| flag::register(SIGINT, asked))
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// Standard input, which passes through to standard output as it is read.
struct Input {
    bytes: Vec<u8>,
    passes: bool,
}

impl Input {
    fn new(also_on_a_terminal: bool) -> Self {
        Self { bytes: vec![0; READ_BYTES], passes: also_on_a_terminal || !io::stdout().is_terminal() }
    }

    /// What the next read gives; nothing at the end.
    fn next(&mut self) -> Option<&[u8]> {
        let count = loop {
            match io::stdin().lock().read(&mut self.bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) | Ok(0) => return None,
                Ok(count) => break count,
            }
        };
        let bytes = &self.bytes[..count];
        if self.passes {
            let mut stdout = io::stdout().lock();
            // Nobody reads behind this pipe any more; the agent goes on, and so does the sending.
            self.passes = stdout.write_all(bytes).and_then(|()| stdout.flush()).is_ok();
        }
        Some(bytes)
    }
}

/// Reads the input to its end, and makes it events in the run's spool.
fn read(input: &mut Input, arguments: &SendArguments, run: &Run, redaction: &Redaction) {
    let mut recorder = Recorder::new(run, redaction);
    recorder.event(&AgentStatusChanged { status: Status::Running }.into(), now());
    recorder.write();
    let mut reading = Reading::new(arguments.format, redaction.redactor());
    while let Some(bytes) = input.next() {
        reading.push(bytes, &mut |event, at| recorder.event(event, at));
        recorder.write();
    }
    let exit = reading.finish(&mut |event, at| recorder.event(event, at));
    recorder.end(&exit);
}

/// Waits until all is sent, or until waiting is no use.
fn flush(standing: &Standing) {
    standing.end_input();
    let (mut moved, mut waiting) = (Instant::now(), standing.waiting_events());
    let began = Instant::now();
    let mut told = false;
    while !standing.is_finished() && !standing.is_refused() && moved.elapsed() < FLUSH_MAX {
        thread::sleep(Duration::from_millis(20));
        if standing.waiting_events() < waiting {
            (moved, waiting) = (Instant::now(), standing.waiting_events());
        }
        if !told && began.elapsed() >= FLUSH_QUIET {
            told = true;
            say(&format!("sending the last {waiting} events; Ctrl-C leaves them for later"));
        }
    }
}

/// Says what is left; gives the exit code.
fn report(run: &Run, standing: &Standing) -> u8 {
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
    if standing.is_refused() { crate::REFUSED } else { u8::from(lost > 0) }
}

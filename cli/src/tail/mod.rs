//! `townwatch tail`: one view of a town, over as many connections as it needs.
//!
//! Invariant: an event is printed only if its id is above all printed ids, and a new connection begins after the last
//! printed event. So no event is printed twice or out of order.

mod ending;
pub(crate) mod plain;
mod printed;
mod sentence;
mod stream;
mod view;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::sleep;
use std::time::{Duration, Instant};

use signal_hook::consts::SIGINT;
use stream::TailConnection;
use townwatch_protocol::id::TownId;
use view::View;

use crate::arguments::TailArguments;
use crate::backoff::Backoff;
use crate::notice::say;
use crate::server::{Failure, Server};
use crate::town;

/// The life of a connection after which it counts as a good one: the next wait is the first one again.
const STABLE: Duration = Duration::from_secs(10);
/// The exit code that a shell gives a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// The reason for the end of a connection.
#[derive(Debug)]
enum ConnectionEnd {
    /// The agent's run has ended, so the view is complete.
    RunEnded,
    /// The reader of standard output is gone.
    StdoutClosed,
    /// A connection that should be opened again.
    Lost(String),
    /// A connection that should not be opened again.
    Refused(String),
}

impl From<Failure> for ConnectionEnd {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Offline(problem) | Failure::Busy { problem, .. } | Failure::TooSlow(problem) => {
                Self::Lost(problem)
            }
            Failure::Refused(problem)
            | Failure::Unacceptable(problem)
            | Failure::TooLargeOnTheWay(problem)
            | Failure::RunEnded { problem, .. } => Self::Refused(problem),
        }
    }
}

/// Watches until nothing more can come, and gives the exit code.
pub(crate) fn run(arguments: &TailArguments) -> Result<u8, String> {
    let at_once = Arc::new(AtomicBool::new(true));
    signal_hook::flag::register_conditional_shutdown(SIGINT, INTERRUPTED, at_once)
        .map_err(|error| error.to_string())?;
    let server = Server::new(&arguments.server, &["TOWNWATCH_API_KEY"])?;
    let mut view = View::new(arguments);
    let mut town = arguments.town.clone();
    let mut last_problem = None;
    let mut backoff = Backoff::default();
    loop {
        let began = Instant::now();
        let end = match &town {
            Some(town) => watch(&server, town, &mut view, &mut last_problem),
            None => match town::only(&server) {
                Ok(found) => {
                    town = Some(found);
                    continue;
                }
                Err(failure) => failure.into(),
            },
        };
        let problem = match end {
            ConnectionEnd::RunEnded => return Ok(view.exit_code()),
            ConnectionEnd::StdoutClosed => return Ok(0),
            ConnectionEnd::Refused(problem) => return Err(problem),
            ConnectionEnd::Lost(problem) => problem,
        };
        if began.elapsed() >= STABLE {
            backoff.reset();
        }
        // Once for each problem, not for each try.
        if last_problem.as_ref() != Some(&problem) {
            say(&format!("{problem}; trying again until it works"));
            last_problem = Some(problem);
        }
        sleep(backoff.next(fastrand::f64()));
    }
}

/// Runs one connection to its end. `last_problem` is the last problem that the person was told.
fn watch(server: &Server, town: &TownId, view: &mut View, last_problem: &mut Option<String>) -> ConnectionEnd {
    let mut stream = match TailConnection::open(server, town, view) {
        Ok(stream) => stream,
        Err(end) => return end,
    };
    if last_problem.take().is_some() {
        say("connected again");
    }
    stream.follow(view)
}

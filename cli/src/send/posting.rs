//! From the spool to the server, in a thread of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Deserialize;
use townwatch::id::{AgentId, RigId};
use townwatch::limits::{BATCH_EVENTS_MAX, BODY_BYTES_MAX};

use super::spool::{Run, Waiting};
use crate::arguments::SendArguments;
use crate::backoff::Backoff;
use crate::notice::say;
use crate::server::{Failure, Server};

/// The events of one batch, 3 MiB: an event of the most data with all around it stays far below what a body may have.
const BATCH_BYTES_MAX: usize = BODY_BYTES_MAX - (1 << 20);
/// Where the server refuses, a person may be about to change that.
const REFUSED_PAUSE: Duration = Duration::from_secs(15);
/// At the end of the input nobody wants to wait for a long pause to be over.
const LAST_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Carries an agent's runs to the server, one batch after the other.
pub(super) struct Poster {
    server: Server,
    path: String,
    rig: RigId,
    agent: AgentId,
    runs: Vec<Arc<Run>>,
    standing: Arc<Standing>,
    backoff: Backoff,
    /// What the person was told last.
    told: Option<String>,
}

/// How the sending stands, for the thread that reads.
pub(super) struct Standing {
    dir: PathBuf,
    waiting: Arc<Waiting>,
    finished: AtomicBool,
    refused: AtomicBool,
    input_ended: AtomicBool,
    dropped_events: AtomicU64,
}

impl Poster {
    /// Will send what was `left`, then `run`.
    pub(super) fn new(
        server: Server,
        arguments: &SendArguments,
        dir: PathBuf,
        left: Vec<Arc<Run>>,
        run: Arc<Run>,
    ) -> Self {
        let standing = Standing {
            dir,
            waiting: run.waiting(),
            finished: AtomicBool::new(false),
            refused: AtomicBool::new(false),
            input_ended: AtomicBool::new(false),
            dropped_events: AtomicU64::new(0),
        };
        if !left.is_empty() {
            say(&format!("an earlier `send` left {} events; they are sent first", standing.waiting_events()));
        }
        Self {
            server,
            path: format!("/api/rigs/{}/agent-events", arguments.rig),
            rig: arguments.rig.clone(),
            agent: arguments.agent.clone(),
            runs: left.into_iter().chain([run]).collect(),
            standing: Arc::new(standing),
            backoff: Backoff::default(),
            told: None,
        }
    }

    /// How it stands, from now on.
    pub(super) fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.standing)
    }

    /// Sends until all runs have ended and are sent.
    pub(super) fn work(mut self) {
        for run in std::mem::take(&mut self.runs) {
            if let Err(error) = self.send(&run) {
                say(&format!("the spool {} cannot be read ({error}); what is in it stays there", run.dir.display()));
                return;
            }
        }
        self.standing.finished.store(true, Ordering::Release);
    }

    fn send(&mut self, run: &Run) -> io::Result<()> {
        let mut place = run.sent();
        let mut events_max = BATCH_EVENTS_MAX;
        while let Some(written) = run.wait(place) {
            let (lines, next) = run.read(place, written, events_max, BATCH_BYTES_MAX)?;
            let count = lines.lines().count();
            match self.post(&lines) {
                Ok(()) => {
                    self.works();
                    events_max = BATCH_EVENTS_MAX;
                }
                Err(Failure::Unacceptable(_)) if count > 1 => {
                    events_max = count / 2; // all of it was refused for one of them: which one?
                    continue;
                }
                Err(Failure::Unacceptable(problem)) => {
                    self.standing.dropped_events.fetch_add(1, Ordering::Relaxed);
                    say(&format!(
                        "an event is left out, which the server does not take: {problem}; {}",
                        name_of(&lines)
                    ));
                }
                Err(Failure::Offline(problem)) => {
                    self.tell(&format!("{problem}; events are kept until it works again"));
                    self.standing.refused.store(false, Ordering::Release);
                    let pause = self.backoff.next(fastrand::f64());
                    self.pause(pause);
                    continue;
                }
                Err(Failure::Refused(problem)) => {
                    let hint = self.hint(&problem);
                    self.tell(&format!("{problem}{hint}; events are kept for when that has changed"));
                    self.standing.refused.store(true, Ordering::Release);
                    self.pause(REFUSED_PAUSE);
                    continue;
                }
            }
            run.forget(place, next, lines.len(), count as u64)?;
            place = next;
        }
        run.remove()
    }

    /// Posts lines of the spool, which are events as the rig takes them. None are at a segment's end.
    fn post(&self, lines: &str) -> Result<(), Failure> {
        if lines.is_empty() {
            return Ok(());
        }
        let events = lines.trim_end().replace('\n', ",");
        self.server.post(&self.path, &format!(r#"{{"agent_id":"{}","events":[{events}]}}"#, self.agent)).map(|_| ())
    }

    fn works(&mut self) {
        self.standing.refused.store(false, Ordering::Release);
        self.backoff.reset();
        if self.told.take().is_some() {
            say("the server takes events again");
        }
    }

    fn pause(&self, pause: Duration) {
        let began = Instant::now();
        let left = || if self.standing.input_ended.load(Ordering::Acquire) { pause.min(LAST_PAUSE_MAX) } else { pause };
        while let Some(rest) = left().checked_sub(began.elapsed()).filter(|rest| !rest.is_zero()) {
            sleep(rest.min(Duration::from_millis(100)));
        }
    }

    /// Says a problem once, not at each try.
    fn tell(&mut self, problem: &str) {
        if self.told.as_deref() != Some(problem) {
            say(problem);
            self.told = Some(problem.to_owned());
        }
    }

    fn hint(&self, problem: &str) -> String {
        if !problem.contains("no such agent") {
            return String::new();
        }
        let (base, rig, agent) = (&self.server.base, &self.rig, &self.agent);
        format!(
            ". Register it:\n  curl {base}/api/rigs/{rig}/agents -H \"Authorization: Bearer $TOWNWATCH_API_KEY\" \
             -H 'Content-Type: application/json' -d '{{\"agent_id\":\"{agent}\",\"name\":\"{agent}\",\"role\":\"polecat\"}}'\n "
        )
    }
}

impl Standing {
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// No more will come: a last try does not wait long, and what the server says to it counts.
    pub(super) fn end_input(&self) {
        self.refused.store(false, Ordering::Release);
        self.input_ended.store(true, Ordering::Release);
    }

    /// Events that the server has not taken yet.
    pub(super) fn waiting_events(&self) -> u64 {
        self.waiting.events()
    }

    /// Whether everything is sent.
    pub(super) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// Whether the server's last word was that it will not take them.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Acquire)
    }

    /// Events that the server did not take and never will.
    pub(super) fn dropped_events(&self) -> u64 {
        self.dropped_events.load(Ordering::Relaxed)
    }
}

/// What a person may know an event of the spool by.
fn name_of(line: &str) -> String {
    #[derive(Deserialize)]
    struct Named {
        event_id: String,
        event_type: String,
    }
    serde_json::from_str::<Named>(line).map_or_else(
        |_| "it cannot be read".to_owned(),
        |named| format!("it was the {} with the event_id {}", named.event_type, named.event_id),
    )
}

//! Sending from the spool to the server, in a thread of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Deserialize;
use townwatch_protocol::event::ExitReason;
use townwatch_protocol::id::{AgentId, RigId};
use townwatch_protocol::limits::BATCH_EVENTS_MAX;

use super::batch_size::BatchSize;
use super::record::gap_line;
use super::spooled_run::{SpoolPosition, SpooledRun, WaitResult, WaitingEvents};
use super::{pictures, set_aside};
use crate::arguments::SendArguments;
use crate::backoff::Backoff;
use crate::notice::say;
use crate::server::{Failure, Server};

/// The pause after a refusal. A person may be about to change the cause.
const REFUSED_PAUSE: Duration = Duration::from_secs(15);
/// The time without an event after which a sign of life is sent, one minute. The town calls an agent silent after ten.
const HEARTBEAT: Duration = Duration::from_mins(1);
/// The events set aside that are reported one by one. Further ones are only counted, at the end.
const SET_ASIDE_TOLD_MAX: u64 = 10;
/// The longest pause between tries after the end of the input.
const LAST_PAUSE_MAX: Duration = Duration::from_secs(1);

/// The sender of an agent's runs, one batch after the other.
pub(super) struct Poster {
    server: Server,
    path: String,
    rig: RigId,
    agent: AgentId,
    runs: Vec<Arc<SpooledRun>>,
    standing: Arc<SendingState>,
    backoff: Backoff,
    batch_size: BatchSize,
    /// The last problem that the person was told.
    last_problem: Option<String>,
}

/// The progress of the sending, for the thread that reads.
pub(super) struct SendingState {
    dir: PathBuf,
    waiting: Arc<WaitingEvents>,
    finished: AtomicBool,
    refused: AtomicBool,
    input_ended: AtomicBool,
    set_aside_events: AtomicU64,
    dropped_events: AtomicU64,
    run_end: OnceLock<ExitReason>,
}

impl Poster {
    /// A sender of the runs in `left`, then of `run`.
    pub(super) fn new(
        server: Server,
        arguments: &SendArguments,
        dir: PathBuf,
        left: Vec<Arc<SpooledRun>>,
        run: Arc<SpooledRun>,
    ) -> Self {
        let standing = SendingState {
            dir,
            waiting: run.waiting(),
            finished: AtomicBool::new(false),
            refused: AtomicBool::new(false),
            input_ended: AtomicBool::new(false),
            set_aside_events: AtomicU64::new(0),
            dropped_events: AtomicU64::new(0),
            run_end: OnceLock::new(),
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
            batch_size: BatchSize::default(),
            last_problem: None,
        }
    }

    /// The progress of this sender, which is updated while it works.
    pub(super) fn standing(&self) -> Arc<SendingState> {
        Arc::clone(&self.standing)
    }

    /// Sends until all runs have ended and are sent.
    pub(super) fn work(mut self) {
        let runs = std::mem::take(&mut self.runs);
        let own = runs.len() - 1;
        for (index, run) in runs.into_iter().enumerate() {
            if let Err(error) = self.send(&run, index == own) {
                say(&format!("the spool {} cannot be read ({error}); what is in it stays there", run.dir.display()));
                return;
            }
        }
        self.standing.finished.store(true, Ordering::Release);
    }

    fn send(&mut self, run: &SpooledRun, is_own: bool) -> io::Result<()> {
        let mut position = run.sent();
        let mut events_max = BATCH_EVENTS_MAX;
        // What stands in the log for one event that cannot be sent.
        let mut substitute: Option<String> = None;
        loop {
            let written = match run.wait(position, HEARTBEAT) {
                WaitResult::Written(written) => written,
                WaitResult::Quiet => match self.heartbeat() {
                    Err(Failure::RunEnded { reason, .. }) => return self.give_up(run, position, reason, is_own),
                    // One that does not get through is no matter: the next post says what is wrong.
                    _ => continue,
                },
                WaitResult::Ended => break,
            };
            let (lines, next) = run.read(position, written, events_max, self.batch_size.bytes())?;
            let count = lines.lines().count();
            let posted = substitute.as_deref().unwrap_or(&lines);
            match pictures::send(&self.server, &self.rig, &self.agent, &run.dir).and_then(|()| self.post(posted)) {
                Ok(()) => {
                    self.works();
                    events_max = BATCH_EVENTS_MAX;
                }
                Err(Failure::TooLargeOnTheWay(_) | Failure::TooSlow(_)) if count > 1 => {
                    self.batch_size.too_large(lines.len());
                    continue;
                }
                Err(Failure::Unacceptable(_)) if count > 1 => {
                    events_max = count / 2; // all of it was refused for one of them: which one?
                    continue;
                }
                Err(Failure::Unacceptable(problem) | Failure::TooLargeOnTheWay(problem)) => {
                    if substitute.is_none() {
                        substitute = Some(self.set_aside(&lines, run, position, &problem));
                        events_max = 1;
                        continue;
                    } // else not even the gap is taken: the person knows of it
                }
                Err(Failure::RunEnded { reason, .. }) => return self.give_up(run, position, reason, is_own),
                Err(Failure::Offline(problem) | Failure::TooSlow(problem)) => {
                    self.tell(&format!("{problem}; events are kept until it works again"));
                    self.standing.refused.store(false, Ordering::Release);
                    self.batch_size.failed();
                    let pause = self.backoff.next(fastrand::f64());
                    self.pause(pause);
                    continue;
                }
                Err(Failure::Busy { problem, after }) => {
                    self.tell(&format!("{problem}; events are kept until then"));
                    self.standing.refused.store(false, Ordering::Release);
                    let pause = self.backoff.next(fastrand::f64()).max(after);
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
            run.forget(position, next, lines.len(), count as u64)?;
            position = next;
            substitute = None;
        }
        run.remove()
    }

    /// Sends a sign of life of an agent that prints nothing.
    fn heartbeat(&self) -> Result<(), Failure> {
        let path = format!("/api/rigs/{}/agents/{}/heartbeat", self.rig, self.agent);
        self.server.post(&path, "{}").map(|_| ())
    }

    /// Drops the rest of a run that the town has ended. If the run is this process's own, the thread that reads is
    /// told.
    fn give_up(&self, run: &SpooledRun, position: SpoolPosition, reason: ExitReason, is_own: bool) -> io::Result<()> {
        if is_own {
            let _ = self.standing.run_end.set(reason); // it is set once
            return run.remove();
        }
        let count = run.discard(position)?;
        self.standing.dropped_events.fetch_add(count, Ordering::Relaxed);
        let how = if reason == ExitReason::Lost { "called it lost" } else { "stopped it" };
        say(&format!("{count} events of an earlier run are not taken, since the town has {how} by now"));
        Ok(())
    }

    /// Writes an event that the server will never take into a file, so that later events can go on. Gives the line that
    /// stands in the log instead, with an id that is the same at every try.
    fn set_aside(&self, line: &str, run: &SpooledRun, position: SpoolPosition, problem: &str) -> String {
        let standing = &self.standing;
        let (event, event_id) = name_of(line)
            .unwrap_or_else(|| ("an event that cannot be read".to_owned(), format!("{}-at-{position}", run.run_id)));
        let kept = set_aside::keep(&standing.dir, line);
        let counter = if matches!(kept, Ok(true)) { &standing.set_aside_events } else { &standing.dropped_events };
        let place = match kept {
            Ok(true) => format!("it is set aside in {}", set_aside::file(&standing.dir).display()),
            Ok(false) => format!("it is lost, since {} is full", set_aside::file(&standing.dir).display()),
            Err(error) => format!("it is lost, since it cannot be set aside ({error})"),
        };
        if counter.fetch_add(1, Ordering::Relaxed) < SET_ASIDE_TOLD_MAX {
            say(&format!("{event} of {} KiB cannot be sent: {problem}; {place}", line.len() >> 10));
        }
        gap_line(&format!("{event_id}-left-out"), &run.run_id, 1, "an event that could not be sent")
    }

    /// Posts lines of the spool, which are events in the rig's form. Without lines it posts nothing: this is the end of
    /// a segment.
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
        self.batch_size.taken();
        if self.last_problem.take().is_some() {
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

    /// Tells a problem to the person, once and not at each try.
    fn tell(&mut self, problem: &str) {
        if self.last_problem.as_deref() != Some(problem) {
            say(problem);
            self.last_problem = Some(problem.to_owned());
        }
    }

    /// The advice for a problem, for a person who has the key.
    fn hint(&self, problem: &str) -> String {
        let (base, rig, agent) = (&self.server.base, &self.rig, &self.agent);
        let key = r#"-H "Authorization: Bearer $TOWNWATCH_API_KEY""#;
        if problem.contains("no such agent") {
            return format!(
                ". Register it:\n  curl {base}/api/rigs/{rig}/agents {key} \
                 -H 'Content-Type: application/json' -d '{{\"agent_id\":\"{agent}\",\"name\":\"{agent}\",\"role\":\"polecat\"}}'\n "
            );
        }
        if problem.ends_with("(token_revoked)") || problem.ends_with("(token_expired)") {
            return format!(
                ". Make one:\n  curl -X POST {base}/api/rigs/{rig}/agents/{agent}/token {key}\n  and start `send` again \
                 with it in TOWNWATCH_TOKEN"
            );
        }
        String::new()
    }
}

impl SendingState {
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Notes the end of the input: the last tries wait less, and a refusal ends the sending.
    pub(super) fn end_input(&self) {
        self.refused.store(false, Ordering::Release);
        self.input_ended.store(true, Ordering::Release);
    }

    /// The number of events that the server has not taken yet.
    pub(super) fn waiting_events(&self) -> u64 {
        self.waiting.events()
    }

    /// The reason of the run's end, if the town has ended it. Nothing more of the run is sent then.
    pub(super) fn run_end(&self) -> Option<ExitReason> {
        self.run_end.get().copied()
    }

    /// Whether all events are sent.
    pub(super) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// Whether the server's last answer was a refusal.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Acquire)
    }

    /// The number of events in the file of refused events.
    pub(super) fn set_aside_events(&self) -> u64 {
        self.set_aside_events.load(Ordering::Relaxed)
    }

    /// The number of events that cannot be sent and are lost.
    pub(super) fn dropped_events(&self) -> u64 {
        self.dropped_events.load(Ordering::Relaxed)
    }
}

/// The words that name an event of the spool to a person, and its `event_id`.
fn name_of(line: &str) -> Option<(String, String)> {
    #[derive(Deserialize)]
    struct SpooledEvent {
        event_id: String,
        event_type: String,
    }
    let SpooledEvent { event_id, event_type } = serde_json::from_str(line).ok()?;
    Some((format!("the {event_type} with the event_id {event_id}"), event_id))
}

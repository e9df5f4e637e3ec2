//! One turn of the relay, as a state machine: it names the next step, and takes the result of that step. The control
//! server is asked again and again, until the turn's time is over, or until nothing is wanted from it any more. The
//! turn is in memory only. If an instance dies in a turn, the next instance begins another one, from the position in
//! the tables.
//!
//! ```text
//! Ask ─answer─▶ Answered ─▶ (once a turn: AskStatus of each start that is unconfirmed) ─▶ Sleep or Over, else Ask
//!     ─failure─▶ Failed ─▶ Sleep, or Over where nothing is wanted any more ─▶ Ask
//!     ─events of unknown agents, and no rig─▶ MakeRig ─▶ Answered
//! ```

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::limits::{BATCH_EVENTS_MAX, RELAY_TURN_MS};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{ControlStarted, ControlStatus};

use crate::agents::runs::{self, Run, Source};
use crate::agents::starting::{StartConfirmed, StartRefused};
use crate::relay::source_answer::SourceAnswer;
use crate::relay::taking::{AnswerEffect, RelayAnswer, RelayFailure};
use crate::relay::{Position, Reach, position};
use crate::town::Town;

/// The wait after a request that failed.
pub const RETRY_MS: u64 = 1_000;
/// The number of failures in a row from which the container counts as silent, 3. A restarted control server is back
/// before that.
const FAILURES_TOLERATED: u32 = 3;
/// The time that the start of a run may stay unconfirmed before the control server is asked about it, 5 s.
const UNCONFIRMED_GRACE_MS: u64 = 5_000;
/// The shortest time between two requests for all events of a container, 5 s. Such a request is needed where the
/// container names no life and its last event is gone.
const LOOK_INTERVAL_MS: u64 = 5_000;

/// The demand for the relay, as far as the tables do not have it.
#[derive(Debug, Clone, Copy)]
pub struct RelayDemand {
    /// Whether there is a reader: a stream, or a request that waits.
    pub is_watched: bool,
    /// Whether the container is asked even though no run is open: there is a reader, and others may start agents there.
    pub is_unasked: bool,
}

/// A request for the container's events.
#[derive(Debug, Clone)]
pub struct RelayRequest {
    /// The position that it carries.
    pub position: Position,
    /// The events that the request is for.
    pub reach: Reach,
    /// The time that the control server may wait for an event, in ms.
    pub wait_ms: u64,
    asked_at: Timestamp,
    is_wanted: bool,
    is_watched: bool,
}

impl RelayRequest {
    /// The path with its query, for example `/events?epoch=E&after=7&ack=1&wait_ms=500&limit=500&previews=1`.
    pub fn target(&self) -> String {
        let (query, wait_ms) = (self.position.query(self.reach), self.wait_ms);
        let previews = if self.is_watched { "&previews=1" } else { "" };
        format!("/events?{query}&ack=1&wait_ms={wait_ms}&limit={BATCH_EVENTS_MAX}{previews}")
    }
}

/// The next thing to do.
#[derive(Debug)]
pub enum RelayStep {
    /// Ask the control server for events, and give the result to [`RelayTurn::answered`].
    Ask(RelayRequest),
    /// Make a rig for agents that were not started from here.
    MakeRig,
    /// Ask the control server for an agent's status, and give the result to [`RelayTurn::told_status`].
    AskStatus(Run),
    /// Let the town know the time: hand it a [`Tick`](crate::town::Tick). A tick that fails does not end the turn.
    Tick,
    /// Wait for so many milliseconds.
    Sleep(u64),
    /// The end of the turn.
    Over,
}

/// A turn.
#[derive(Debug)]
pub struct RelayTurn {
    began: Timestamp,
    poll_interval_ms: u64,
    /// Whether agents are admitted that were not started from here.
    admits: bool,
    failures: u32,
    is_settled: bool,
    looked_at: Option<Timestamp>,
    /// Whether the town still has to be told of the passing of time.
    owes_tick: bool,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Ask(Reach),
    /// An answer has events of agents for which there is no rig.
    Rigless(RelayRequest, SourceAnswer),
    Failed,
    Answered(LastAnswer),
    /// The unconfirmed starts that are being settled, the last one first.
    Settling(Vec<Run>, LastAnswer),
}

/// The last answer, as far as the next step depends on it.
#[derive(Debug, Clone, Copy)]
struct LastAnswer {
    asked_at: Timestamp,
    is_wanted: bool,
    is_empty: bool,
}

impl RelayTurn {
    /// Begins a turn. With `admits`, agents are admitted that were not started from here.
    pub fn new(poll_interval_ms: u64, admits: bool, now: Timestamp) -> Self {
        Self {
            began: now,
            poll_interval_ms,
            admits,
            failures: 0,
            is_settled: false,
            looked_at: None,
            owes_tick: false,
            phase: Phase::Ask(Reach::New),
        }
    }

    /// Gives the next thing to do.
    ///
    /// # Errors
    /// The tables cannot be read or written. The turn must not be continued.
    pub fn next(&mut self, town: &mut Town, demand: RelayDemand, now: Timestamp) -> Result<RelayStep> {
        if std::mem::take(&mut self.owes_tick) {
            return Ok(RelayStep::Tick);
        }
        loop {
            match std::mem::replace(&mut self.phase, Phase::Ask(Reach::New)) {
                Phase::Ask(reach) => {
                    let (is_wanted, is_watched) = (town.wants_relay(demand)?, demand.is_watched);
                    let wait_ms = if is_wanted && is_watched { self.poll_interval_ms } else { 0 };
                    let position = position(town.store.as_ref(), &Source::Container)?;
                    return Ok(RelayStep::Ask(RelayRequest {
                        position,
                        reach,
                        wait_ms,
                        asked_at: now,
                        is_wanted,
                        is_watched,
                    }));
                }
                Phase::Rigless(request, answer) => {
                    self.take(town, request, answer, now)?;
                    if let Phase::Rigless(..) = self.phase {
                        return Ok(RelayStep::MakeRig);
                    }
                }
                Phase::Failed => {
                    if !town.wants_relay(demand)? {
                        return Ok(RelayStep::Over);
                    }
                    // The next step comes after the sleep, so it asks again at once: this answer counts as due, and as
                    // not empty.
                    self.phase = Phase::Answered(LastAnswer { asked_at: now, is_wanted: true, is_empty: false });
                    return Ok(RelayStep::Sleep(RETRY_MS));
                }
                Phase::Answered(answer) if self.failures == 0 && !self.is_settled => {
                    self.is_settled = true;
                    self.phase = Phase::Settling(town.unconfirmed_runs(now, UNCONFIRMED_GRACE_MS)?, answer);
                }
                Phase::Settling(mut runs, answer) => match runs.pop() {
                    Some(run) => {
                        self.phase = Phase::Settling(runs, answer);
                        return Ok(RelayStep::AskStatus(run));
                    }
                    None => self.phase = Phase::Answered(answer),
                },
                Phase::Answered(LastAnswer { asked_at, is_wanted, is_empty }) => {
                    let is_over = now.millis_since(self.began) >= RELAY_TURN_MS;
                    if is_over || (is_empty && !(is_wanted && demand.is_watched)) {
                        return Ok(RelayStep::Over);
                    }
                    let waited_ms = now.millis_since(asked_at);
                    if is_empty && waited_ms < self.poll_interval_ms {
                        return Ok(RelayStep::Sleep(self.poll_interval_ms - waited_ms));
                    }
                }
            }
        }
    }

    /// Takes the result of [`RelayStep::Ask`]. Gives the failure, where it is news that the container cannot be
    /// followed.
    ///
    /// # Errors
    /// The tables could not take the result. Nothing of it is lost, because the next turn asks for it again.
    pub fn answered(
        &mut self,
        town: &mut Town,
        request: RelayRequest,
        came: Result<SourceAnswer>,
        now: Timestamp,
    ) -> Result<Option<Error>> {
        let error = match came {
            Ok(answer) => {
                self.failures = 0;
                self.take(town, request, answer, now)?;
                return Ok(None);
            }
            Err(error) => error,
        };
        self.failures += 1;
        self.phase = Phase::Failed;
        let is_silent = self.failures >= FAILURES_TOLERATED;
        let is_news = is_silent && town.handle(RelayFailure { error: &error }, now)?;
        self.owes_tick = true;
        Ok(is_news.then_some(error))
    }

    /// Takes the result of [`RelayStep::AskStatus`]: the control server's own answer settles a run whose start was
    /// never confirmed.
    ///
    /// # Errors
    /// The tables could not take the result.
    pub fn told_status(
        &mut self,
        town: &mut Town,
        run: &Run,
        came: Result<ControlStatus>,
        now: Timestamp,
    ) -> Result<()> {
        let known = match came {
            Ok(status) if status.run_id == run.run_id => Some(status.epoch),
            Ok(_) => None,
            Err(error) if error.code == Code::NotFound => None,
            // The status is asked for again in the next turn.
            Err(_) => return Ok(()),
        };
        let Some(epoch) = known else {
            let why =
                "the control server does not know of this run: its start never arrived there, or it was forgotten";
            return town.handle(StartRefused { run_id: &run.run_id, why }, now);
        };
        let present = position(town.store.as_ref(), &Source::Container)?.epoch;
        let Some(epoch) = epoch.or(present) else { return Ok(()) };
        let started = ControlStarted { epoch, run_id: run.run_id.clone() };
        town.handle(StartConfirmed { started: &started }, now)
    }

    fn take(&mut self, town: &mut Town, request: RelayRequest, answer: SourceAnswer, now: Timestamp) -> Result<()> {
        if self.admits && !answer.events.is_empty() {
            let told = answer.events.iter().map(|event| (&event.agent_id, event.run_id.as_ref()));
            if !town.admit(told)? {
                self.phase = Phase::Rigless(request, answer);
                return Ok(());
            }
        }
        let RelayRequest { position, reach, asked_at, is_wanted, .. } = request;
        let answered = town.handle(RelayAnswer { position: &position, reach, answer }, now)?;
        let may_look = self.looked_at.is_none_or(|at| asked_at.millis_since(at) >= LOOK_INTERVAL_MS);
        if answered == AnswerEffect::Unrecognised && may_look {
            self.looked_at = Some(asked_at);
            self.phase = Phase::Ask(Reach::All);
            return Ok(());
        }
        let is_empty = match answered {
            AnswerEffect::Taken { is_empty } => is_empty,
            AnswerEffect::NewEpoch => false,
            AnswerEffect::Stale | AnswerEffect::Doubted | AnswerEffect::Unrecognised => true,
        };
        self.phase = Phase::Answered(LastAnswer { asked_at, is_wanted, is_empty });
        self.owes_tick = true;
        Ok(())
    }
}

impl Town {
    /// Whether there is anything to ask the container for.
    pub fn wants_relay(&self, demand: RelayDemand) -> Result<bool> {
        Ok(demand.is_unasked || runs::any_open_of(self.store.as_ref(), &Source::Container)?)
    }

    /// The time of the relay's next request. With a reader: now, where the relay is wanted. Without a reader: later,
    /// while a run is open. Otherwise there is none.
    pub fn relay_due_at(&self, demand: RelayDemand, now: Timestamp) -> Result<Option<Timestamp>> {
        Ok(match runs::any_open_of(self.store.as_ref(), &Source::Container)? {
            true if demand.is_watched => Some(now),
            true => Some(now.plus_millis(self.config.drain_interval_ms)),
            false => demand.is_unasked.then_some(now),
        })
    }
}

//! The relay: its turns as they are, with requests that are lost, answers that come late, twice, or of another life.

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::Status;
use townwatch_protocol::id::{Epoch, SourceId};
use townwatch_protocol::wire::{ControlEvents, ControlStatus};
use townwatch_town::agents::runs::{Run, Source};
use townwatch_town::relay::taking::{AnswerEffect, RelayAnswer};
use townwatch_town::relay::turn::{RelayDemand, RelayRequest, RelayStep, RelayTurn};
use townwatch_town::relay::{self, Position};

use super::faults::Fault;
use super::world::World;

/// An answer on its way to the town.
#[derive(Clone)]
pub struct Flight {
    /// The number of its request.
    pub number: u64,
    pub request: RelayRequest,
    pub answer: ControlEvents,
}

/// The turn of the present instance, with the number of the request that it waits for.
pub struct PresentTurn {
    turn: RelayTurn,
    waits_for: Option<u64>,
}

const POLL_INTERVAL_MS: u64 = 500;

impl World {
    /// Goes on with the turn, or begins one, until it asks for events.
    fn next_request(&mut self) -> Option<(u64, RelayRequest)> {
        let begin =
            |world: &Self| PresentTurn { turn: RelayTurn::new(POLL_INTERVAL_MS, false, world.now), waits_for: None };
        // One that waits for its answer was killed with its instance.
        let mut present = self.turn.take().filter(|turn| turn.waits_for.is_none()).unwrap_or_else(|| begin(self));
        for _ in 0..30 {
            let demand = RelayDemand { is_watched: self.rng.bool(), is_unasked: true };
            let step = self.in_turn(|world| present.turn.next(&mut world.town, demand, world.now))?;
            match step {
                RelayStep::Ask(request) => {
                    self.asked += 1;
                    present.waits_for = Some(self.asked);
                    self.turn = Some(present);
                    return Some((self.asked, request));
                }
                RelayStep::AskStatus(run) => self.tell_status(&mut present.turn, &run)?,
                RelayStep::Tick => self.tick(),
                RelayStep::Sleep(millis) => self.now = self.now.plus_millis(millis.min(20).cast_signed()),
                RelayStep::Over => {
                    self.fire(Fault::TurnOver);
                    present = begin(self);
                }
                RelayStep::MakeRig => panic!("agents of others are not taken in here"),
            }
        }
        panic!("a turn that never asks");
    }

    /// Lets the turn do something, in which a statement may be refused: then it is not gone on with. What it had done before
    /// was whole, and was shown.
    fn in_turn<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T>) -> Option<T> {
        let may_fail = self.goes_wrong(40);
        if may_fail {
            self.store.fail_after(self.rng.u64(0..40));
        }
        let outcome = act(self);
        let is_refused = may_fail && self.store.has_failed();
        let is_let_go = self.perform();
        match outcome {
            Ok(value) => {
                assert!(!is_refused || is_let_go, "a refused statement went unnoticed");
                Some(value)
            }
            Err(error) => {
                assert!(is_refused && error.code == Code::Internal, "{error:?}");
                self.fire(Fault::StatementRefused);
                self.turn = None;
                self.tick();
                None
            }
        }
    }

    /// The container's word of a run whose start nobody has confirmed.
    fn tell_status(&mut self, turn: &mut RelayTurn, run: &Run) -> Option<()> {
        let is_known = self.container.knows(&run.agent_id, &run.run_id);
        self.fire(if is_known { Fault::StartSettled } else { Fault::StartSettledAsLost });
        let status = if is_known {
            let epoch = Some(self.container.epoch.clone());
            Ok(ControlStatus {
                agent_id: run.agent_id.clone(),
                run_id: run.run_id.clone(),
                epoch,
                status: Status::Running,
                result: None,
                exit: None,
            })
        } else {
            Err(Error::not_found("agent"))
        };
        self.in_turn(|world| turn.told_status(&mut world.town, run, status, world.now))
    }

    pub(super) fn ask(&mut self) {
        let Some((number, request)) = self.next_request() else { return };
        let limit = self.rng.usize(1..if self.is_loud { 200 } else { 30 });
        let asked = &request.position;
        let is_followed_no_more = self.previous.as_ref().is_some_and(|previous| self.follows_no_more(&previous.epoch));
        let answer = match &mut self.previous {
            // One that the town has followed: of two that it has not, nobody could tell which is the older.
            Some(previous) if is_followed_no_more && self.rng.u32(0..12) == 0 => {
                let answer = previous.answer(asked, limit);
                self.fire(Fault::OldEpochAnswers);
                answer
            }
            // A server that does not look at what it is asked after.
            _ if self.rng.u32(0..20) == 0 => {
                self.fire(Fault::AnswerFromTheStart);
                self.container.answer(&Position { cursor: SourceId::START, ..asked.clone() }, limit)
            }
            _ => self.container.answer(asked, limit),
        };
        self.answers.push(Flight { number, request, answer });
        if self.rng.bool() {
            self.deliver_answer();
        }
    }

    fn follows_no_more(&self, epoch: &Epoch) -> bool {
        relay::is_retired(self.store.as_ref(), &Source::Container, epoch).unwrap()
    }

    pub(super) fn deliver_answer(&mut self) {
        if self.answers.is_empty() {
            return;
        }
        let flight = self.answers.swap_remove(self.rng.usize(0..self.answers.len()));
        match self.rng.u32(0..12) {
            0 => return self.fire(Fault::AnswerDropped),
            1 => {
                self.fire(Fault::AnswerRepeated);
                self.answers.push(flight.clone());
            }
            _ => {}
        }
        if flight.answer.epoch != self.container.epoch {
            self.fire(Fault::OldEpochLate);
        }
        self.take_answer(flight);
    }

    /// Hands an answer to the turn that waits for it. One that comes late, or a second time, is of a turn that is gone: it
    /// counts only if it is to the present position.
    fn take_answer(&mut self, Flight { number, request, answer }: Flight) {
        let is_of_deleted = answer.events.iter().any(|event| self.oracle.is_of_deleted_run(event.run_id.as_str()));
        if is_of_deleted {
            self.fire(Fault::DeletedRunSpoke);
        }
        if let Some(mut present) = self.turn.take_if(|present| present.waits_for == Some(number)) {
            let came = Ok(answer.into());
            let taken = self.in_turn(|world| present.turn.answered(&mut world.town, request, came, world.now));
            if taken.is_some() {
                self.turn = Some(PresentTurn { waits_for: None, ..present });
            }
            return;
        }
        let late = RelayAnswer { position: &request.position, reach: request.reach, answer: answer.into() };
        if let Some(AnswerEffect::Stale) = self.handle(late).map(Result::unwrap) {
            self.fire(Fault::AnswerLate);
        }
    }

    /// The container does not answer, perhaps for long.
    pub(super) fn unanswered(&mut self) {
        for _ in 0..self.rng.u32(1..6) {
            let Some((_, request)) = self.next_request() else { return };
            let Some(mut present) = self.turn.take() else { return };
            let came = Err(Error::new(Code::ContainerTimeout, "the control server did not answer within 10 s"));
            let taken = self.in_turn(|world| present.turn.answered(&mut world.town, request, came, world.now));
            let Some(news) = taken else { return };
            if news.is_some() {
                self.fire(Fault::RelayUnanswered);
            }
            self.turn = Some(PresentTurn { waits_for: None, ..present });
        }
    }

    /// A whole turn in which each request is answered at once.
    pub(super) fn take_turn(&mut self) {
        for _ in 0..200 {
            let Some((number, request)) = self.next_request() else { return };
            let answer = self.container.answer(&request.position, 500);
            let is_done = answer.events.is_empty() && request.position.epoch.as_ref() == Some(&answer.epoch);
            self.take_answer(Flight { number, request, answer });
            if is_done {
                return;
            }
        }
    }

    /// Whether the town has all that the container has.
    pub(super) fn is_relayed(&mut self) -> bool {
        let asked = relay::position(self.store.as_ref(), &Source::Container).unwrap();
        let answer = self.container.answer(&asked, 1);
        answer.events.is_empty() && asked.epoch.as_ref() == Some(&answer.epoch)
    }
}

//! What carries events to the town: the relay's requests to the container, and the rig with its outbox.

use std::rc::Rc;

use serde_json::json;
use townwatch_protocol::body::parse_body;
use townwatch_protocol::error::Code;
use townwatch_protocol::id::{Epoch, SourceId};
use townwatch_protocol::wire::{ControlEvents, RigBatch, RigCursor};
use townwatch_town::agents::runs::Source;
use townwatch_town::relay::{self, Answered, Position, Reach};
use townwatch_town::rig::Rig;
use townwatch_town::store::Store;

use super::faults::Fault;
use super::world::{AGENTS, World, agent, fresh};

impl World {
    // ---- the relay ----

    pub(super) fn ask(&mut self) {
        let asked = relay::position(self.store.as_ref(), &Source::Container).unwrap();
        let limit = self.rng.usize(1..if self.is_loud { 200 } else { 30 });
        let is_followed_no_more = self.previous.as_ref().is_some_and(|previous| self.follows_no_more(&previous.epoch));
        let answer = match &mut self.previous {
            // One that the town has followed: of two that it has not, nobody could tell which is the older.
            Some(previous) if is_followed_no_more && self.rng.u32(0..12) == 0 => {
                let answer = previous.answer(&asked, limit);
                self.fire(Fault::OldEpochAnswers);
                answer
            }
            // A server that does not look at what it is asked after.
            _ if self.rng.u32(0..20) == 0 => {
                self.fire(Fault::AnswerFromTheStart);
                self.container.answer(&Position { cursor: SourceId::START, ..asked.clone() }, limit)
            }
            _ => self.container.answer(&asked, limit),
        };
        self.answers.push((asked, answer));
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
        let (asked, answer) = self.answers.swap_remove(self.rng.usize(0..self.answers.len()));
        match self.rng.u32(0..12) {
            0 => return self.fire(Fault::AnswerDropped),
            1 => {
                self.fire(Fault::AnswerRepeated);
                self.answers.push((asked.clone(), answer.clone()));
            }
            _ => {}
        }
        if answer.epoch != self.container.epoch {
            self.fire(Fault::OldEpochLate);
        }
        if !self.take_answer(&asked, &answer) {
            self.fire(Fault::AnswerLate);
        }
    }

    /// Hands an answer to the town; false if it counts for nothing any more.
    pub(super) fn take_answer(&mut self, asked: &Position, answer: &ControlEvents) -> bool {
        let store = self.store.clone();
        let was_silent = relay::silence(store.as_ref()).unwrap().is_some();
        let taken = self.transact(&store, |world| {
            let answer = answer.clone().into();
            relay::apply(&*world.store, (asked, Reach::New), &answer, world.now, world.config.event_cap, &mut fresh)
        });
        let Some(taken) = taken.map(Result::unwrap) else { return true };
        if matches!(taken, Answered::Taken(_))
            && answer.events.iter().any(|event| self.oracle.is_of_deleted_run(event.run_id.as_str()))
        {
            self.fire(Fault::DeletedRunSpoke);
        }
        if was_silent {
            self.town.silence_changed().unwrap();
        }
        match taken {
            Answered::Taken(outcome) | Answered::NewEpoch(outcome) => self.perform(&outcome),
            Answered::Stale | Answered::Unrecognised | Answered::Doubted => return false,
        }
        true
    }

    pub(super) fn unanswered(&mut self) {
        self.fire(Fault::RelayUnanswered);
        let store = self.store.clone();
        let was_silent = relay::silence(store.as_ref()).unwrap().is_some();
        let outcome = self.transact(&store, |world| {
            relay::unanswered(&*world.store, None, world.now, world.config.event_cap, &mut fresh)
        });
        let Some(outcome) = outcome.map(Result::unwrap) else { return };
        if !was_silent {
            self.town.silence_changed().unwrap();
        }
        self.perform(&outcome);
    }

    // ---- the rig ----

    pub(super) fn post(&mut self) {
        let (agent_id, oldest) = (agent(self.rng.u64(0..AGENTS)), self.tokens + 1);
        let mut events =
            if self.begun_at_once > 0 && self.rng.u32(0..3) > 0 { self.first_events() } else { self.some_notes() };
        let newest = self.tokens;
        let (fault, skew_ms) = match self.rng.u32(0..16) {
            0 => (Some(Fault::PostAhead), self.rng.i64(1..7_200_000)),
            1 => (Some(Fault::PostBehind), -self.rng.i64(1..7_200_000)),
            _ => (None, 0),
        };
        if let Some(fault) = fault {
            self.fire(fault);
            events[0]["at"] = json!(self.now.plus_millis(skew_ms).to_string());
        }
        if self.rng.u32(0..12) == 0 {
            self.fire(Fault::OutsideRunEnded);
            let exit = json!({"reason": "completed"});
            events.push(json!({"event_type": "agent.exited", "data": exit, "event_id": format!("end-{newest}")}));
        }
        let body = json!({"agent_id": agent_id.as_str(), "events": events}).to_string().into_bytes();
        let store = self.rig_store.clone();
        let receipt = self.transact(&store, |world| world.rig.post(parse_body(&body)?, world.now));
        let Some(receipt) = receipt else { return };
        if receipt.as_ref().is_err_and(|error| error.code == Code::RateLimited) {
            return self.fire(Fault::RunsRefused);
        }
        let receipt = receipt.unwrap();
        assert_eq!((receipt.appended, receipt.duplicates), (events.len() as u64, 0), "a post is taken whole");
        self.posted.extend(oldest..=newest);
        if self.rng.u32(0..4) == 0 {
            self.fire(Fault::PostRepeated);
            self.repeat(&body, events.len());
        }
        self.posts.push(body);
    }

    fn some_notes(&mut self) -> Vec<serde_json::Value> {
        let count = if self.rng.u32(0..20) == 0 { 60..120 } else { 1..6 };
        let notes = (0..self.rng.u32(count)).map(|_| {
            let token = self.fresh_token("rig");
            json!({"event_type": "note", "data": format!("#{token} note"), "event_id": format!("key-{token}")})
        });
        notes.collect()
    }

    /// A poster that had no answer posts again, perhaps much later. What the rig still has it does not take twice.
    pub(super) fn post_again(&mut self) {
        let Some(body) = self.rng.choice(self.posts.clone()) else { return };
        let posted: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let events = posted["events"].as_array().unwrap();
        let is_remembered = |event: &serde_json::Value| {
            let key = event["event_id"].as_str().unwrap();
            let sql = "SELECT 1 FROM agent_events WHERE event_key = ?";
            !self.rig_store.query(sql, &[key.into()]).unwrap().is_empty()
        };
        if events.iter().all(is_remembered) {
            let count = events.len();
            self.fire(Fault::PostRepeatedLater);
            self.repeat(&body, count);
        }
    }

    fn repeat(&mut self, body: &[u8], count: usize) {
        let receipt = self.rig.post(parse_body(body).unwrap(), self.now).unwrap();
        assert_eq!((receipt.appended, receipt.duplicates), (0, count as u64), "a repeated post is taken twice");
    }

    pub(super) fn forward(&mut self) {
        if let Some(batch) = self.rig.next_batch().unwrap() {
            self.batches.push(batch);
        }
        if self.batches.is_empty() {
            return;
        }
        let batch = self.batches.swap_remove(self.rng.usize(0..self.batches.len()));
        match self.rng.u32(0..10) {
            0 => return self.fire(Fault::BatchDropped),
            1 => {
                self.fire(Fault::BatchRepeated);
                self.batches.push(batch.clone());
            }
            _ => {}
        }
        let Some(cursor) = self.take_batch(&batch) else { return };
        match self.rng.u32(0..12) {
            0..2 => self.fire(Fault::CursorLost),
            2 => {
                self.fire(Fault::RigKilledBeforeAdopting);
                self.reopen_rig();
            }
            // The rig has one request in flight, so answers reach it in order.
            _ => {
                let store = self.rig_store.clone();
                if let Some(adopted) = self.transact(&store, |world| world.rig.adopt(cursor.cursor)) {
                    adopted.unwrap();
                }
            }
        }
    }

    pub(super) fn take_batch(&mut self, batch: &RigBatch) -> Option<RigCursor> {
        let store = self.store.clone();
        let taken = self.transact(&store, |world| world.town.take_batch(batch, world.now, &mut fresh));
        let (cursor, outcome) = taken?.unwrap();
        for (_, state) in &outcome.states {
            self.heard.insert(state.agent_id.to_string(), self.now);
        }
        self.perform(&outcome);
        Some(cursor)
    }

    /// The rig is killed with what it has under way, and goes on from its tables.
    pub(super) fn kill_rig(&mut self) {
        self.fire(Fault::RigKilled);
        self.batches.clear();
        self.reopen_rig();
    }

    fn reopen_rig(&mut self) {
        let store = Rc::clone(&self.rig_store) as Rc<dyn Store>;
        self.rig = Rig::open(store, self.config.event_cap).unwrap().unwrap();
    }
}

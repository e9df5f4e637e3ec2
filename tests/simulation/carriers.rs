//! The rig: what is posted to it, and how its outbox gets to the town.

use std::rc::Rc;

use serde_json::json;
use townwatch_protocol::body::parse_body;
use townwatch_protocol::error::Code;
use townwatch_protocol::wire::{RigBatch, RigCursor};
use townwatch_town::agents::runs::Source;
use townwatch_town::relay;
use townwatch_town::rig::Rig;
use townwatch_town::rig::carrier::{AlarmChange, Carrier, CarryEnd, CarryProgress, CarryStep};
use townwatch_town::store::Store;

use super::faults::Fault;
use super::world::{AGENTS, World, agent};

impl World {
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
        let receipt = self.in_rig(|world| world.rig.post(parse_body(&body)?, world.now));
        let Some(receipt) = receipt else { return };
        if receipt.as_ref().is_err_and(|error| error.code == Code::RateLimited) {
            return self.fire(Fault::RunsRefused);
        }
        let receipt = receipt.unwrap();
        assert_eq!((receipt.appended, receipt.duplicates), (events.len() as u64, 0), "a post is taken whole");
        let step = self.carrier.posted();
        self.take_carry_step(step);
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

    /// Does with the rig's alarm what the object does.
    pub(super) fn set_rig_alarm(&mut self, alarm: AlarmChange) {
        match alarm {
            AlarmChange::Keep => {}
            AlarmChange::SetIn(millis) => self.rig_alarm_at = Some(self.now.plus_millis(millis)),
            AlarmChange::Clear => self.rig_alarm_at = None,
        }
    }

    /// The rig's alarm fires if it is due, and a batch that is under way arrives, or one of before.
    pub(super) fn forward(&mut self) {
        if self.rig_alarm_at.is_some_and(|at| at <= self.now) {
            self.fire_rig_alarm();
        }
        if !self.strays.is_empty() && self.rng.u32(0..3) == 0 {
            let stray = self.strays.swap_remove(self.rng.usize(0..self.strays.len()));
            self.fire(Fault::BatchRepeated);
            self.take_batch(&stray);
        } else if self.rng.u32(0..4) > 0 {
            self.deliver_batch();
        }
    }

    pub(super) fn fire_rig_alarm(&mut self) {
        self.rig_alarm_at = None;
        let waits = self.rig.waiting().unwrap().events > 0;
        let step = self.carrier.alarm_fires(Some(waits));
        if waits && matches!(step, CarryStep::Wait(_)) {
            self.fire(Fault::AlarmWhileCarrying);
        }
        self.take_carry_step(step);
    }

    fn take_carry_step(&mut self, step: CarryStep) {
        match step {
            CarryStep::Wait(alarm) => self.set_rig_alarm(alarm),
            CarryStep::Carry(alarm) => {
                self.set_rig_alarm(alarm);
                self.send_next_batch();
            }
        }
    }

    fn send_next_batch(&mut self) {
        self.in_flight = self.rig.next_batch().unwrap();
        if self.in_flight.is_none() {
            self.end_carrying(CarryEnd::Done);
        }
    }

    /// The batch that is under way gets to the town and its cursor back, or one of both does not.
    pub(super) fn deliver_batch(&mut self) {
        let Some(batch) = self.in_flight.take() else { return };
        if self.goes_wrong(10) {
            self.fire(Fault::BatchDropped);
            return self.fail_batch();
        }
        if self.goes_wrong(10) {
            self.strays.push(batch.clone());
        }
        let Some(cursor) = self.take_batch(&batch) else { return self.fail_batch() };
        if self.goes_wrong(8) {
            self.fire(Fault::CursorLost);
            return self.fail_batch();
        }
        if self.goes_wrong(12) {
            self.fire(Fault::RigKilledBeforeAdopting);
            return self.reopen_rig();
        }
        match self.in_rig(|world| world.carrier.answered(&world.rig, Ok(cursor))) {
            Some(carried) => match carried.unwrap() {
                CarryProgress::Next => self.send_next_batch(),
                CarryProgress::End(end) => self.end_carrying(end),
            },
            None => self.fail_batch(),
        }
    }

    pub(super) fn end_carrying(&mut self, end: CarryEnd) {
        assert_ne!(end, CarryEnd::TownGone, "the town is there");
        let alarm = self.carrier.end(end);
        self.set_rig_alarm(alarm);
    }

    fn fail_batch(&mut self) {
        self.end_carrying(CarryEnd::Failed);
        let alarm = self.carrier.retry();
        self.set_rig_alarm(alarm);
    }

    pub(super) fn take_batch(&mut self, batch: &RigBatch) -> Option<RigCursor> {
        let source = Source::Rig(self.rig_id.clone());
        let before = relay::position(self.store.as_ref(), &source).unwrap();
        let cursor = self.handle(batch)?.unwrap();
        if before.cursor == batch.after {
            for event in &batch.events {
                self.heard.insert(event.agent_id.to_string(), self.now);
            }
        }
        Some(cursor)
    }

    /// Something that waits has an alarm, whatever has died.
    pub(super) fn check_outbox(&self) {
        let waits = self.rig.waiting().unwrap().events > 0;
        assert!(!waits || self.rig_alarm_at.is_some(), "something waits, and no alarm stands for it");
    }

    /// The rig is killed with what it has under way, and goes on from its tables.
    pub(super) fn kill_rig(&mut self) {
        self.fire(Fault::RigKilled);
        self.strays.clear();
        self.reopen_rig();
    }

    fn reopen_rig(&mut self) {
        let store = Rc::clone(&self.rig_store) as Rc<dyn Store>;
        self.rig = Rig::open(store, self.config.event_cap).unwrap().unwrap();
        // What was under way may still arrive.
        self.strays.extend(self.in_flight.take());
        self.carrier = Carrier::default();
        let rig = &self.rig;
        let alarm = self.carrier.wake(|| Some(rig.waiting().unwrap().events > 0));
        self.set_rig_alarm(alarm);
    }
}

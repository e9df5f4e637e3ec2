//! The delivery of a rig's outbox to its town, as its [`Carrier`](townwatch_town::rig::carrier::Carrier) says. What is
//! posted is carried at once; the alarm that carries it if this instance dies is set in the same commit as the events.

use std::rc::Weak;

use js_sys::futures::spawn_local;
use townwatch_protocol::error::{Code, Result};
use townwatch_town::rig::carrier::{AlarmChange, CarryEnd, CarryProgress, CarryStep};

use crate::log::log;
use crate::objects;
use crate::rig_object::RigObject;
use crate::timer::Sleep;

impl RigObject {
    /// Sets the alarm for what the last instance left, at the first request to this one.
    pub(super) async fn wake(&self) {
        let alarm = self.carrier.borrow_mut().wake(|| self.waits());
        self.set_alarm(alarm).await;
    }

    /// Carries what waits, at the alarm, and waits until the town has it.
    pub(super) async fn alarm_fires(&self) {
        let waits = self.waits();
        let step = self.carrier.borrow_mut().alarm_fires(waits);
        match step {
            CarryStep::Wait(alarm) => self.set_alarm(alarm).await,
            CarryStep::Carry(alarm) => {
                let under_way = self.under_way();
                self.set_alarm(alarm).await;
                self.carry_or_retry(under_way).await;
            }
        }
    }

    /// Whether events wait for the town; `None` where that cannot be read. Where no rig was made none do.
    fn waits(&self) -> Option<bool> {
        match self.open().and_then(|rig| rig.waiting()) {
            Ok(waiting) => Some(waiting.events > 0),
            Err(error) => (error.code == Code::NotFound).then_some(false),
        }
    }

    /// Carries a stored post, beside the answer to it. The delivery is begun before anything is awaited, so that a poster
    /// that goes away does not stop it. The alarm is set in this same step, and so in the post's commit.
    pub(super) async fn carry_posted(&self) {
        let step = self.carrier.borrow_mut().posted();
        let (CarryStep::Wait(alarm) | CarryStep::Carry(alarm)) = step;
        if let CarryStep::Carry(_) = step {
            let (me, under_way) = (Weak::clone(&self.me), self.under_way());
            spawn_local(async move {
                // The answer to the post leaves first: where town and rig share a thread it would wait for the crowd.
                Sleep::new(0).await;
                if let Some(me) = me.upgrade() {
                    me.carry_or_retry(under_way).await;
                }
            });
        }
        self.set_alarm(alarm).await;
    }

    async fn carry_or_retry(&self, under_way: UnderWay) {
        let Err(error) = self.carry(under_way).await else { return };
        log("outbox_error", &[("message", &error.message)]);
        // A rig that was erased meanwhile has nothing to carry any more.
        if self.waits() != Some(false) {
            let alarm = self.carrier.borrow_mut().retry();
            self.set_alarm(alarm).await;
        }
    }

    fn under_way(&self) -> UnderWay {
        UnderWay { rig: Weak::clone(&self.me), is_ended: false }
    }

    /// Delivers events that the town does not have yet, and waits until it has them.
    pub(super) async fn forward(&self) -> Result<()> {
        let alarm = self.carrier.borrow_mut().begin();
        let under_way = self.under_way();
        self.set_alarm(alarm).await;
        self.carry(under_way).await
    }

    /// Delivers one batch at a time. Events posted meanwhile are part of the next batch.
    async fn carry(&self, under_way: UnderWay) -> Result<()> {
        let carried = self.carry_batches().await;
        let alarm = under_way.end(carried.as_ref().map_or(CarryEnd::Failed, |end| *end));
        self.set_alarm(alarm).await;
        carried.map(|_| ())
    }

    async fn carry_batches(&self) -> Result<CarryEnd> {
        let rig = match self.open() {
            Err(error) if error.code == Code::NotFound => return Ok(CarryEnd::TownGone),
            rig => rig?,
        };
        while let Some(batch) = rig.next_batch()? {
            let came = objects::call(&self.env, &rig.town_id, &batch).await;
            match self.carrier.borrow().answered(&rig, came)? {
                CarryProgress::Next => {}
                CarryProgress::End(end) => {
                    if end == CarryEnd::TownGone {
                        log("outbox_error", &[("message", "the town is gone; its rig stops forwarding")]);
                    }
                    return Ok(end);
                }
            }
        }
        Ok(CarryEnd::Done)
    }

    async fn set_alarm(&self, alarm: AlarmChange) {
        let storage = self.state.storage();
        let outcome = match alarm {
            AlarmChange::Keep => return,
            AlarmChange::SetIn(millis) => {
                self.count(|counts| counts.alarms_set += 1);
                storage.set_alarm(millis).await
            }
            AlarmChange::Clear => storage.delete_alarm().await,
        };
        if let Err(error) = outcome {
            self.carrier.borrow_mut().alarm_failed();
            log("alarm_error", &[("message", &error.to_string())]);
        }
    }
}

/// A delivery that was begun. It also ends where its future is dropped in the middle: otherwise the rig would wait for it
/// until its instance goes.
struct UnderWay {
    rig: Weak<RigObject>,
    is_ended: bool,
}

impl UnderWay {
    fn end(mut self, end: CarryEnd) -> AlarmChange {
        self.is_ended = true;
        self.rig.upgrade().map_or(AlarmChange::Keep, |rig| rig.carrier.borrow_mut().end(end))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let (false, Some(rig)) = (self.is_ended, self.rig.upgrade()) {
            // The alarm that was set at the beginning stands.
            let _ = rig.carrier.borrow_mut().end(CarryEnd::Failed);
        }
    }
}

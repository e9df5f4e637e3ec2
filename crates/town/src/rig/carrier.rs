//! The delivery of a rig's outbox to its town, as a state machine over the object's one alarm. An alarm stands whenever
//! events wait, from the commit that stores them on. So if an instance dies, the next one continues:
//!
//! * a post has been stored: the instance carries it at once, and the alarm stands [`UNDER_WAY_MS`] ahead, for the case
//!   that the instance dies. An alarm that stands already stays, because setting one costs a write;
//! * a batch did not reach the town: the alarm stands 0.5 s ahead, then 1 s, 2 s, … 30 s;
//! * the town has all events: the alarm fires once more, and finds nothing.

use townwatch_protocol::error::{Code, Result};
use townwatch_protocol::wire::RigCursor;

use crate::rig::Rig;

/// The time after a batch that did not reach the town: at first, doubled at each failure up to [`RETRY_MS_MAX`].
const RETRY_MS_MIN: i64 = 500;
/// The longest time between two tries, 30 s: 0.5 s doubled six times is 32 s. Further failures wait no longer.
const RETRY_MS_MAX: i64 = 30_000;
/// The alarm's distance while a batch is under way.
const UNDER_WAY_MS: i64 = 3_000;

/// A change of the alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum AlarmChange {
    /// The alarm stays as it is.
    Keep,
    /// The alarm is set so many milliseconds ahead, and replaces the one before.
    SetIn(i64),
    /// The alarm is removed.
    Clear,
}

/// The next step of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum CarryStep {
    /// The alarm changes, and nothing else happens.
    Wait(AlarmChange),
    /// The alarm changes, and the caller carries. It needs one [`Carrier::end`].
    Carry(AlarmChange),
}

/// The way on after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarryProgress {
    /// The next batch.
    Next,
    /// Nothing more.
    End(CarryEnd),
}

/// The end of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarryEnd {
    /// The town has all events.
    Done,
    /// A batch did not reach the town, or the delivery broke off.
    Failed,
    /// The town is gone, and nobody will ever take the waiting events.
    TownGone,
}

/// An instance of a rig as the carrier of its outbox. It knows nothing of the instance before.
#[derive(Debug, Default)]
pub struct Carrier {
    /// Whether an alarm is set that has not fired yet, as far as this instance knows.
    is_alarmed: bool,
    /// Whether this instance has checked if events wait. The last instance may have died before it delivered them.
    is_awake: bool,
    failures: u32,
    /// Callers that carry at present: a post, the alarm, a stop, a deletion.
    under_way: u32,
}

impl Carrier {
    /// Takes a stored post, in its commit. While another caller carries, the post is part of a later batch of that
    /// caller; while the town takes nothing, it waits for the alarm.
    pub fn posted(&mut self) -> CarryStep {
        if self.under_way == 0 && self.failures == 0 {
            CarryStep::Carry(self.begin())
        } else {
            CarryStep::Wait(self.guard())
        }
    }

    /// Sets the alarm at the first request to this instance, if events wait and no alarm is set. `waits` says whether
    /// events lie in the outbox; `None` where that cannot be read, and then the next request looks again.
    pub fn wake(&mut self, waits: impl FnOnce() -> Option<bool>) -> AlarmChange {
        if self.is_awake {
            return AlarmChange::Keep;
        }
        let waits = waits();
        self.is_awake = waits.is_some();
        if waits == Some(true) && !self.is_alarmed { self.set_in(0) } else { AlarmChange::Keep }
    }

    /// Takes the firing of the alarm. While another caller carries, the alarm sends no second batch beside its own.
    /// `waits` says whether events lie in the outbox; `None` where that cannot be read. Then they may, and the alarm, which
    /// is used up, has to be followed by another: the delivery fails, and is tried again.
    pub fn alarm_fires(&mut self, waits: Option<bool>) -> CarryStep {
        (self.is_alarmed, self.is_awake) = (false, true);
        if waits == Some(false) {
            CarryStep::Wait(AlarmChange::Keep)
        } else if self.under_way > 0 {
            CarryStep::Wait(self.guard())
        } else {
            CarryStep::Carry(self.begin())
        }
    }

    /// Notes that the alarm could not be set.
    pub fn alarm_failed(&mut self) {
        self.is_alarmed = false;
    }

    /// Begins to carry. Each begin needs one [`Carrier::end`].
    pub fn begin(&mut self) -> AlarmChange {
        self.under_way += 1;
        self.guard()
    }

    /// Takes the result of a batch.
    ///
    /// # Errors
    /// The batch did not reach the town, as far as is known, or the tables could not take its cursor.
    pub fn answered(&self, rig: &Rig, came: Result<RigCursor>) -> Result<CarryProgress> {
        match came {
            Ok(RigCursor { cursor }) => {
                let waiting = rig.adopt(cursor)?;
                Ok(if waiting.events > 0 { CarryProgress::Next } else { CarryProgress::End(CarryEnd::Done) })
            }
            Err(error) if error.code == Code::NotFound => Ok(CarryProgress::End(CarryEnd::TownGone)),
            Err(error) => Err(error),
        }
    }

    /// Ends the carrying that [`Carrier::begin`] began. The alarm stays, except where nobody will take what waits: it
    /// would find that again and again.
    pub fn end(&mut self, end: CarryEnd) -> AlarmChange {
        self.under_way = self.under_way.saturating_sub(1);
        if end != CarryEnd::Failed && std::mem::take(&mut self.failures) > 0 {
            // The alarm of the last failure may be far ahead. The next post sets a nearer one.
            self.is_alarmed = false;
        }
        if end != CarryEnd::TownGone {
            return AlarmChange::Keep;
        }
        self.is_alarmed = false;
        AlarmChange::Clear
    }

    /// Notes that the batch did not reach the town.
    pub fn retry(&mut self) -> AlarmChange {
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        self.set_in(RETRY_MS_MIN.saturating_mul(1 << failures.min(10)).min(RETRY_MS_MAX))
    }

    /// The alarm for the case that this instance dies.
    fn guard(&mut self) -> AlarmChange {
        if self.is_alarmed { AlarmChange::Keep } else { self.set_in(UNDER_WAY_MS) }
    }

    fn set_in(&mut self, millis: i64) -> AlarmChange {
        self.is_alarmed = true;
        AlarmChange::SetIn(millis)
    }
}

//! The delivery of a rig's outbox to its town, as a state machine over the object's one alarm. The alarm is set
//! whenever events wait, from the commit that stores them on. So if an instance dies, the next one continues:
//!
//! * a post has been stored: the alarm fires at once, unless it is set;
//! * a batch is under way: the alarm stands [`UNDER_WAY_MS`] ahead, for the case that the carrier dies;
//! * a batch did not reach the town: the alarm stands 0.5 s ahead, then 1 s, 2 s, … 30 s;
//! * the town has all events: there is no alarm.

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

/// The way on after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarryProgress {
    /// The next batch, if there is one.
    Next,
    /// Nothing: the town is gone, and nobody will ever take the waiting events.
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
    /// Callers that carry at present: the alarm, a stop, a deletion.
    under_way: u32,
}

impl Carrier {
    /// Sets the alarm for a stored post, in the commit of that post.
    pub fn posted(&mut self) -> AlarmChange {
        if self.is_alarmed { AlarmChange::Keep } else { self.set_in(0) }
    }

    /// Sets the alarm at the first request to this instance, if events wait and no alarm is set. `waits` says whether
    /// events lie in the outbox.
    pub fn wake(&mut self, waits: impl FnOnce() -> bool) -> AlarmChange {
        if std::mem::replace(&mut self.is_awake, true) || self.is_alarmed || !waits() {
            return AlarmChange::Keep;
        }
        self.set_in(0)
    }

    /// Takes the firing of the alarm. `None`: it is time to carry. Otherwise another caller is carrying, and no second
    /// batch is sent beside its own.
    pub fn alarm_fires(&mut self) -> Option<AlarmChange> {
        (self.is_alarmed, self.is_awake) = (false, true);
        (self.under_way > 0).then(|| self.set_in(UNDER_WAY_MS))
    }

    /// Notes that the alarm could not be set.
    pub fn alarm_failed(&mut self) {
        self.is_alarmed = false;
    }

    /// Begins to carry. Each begin needs one [`Carrier::end`].
    pub fn begin(&mut self) -> AlarmChange {
        self.under_way += 1;
        self.set_in(UNDER_WAY_MS)
    }

    /// Takes the result of a batch.
    ///
    /// # Errors
    /// The batch did not reach the town, as far as is known, or the tables could not take its cursor.
    pub fn answered(&self, rig: &Rig, came: Result<RigCursor>) -> Result<CarryProgress> {
        match came {
            Ok(RigCursor { cursor }) => rig.adopt(cursor).map(|()| CarryProgress::Next),
            Err(error) if error.code == Code::NotFound => Ok(CarryProgress::TownGone),
            Err(error) => Err(error),
        }
    }

    /// Ends the carrying that [`Carrier::begin`] began, after a success or a failure. `is_done`: the town has all
    /// events, or is gone.
    pub fn end(&mut self, is_done: bool) -> AlarmChange {
        self.under_way = self.under_way.saturating_sub(1);
        if !is_done {
            return AlarmChange::Keep;
        }
        (self.failures, self.is_alarmed) = (0, false);
        AlarmChange::Clear
    }

    /// Notes that the batch did not reach the town.
    pub fn retry(&mut self) -> AlarmChange {
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        self.set_in(RETRY_MS_MIN.saturating_mul(1 << failures.min(10)).min(RETRY_MS_MAX))
    }

    fn set_in(&mut self, millis: i64) -> AlarmChange {
        self.is_alarmed = true;
        AlarmChange::SetIn(millis)
    }
}

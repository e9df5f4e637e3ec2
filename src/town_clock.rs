//! The clock of a Town: one alarm, which outlives the instance and costs a write, and a timer for what is due within a second.

use ::worker::ScheduledTime;
use js_sys::futures::spawn_local;
use townwatch_protocol::error::{Code, Result};
use townwatch_protocol::time::Timestamp;
use townwatch_town::town::Tick;
use townwatch_town::viewers::keepalive::{self, Heartbeats, KeepaliveCheck, Traffic};

use crate::log::log;
use crate::platform;
use crate::timer::Sleep;
use crate::town_object::TownObject;

/// The longest wait that a timer serves, 1 s. A longer one needs an alarm, which costs a write.
const TIMER_MS_MAX: u64 = 1_000;
/// The pause before a failed tick is tried again.
const TICK_RETRY_MS: i64 = 1_000;

impl TownObject {
    /// Sends heartbeats to sockets that do not ping, all at once, and notes the time of the next check.
    fn keep_alive(&self) {
        let now = platform::now();
        if self.keepalive_at.get().is_none_or(|at| at > now) {
            return;
        }
        self.keepalive_at.set(None);
        let outcome = self.step(|town| {
            let sockets = self.sockets.borrow();
            let traffic = sockets.iter().filter(|(id, _)| town.may_owe_heartbeats(**id)).map(|(id, open)| Traffic {
                id: *id,
                opened_at: open.opened_at,
                pinged_at: open.socket.pinged_at(&self.state),
                sent_at: open.sent_at.get(),
            });
            let KeepaliveCheck { owed, next_at } = keepalive::check(traffic, now);
            self.keepalive_at.set(next_at);
            town.handle(Heartbeats { owed: &owed }, now)
        });
        // An error says that there is no town any more.
        drop(outcome);
    }

    /// The time at which something becomes due without any input.
    pub(super) fn due_at(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let due_at = self.with(|town| Ok(town.due_at(now)))?;
        // What a failed tick left is due still, but is not tried without a pause.
        let due_at = due_at.map(|at| self.tick_not_before.get().map_or(at, |not_before| at.max(not_before)));
        Ok([due_at, self.keepalive_at.get()].into_iter().flatten().min())
    }

    /// Performs what has become due. After a failure an alarm tries again.
    pub(super) async fn tick(&self) {
        let now = platform::now();
        let failure = self.step_without_timer(|town| town.handle(Tick, now)).err();
        let failure = failure.filter(|error| error.code != Code::NotFound);
        let retry_at = failure.as_ref().map(|_| now.plus_millis(TICK_RETRY_MS));
        self.tick_not_before.set(retry_at);
        self.set_timer();
        if let (Some(error), Some(at)) = (failure, retry_at) {
            log("tick_error", &[("message", &error.message)]);
            self.pull_alarm(at).await;
        }
        self.keep_alive();
        self.event_waiters.announce();
    }

    /// Sets a timer for what becomes due soon.
    pub(super) fn set_timer(&self) {
        let now = platform::now();
        let Ok(Some(due_at)) = self.due_at(now) else { return };
        let in_ms = due_at.millis_since(now);
        if in_ms > TIMER_MS_MAX || self.timer_at.get().is_some_and(|at| at <= due_at) {
            return;
        }
        let Ok(me) = self.shared() else { return };
        self.timer_at.set(Some(due_at));
        spawn_local(async move {
            Sleep::new(in_ms).await;
            // One for an earlier time may have taken its place, and sets the next itself.
            if me.timer_at.get() == Some(due_at) {
                me.timer_at.set(None);
                me.tick().await;
                drop(me.wake_when_due().await);
            }
        });
    }

    /// Sets the alarm, unless an earlier one is set.
    pub(super) async fn pull_alarm(&self, at: Timestamp) {
        if self.alarm_at.get().is_none()
            && let Ok(Some(stored)) = self.state.storage().get_alarm().await
        {
            self.alarm_at.set(Some(Timestamp::from_millis(stored)));
        }
        if self.alarm_at.get().is_none_or(|set| at < set) {
            self.set_alarm(at).await;
        }
    }

    /// Wakes the relay now, because a reader came, if there is a reason to ask the container.
    pub(super) async fn pull_relay(&self) -> Result<()> {
        if self.wants_relay()? {
            self.pull_alarm(platform::now()).await;
        }
        Ok(())
    }

    /// Sets a timer for what becomes due soon, and the alarm for what becomes due later.
    pub(super) async fn wake_when_due(&self) -> Result<()> {
        self.set_timer();
        let now = platform::now();
        match self.due_at(now)? {
            Some(at) if at.millis_since(now) > TIMER_MS_MAX => self.pull_alarm(at).await,
            _ => {}
        }
        Ok(())
    }

    /// Sets the alarm, and replaces the one before.
    pub(super) async fn set_alarm(&self, at: Timestamp) {
        self.alarm_at.set(Some(at));
        self.count(|counts| counts.alarms_set += 1);
        #[allow(clippy::cast_precision_loss)] // milliseconds since 1970 are far below 2^53
        let date = js_sys::Date::new(&(at.millis() as f64).into());
        if let Err(error) = self.state.storage().set_alarm(ScheduledTime::new(date)).await {
            log("alarm_error", &[("message", &error.to_string())]);
        }
    }

    /// Notes that the alarm has fired and is no longer set.
    pub(super) fn alarm_fires(&self) {
        self.alarm_at.set(None);
    }

    /// Removes the alarm, so that nothing wakes the town.
    pub(super) async fn clear_alarm(&self) {
        self.alarm_at.set(None);
        if let Err(error) = self.state.storage().delete_alarm().await {
            log("alarm_error", &[("message", &error.to_string())]);
        }
    }
}

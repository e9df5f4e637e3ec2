//! What a viewer may be sent only because it asks: the states of what it watches, and of what it saw before.

use serde::{Deserialize, Serialize};
use townwatch_protocol::limits::{ALLOWANCE_BYTES_MAX, ALLOWANCE_REFILL_MS};
use townwatch_protocol::time::Timestamp;

/// Holds [`ALLOWANCE_BYTES_MAX`], and is full again [`ALLOWANCE_REFILL_MS`] after it was empty, or as soon as the viewer
/// acknowledges something. The socket of a viewer that reads nothing holds all that it is sent; a new event is sent once,
/// but a viewer can ask for old ones and for states as often as it likes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Allowance {
    spent_bytes: u64,
    /// When that was so.
    at: Option<Timestamp>,
}

impl Allowance {
    /// Whether anything is left; what is sent then may be more than that, a frame or a few.
    pub(crate) fn is_left(&self, now: Timestamp) -> bool {
        self.spent_at(now) < ALLOWANCE_BYTES_MAX
    }

    /// Whether as much again was sent as it holds, all of which the viewer asked for.
    pub(crate) fn is_overdrawn(&self, now: Timestamp) -> bool {
        self.spent_at(now) >= 2 * ALLOWANCE_BYTES_MAX
    }

    /// Takes so much if anything is left; false if not.
    pub(crate) fn take(&mut self, bytes: usize, now: Timestamp) -> bool {
        let is_left = self.is_left(now);
        if is_left {
            self.spend(bytes, now);
        }
        is_left
    }

    /// Counts what has to be sent anyway.
    pub(crate) fn spend(&mut self, bytes: usize, now: Timestamp) {
        *self = Self { spent_bytes: self.spent_at(now) + bytes as u64, at: Some(now) };
    }

    /// The viewer has said that it reads.
    pub(crate) fn refill(&mut self) {
        *self = Self::default();
    }

    /// When something is left again.
    pub(crate) fn left_at(&self, now: Timestamp) -> Timestamp {
        let missing_bytes = self.spent_at(now).saturating_sub(ALLOWANCE_BYTES_MAX) + STEP_BYTES;
        now.plus_millis(i64::try_from(missing_bytes * ALLOWANCE_REFILL_MS / ALLOWANCE_BYTES_MAX).unwrap_or(i64::MAX))
    }

    fn spent_at(&self, now: Timestamp) -> u64 {
        let passed_ms = self.at.map_or(0, |at| now.millis_since(at)).min(2 * ALLOWANCE_REFILL_MS);
        self.spent_bytes.saturating_sub(ALLOWANCE_BYTES_MAX * passed_ms / ALLOWANCE_REFILL_MS)
    }
}

/// Who waits is looked at again when there is room for so much, 64 KiB: once a second.
const STEP_BYTES: u64 = 64 << 10;

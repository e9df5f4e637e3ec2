//! The allowance for frames that a viewer gets only because it asks: the states of what it watches, and events that it
//! has seen before.

use serde::{Deserialize, Serialize};
use townwatch_protocol::limits::{ALLOWANCE_BYTES_MAX, ALLOWANCE_REFILL_MS};
use townwatch_protocol::time::Timestamp;

/// The allowance of one viewer, [`ALLOWANCE_BYTES_MAX`]. An empty allowance is full again after
/// [`ALLOWANCE_REFILL_MS`], or as soon as the viewer acknowledges something. The socket of a viewer that reads nothing
/// holds every frame in memory. A new event is sent once, but a viewer can ask for old events and for states as often
/// as it likes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Allowance {
    spent_bytes: u64,
    /// The time to which `spent_bytes` belongs.
    at: Option<Timestamp>,
}

impl Allowance {
    /// Whether anything is left. A frame, or a few, may then be sent even if they are larger than the rest.
    pub(crate) fn is_left(&self, now: Timestamp) -> bool {
        self.spent_at(now) < ALLOWANCE_BYTES_MAX
    }

    /// Whether twice the allowance is spent. All of it was sent because the viewer asked.
    pub(crate) fn is_overdrawn(&self, now: Timestamp) -> bool {
        self.spent_at(now) >= 2 * ALLOWANCE_BYTES_MAX
    }

    /// Takes so many bytes if anything is left; false if nothing is.
    pub(crate) fn take(&mut self, bytes: usize, now: Timestamp) -> bool {
        let is_left = self.is_left(now);
        if is_left {
            self.spend(bytes, now);
        }
        is_left
    }

    /// Counts bytes that have to be sent in any case.
    pub(crate) fn spend(&mut self, bytes: usize, now: Timestamp) {
        *self = Self { spent_bytes: self.spent_at(now) + bytes as u64, at: Some(now) };
    }

    /// Makes the allowance full: the viewer has acknowledged something, so it reads.
    pub(crate) fn refill(&mut self) {
        *self = Self::default();
    }

    /// The time at which [`STEP_BYTES`] are left again.
    pub(crate) fn left_at(&self, now: Timestamp) -> Timestamp {
        let missing_bytes = self.spent_at(now).saturating_sub(ALLOWANCE_BYTES_MAX) + STEP_BYTES;
        now.plus_millis(i64::try_from(missing_bytes * ALLOWANCE_REFILL_MS / ALLOWANCE_BYTES_MAX).unwrap_or(i64::MAX))
    }

    fn spent_at(&self, now: Timestamp) -> u64 {
        let passed_ms = self.at.map_or(0, |at| now.millis_since(at)).min(2 * ALLOWANCE_REFILL_MS);
        self.spent_bytes.saturating_sub(ALLOWANCE_BYTES_MAX * passed_ms / ALLOWANCE_REFILL_MS)
    }
}

/// The room at which a waiting viewer is checked again, 64 KiB: about once a second.
const STEP_BYTES: u64 = 64 << 10;

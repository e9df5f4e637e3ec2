//! How much a viewer may say: each message takes the town some work, and wakes it where it sleeps.

use townwatch_protocol::limits::{CLIENT_MESSAGES_MAX, CLIENT_MESSAGES_PER_SECOND};
use townwatch_protocol::time::Timestamp;

/// What one message takes of a viewer's time.
const MESSAGE_MS: u64 = 1_000 / CLIENT_MESSAGES_PER_SECOND;

/// What one viewer has said lately. It is not kept through a hibernation, which comes when all is quiet.
#[derive(Debug, Default)]
pub(crate) struct MessageRate {
    /// The time that its messages take, less what has passed since.
    owed_ms: u64,
    at: Option<Timestamp>,
}

impl MessageRate {
    /// Counts a message; false if it is one too many.
    pub(crate) fn counts(&mut self, now: Timestamp) -> bool {
        let passed_ms = self.at.map_or(0, |at| now.millis_since(at));
        self.at = Some(now);
        self.owed_ms = self.owed_ms.saturating_sub(passed_ms) + MESSAGE_MS;
        self.owed_ms <= CLIENT_MESSAGES_MAX * MESSAGE_MS
    }

    /// The last message was of those that do not count.
    pub(crate) fn forgives(&mut self) {
        self.owed_ms = self.owed_ms.saturating_sub(MESSAGE_MS);
    }
}

//! The rate of a viewer's messages. Each message is work for the town, and wakes it where it sleeps.

use townwatch_protocol::limits::{CLIENT_MESSAGES_MAX, CLIENT_MESSAGES_PER_SECOND};
use townwatch_protocol::time::Timestamp;

/// The time that one message takes of a viewer's quota, 50 ms at 20 messages a second.
const MESSAGE_MS: u64 = 1_000 / CLIENT_MESSAGES_PER_SECOND;

/// The recent messages of one viewer. They are not kept through a hibernation, which comes when all is quiet.
#[derive(Debug, Default)]
pub(crate) struct MessageRate {
    /// The time that the messages take, less the time that has passed since.
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

    /// Takes the last message back out of the count: it was of a kind that does not count.
    pub(crate) fn forgives(&mut self) {
        self.owed_ms = self.owed_ms.saturating_sub(MESSAGE_MS);
    }
}

//! The memory of a control server for the calls it has taken: each call is valid once.
//!
//! A call is remembered until it expires; after that it is refused as expired. A server that has just started does not
//! know which calls its predecessor took, so it refuses every call that was signed before its start.

use std::collections::BTreeSet;

use crate::signed_call::{Claims, Nonce, Refusal};
use crate::time::Timestamp;

/// Calls that are remembered at once, 100,000: 5,000 a second for 20 s each, 3 MB. One more is refused with 429
/// `rate_limited`, because a forgotten call could be repeated.
pub const REPLAYS_MAX: usize = 100_000;

/// The calls that were taken.
#[derive(Debug)]
pub struct Replays {
    began_at: Timestamp,
    /// The calls in the order of their ends, so that the expired ones come first.
    taken: BTreeSet<(Timestamp, Nonce)>,
    /// The time up to which calls are forgotten. A call that ended before it is refused even if the clock steps back.
    forgotten_to: Timestamp,
}

impl Replays {
    /// The memory of a server that starts now.
    pub fn new(now: Timestamp) -> Self {
        Self { began_at: now, taken: BTreeSet::new(), forgotten_to: now }
    }

    /// Takes a call whose signature is verified.
    ///
    /// # Errors
    ///
    /// `BeforeStart` for a call older than the server, `Expired`, `Replayed` for a call that was taken before, `Full`
    /// beyond [`REPLAYS_MAX`].
    pub fn take(&mut self, claims: &Claims, now: Timestamp) -> Result<(), Refusal> {
        self.forget(now);
        if claims.issued_at < self.began_at {
            return Err(Refusal::BeforeStart);
        }
        if claims.expires_at <= self.forgotten_to {
            return Err(Refusal::Expired);
        }
        let one = (claims.expires_at, claims.nonce);
        if self.taken.contains(&one) {
            return Err(Refusal::Replayed);
        }
        if self.taken.len() >= REPLAYS_MAX {
            return Err(Refusal::Full);
        }
        self.taken.insert(one);
        Ok(())
    }

    fn forget(&mut self, now: Timestamp) {
        while self.taken.first().is_some_and(|(expires_at, _)| *expires_at <= now) {
            self.taken.pop_first();
        }
        self.forgotten_to = self.forgotten_to.max(now);
    }
}

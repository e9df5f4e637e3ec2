//! The calls that a control server has taken: each is good once.
//!
//! A call is remembered until its time is over, and then refused for that. What was taken before the server began it
//! cannot know, so a call that was signed before is refused, too.

use std::collections::BTreeSet;

use crate::signed_call::{Claims, Nonce, Refusal};
use crate::time::Timestamp;

/// Calls that are remembered at once, 100,000 (5,000 a second for their whole time; 3 MB). One more is refused with 429
/// `rate_limited`: one that was forgotten could come again.
pub const REPLAYS_MAX: usize = 100_000;

/// What was taken.
#[derive(Debug)]
pub struct Replays {
    began_at: Timestamp,
    /// By the end of their time, so that those whose time is over are the first.
    taken: BTreeSet<(Timestamp, Nonce)>,
    /// All that ended up to here is forgotten, and refused also if the clock steps back.
    forgotten_to: Timestamp,
}

impl Replays {
    /// Of a server that begins now.
    pub fn new(now: Timestamp) -> Self {
        Self { began_at: now, taken: BTreeSet::new(), forgotten_to: now }
    }

    /// Takes a call, whose signature was found right, unless it came before.
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

//! Which sessions last, as the Worker knows it: the account is asked once a minute for each, and not for each request.

use std::collections::BTreeMap;

use townwatch_protocol::id::SessionId;
use townwatch_protocol::limits::{SESSION_KNOWN_MS, SESSIONS_MAX};
use townwatch_protocol::time::Timestamp;

/// The time of the account's last confirmation of each session. Bounded by [`SESSIONS_MAX`]; with one more all are
/// asked for again.
#[derive(Debug, Default)]
pub struct KnownSessions(BTreeMap<SessionId, Timestamp>);

impl KnownSessions {
    /// No session is known.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Whether the session need not be asked for.
    pub fn lasts(&self, session_id: &SessionId, now: Timestamp) -> bool {
        self.0.get(session_id).is_some_and(|at| *at <= now && now < at.plus_millis(SESSION_KNOWN_MS))
    }

    /// The account says that it lasts.
    pub fn note(&mut self, session_id: SessionId, now: Timestamp) {
        if self.0.len() as u64 >= SESSIONS_MAX {
            self.0.clear();
        }
        self.0.insert(session_id, now);
    }

    /// Forgets all sessions, because some were ended.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}

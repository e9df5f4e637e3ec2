//! The grantor: the one whose right a ticket passes on. What the ticket has opened ends with that right.

use hmac::Mac;
use serde::{Deserialize, Serialize};
use townwatch_protocol::error::Result;
use townwatch_protocol::id::SessionId;
use townwatch_protocol::limits::SESSION_IDLE_MS;
use townwatch_protocol::time::Timestamp;

use crate::access::auth::{self, Caller};
use crate::settings::Secrets;
use crate::store::Row;

/// The credential that a ticket was made by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grantor {
    /// A name for the credential that does not reveal it. If the secret behind the credential changes, the name
    /// changes, too.
    pub name: String,
    /// The end of the right, as a session has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
}

impl Grantor {
    /// The one whose credential a request carries. What a session passes on ends when the session itself would, if it were
    /// not used again.
    pub fn of(caller: &Caller, secrets: &Secrets, now: Timestamp) -> Self {
        match &caller.session_id {
            Some(session_id) => {
                let idle_at = now.plus_millis(SESSION_IDLE_MS);
                let ends_at = caller.ends_at.map_or(idle_at, |end| end.min(idle_at));
                Self { name: name_of(session_id, &secrets.jwt_secret, secrets), ends_at: Some(ends_at) }
            }
            None => Self { name: of_key(secrets), ends_at: caller.ends_at },
        }
    }

    /// The names that a session can have: one under the present secret, and one under the secret before it. Tickets
    /// that the session made before the secret was changed have the older name.
    pub fn names_of(session_id: &SessionId, secrets: &Secrets) -> impl Iterator<Item = String> {
        secrets.jwt_secrets().map(move |jwt_secret| name_of(session_id, jwt_secret, secrets))
    }

    /// Whether the right lasts: its secret is still the one that counts, and its time is not over. A session that was ended
    /// has been taken out of the town (`Town::end_sessions`).
    pub fn lasts(&self, secrets: &Secrets, now: Timestamp) -> bool {
        let mut of_sessions = secrets.jwt_secrets().map(|jwt_secret| of_sessions(jwt_secret, secrets));
        let is_current = self.name == of_key(secrets) || of_sessions.any(|name| self.name.starts_with(&name));
        is_current && self.ends_at.is_none_or(|end| now < end)
    }

    /// Out of a row that has the name and the end in these columns.
    pub(crate) fn read(row: &Row, name: usize, ends_at: usize) -> Result<Self> {
        let ends_at = row.maybe_number(ends_at).and_then(|millis| i64::try_from(millis).ok());
        Ok(Self { name: row.text(name)?.to_owned(), ends_at: ends_at.map(Timestamp::from_millis) })
    }

    /// The end of the right, as a row has it.
    pub(crate) fn ends_at_ms(&self) -> Option<i64> {
        self.ends_at.map(Timestamp::millis)
    }
}

/// The name of the key: a tag under it.
fn of_key(secrets: &Secrets) -> String {
    format!("key {}", tag(secrets, ""))
}

/// The name of a session.
fn name_of(session_id: &SessionId, jwt_secret: &str, secrets: &Secrets) -> String {
    format!("{}{session_id}", of_sessions(jwt_secret, secrets))
}

/// The beginning of the names of all sessions: a tag under both secrets.
fn of_sessions(jwt_secret: &str, secrets: &Secrets) -> String {
    format!("session {} ", tag(secrets, jwt_secret))
}

fn tag(secrets: &Secrets, beside: &str) -> String {
    let mut tag = auth::keyed(secrets.api_key.as_bytes());
    tag.update(b"townwatch grantor\0");
    tag.update(beside.as_bytes());
    townwatch_protocol::hexadecimal::of(tag.finalize().into_bytes())
}

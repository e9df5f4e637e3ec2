//! Whose right a ticket passes on. What the ticket opened may go on only as long as that right lasts.

use hmac::Mac;
use serde::{Deserialize, Serialize};

use crate::core::auth::{self, Caller, Carrier};
use crate::core::settings::Secrets;
use crate::core::store::Row;
use crate::error::Result;
use crate::time::Timestamp;

/// The credential that a ticket was made by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grantor {
    /// Names it without telling it: another name once the secret behind it is another.
    pub name: String,
    /// When it ends by itself, as a session does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
}

impl Grantor {
    /// The one whose credential a request carries.
    pub fn of(caller: &Caller, secrets: &Secrets) -> Self {
        Self { name: name(caller.carrier, secrets), ends_at: caller.ends_at }
    }

    /// Whether the right lasts: its secret is still the one that counts, and its time is not over.
    pub fn lasts(&self, secrets: &Secrets, now: Timestamp) -> bool {
        let is_current = [Carrier::Bearer, Carrier::Cookie].iter().any(|carrier| name(*carrier, secrets) == self.name);
        is_current && self.ends_at.is_none_or(|end| now < end)
    }

    /// Out of a row that has the name and the end in these columns.
    pub(crate) fn read(row: &Row, name: usize, ends_at: usize) -> Result<Self> {
        let ends_at = row.maybe_number(ends_at).and_then(|millis| i64::try_from(millis).ok());
        Ok(Self { name: row.text(name)?.to_owned(), ends_at: ends_at.map(Timestamp::from_millis) })
    }

    /// When it ends, as a row has it.
    pub(crate) fn ends_at_ms(&self) -> Option<i64> {
        self.ends_at.map(Timestamp::millis)
    }
}

/// A tag under the secret: of the key where that was shown, of both secrets where a session was.
fn name(carrier: Carrier, secrets: &Secrets) -> String {
    let mut tag = auth::keyed(secrets.api_key.as_bytes());
    tag.update(b"townwatch grantor\0");
    let kind = match carrier {
        Carrier::Cookie => {
            tag.update(secrets.jwt_secret.as_bytes());
            "session"
        }
        Carrier::Bearer | Carrier::Ticket => "key",
    };
    format!("{kind} {}", crate::core::hexadecimal::of(tag.finalize().into_bytes()))
}

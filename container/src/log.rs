//! The clock, and the log: one JSON object a line on standard error, for a run's start and end and for what stops the
//! server. Never a secret, never an event's content.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use townwatch_protocol::time::Timestamp;

/// The present moment.
pub fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(0))
}

/// Writes one line: `log` is its kind, `fields` is a JSON object with the rest.
pub fn write(log: &str, mut fields: serde_json::Value) {
    fields["at"] = now().to_string().into();
    fields["log"] = log.into();
    let _ = writeln!(std::io::stderr().lock(), "{fields}"); // no one is left to tell that standard error is closed
}

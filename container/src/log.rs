//! The log: one JSON object a line on standard error, for the start and end of a run, and for faults that stop the
//! server. It never has a secret or an event's content.

use std::io::Write;

use townwatch_host::now;

/// Writes one line. `log` is its kind, and `fields` is a JSON object with the rest.
pub fn write(log: &str, mut fields: serde_json::Value) {
    fields["at"] = now().to_string().into();
    fields["log"] = log.into();
    let _ = writeln!(std::io::stderr().lock(), "{fields}"); // no one is left to tell that standard error is closed
}

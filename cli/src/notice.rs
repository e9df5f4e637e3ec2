//! What a person at the terminal has to know: on standard error, so that standard output is only what was asked for.

use std::io::Write;

/// Says one line.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "townwatch: {text}"); // no one is left to tell that standard error is closed
}

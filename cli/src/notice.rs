//! Notices for the person at the terminal. They go to standard error, so that standard output has only the requested
//! data.

use std::io::Write;

/// Prints one line.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "townwatch: {text}"); // no one is left to tell that standard error is closed
}

//! The reason of a failed command, from its output: the first error, not the last line.
//!
//! Most programs print more after an error: cargo ends with `error: could not compile`, make with `*** Error 1`, npm
//! with the path of its log. So the first line with an error is kept while lines come, and the last line counts only
//! without one. Standard error has priority over standard output, and a cause over a line which only says that another
//! command failed.

mod patterns;

use patterns::{ErrorLineKind, classify};
use townwatch_protocol::event::OutputStream;
use townwatch_terminal::plain;

use crate::cut;

/// The bytes of a line that are kept.
const KEPT_BYTES_MAX: usize = 500;
/// The bytes of a line that are read.
const LINE_BYTES_MAX: usize = 8 << 10;

/// The reason of a failed command, collected from its output.
#[derive(Debug, Default)]
pub struct FailureReason {
    stdout: Lines,
    stderr: Lines,
}

/// The kept lines of one stream.
#[derive(Debug, Default)]
struct Lines {
    /// The present part of an unfinished line.
    open: String,
    cause: Option<String>,
    /// The first line which only says that another command failed.
    consequence: Option<String>,
    last: Option<String>,
    continuation: Continuation,
}

/// The part of an error that the next lines may add.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Continuation {
    #[default]
    Nothing,
    /// The exception after Python's `Traceback`: the first line that is not indented.
    Exception,
    /// The message after `panicked at src/main.rs:1:2:`.
    Message,
}

impl FailureReason {
    /// Adds a part of an unfinished line.
    pub fn part(&mut self, stream: OutputStream, part: &str) {
        let open = &mut self.lines(stream).open;
        let room = LINE_BYTES_MAX.saturating_sub(open.len());
        open.push_str(&part[..part.floor_char_boundary(room)]);
        if let Some(at) = open.rfind('\r').filter(|_| open.len() >= LINE_BYTES_MAX / 2) {
            open.drain(..=at); // what a progress bar has written over
        }
    }

    /// Adds a line, or the rest of one.
    pub fn end_line(&mut self, stream: OutputStream, rest: &str) {
        let lines = self.lines(stream);
        if lines.open.is_empty() {
            return lines.take(rest);
        }
        self.part(stream, rest);
        let lines = self.lines(stream);
        let line = std::mem::take(&mut lines.open);
        lines.take(&line);
    }

    /// The line that says most about the failure.
    pub fn line(&self) -> Option<&str> {
        let (stdout, stderr) = (&self.stdout, &self.stderr);
        let best = [&stderr.cause, &stdout.cause, &stderr.consequence, &stdout.consequence, &stderr.last, &stdout.last];
        best.into_iter().find_map(Option::as_deref)
    }

    fn lines(&mut self, stream: OutputStream) -> &mut Lines {
        if stream == OutputStream::Stderr { &mut self.stderr } else { &mut self.stdout }
    }
}

impl Lines {
    fn take(&mut self, line: &str) {
        let line = plain(&line[..line.floor_char_boundary(LINE_BYTES_MAX)]);
        // A progress bar that nothing has written over stands before a message on the same line.
        let text = line.trim();
        if text.is_empty() {
            return;
        }
        let last = self.last.get_or_insert_default();
        last.clear();
        match text.len() {
            ..=KEPT_BYTES_MAX => last.push_str(text),
            _ => *last = cut::text(text, KEPT_BYTES_MAX),
        }
        if self.cause.is_some() && self.continuation == Continuation::Nothing {
            return;
        }
        match self.continuation {
            Continuation::Message => {
                self.continuation = Continuation::Nothing;
                self.cause = self.cause.take().map(|cause| cut::text(&format!("{cause} {text}"), KEPT_BYTES_MAX));
            }
            Continuation::Exception if line.starts_with(char::is_whitespace) => {}
            Continuation::Exception => {
                self.continuation = Continuation::Nothing;
                self.cause = self.last.clone();
            }
            Continuation::Nothing => self.classify(text),
        }
    }

    fn classify(&mut self, text: &str) {
        match classify(text) {
            Some(ErrorLineKind::Cause) => {
                self.cause = self.last.clone();
                if text.contains("panicked at ") && text.ends_with(':') {
                    self.continuation = Continuation::Message;
                }
            }
            Some(ErrorLineKind::Traceback) => self.continuation = Continuation::Exception,
            Some(ErrorLineKind::Consequence) if self.consequence.is_none() => self.consequence = self.last.clone(),
            Some(ErrorLineKind::Consequence) | None => {}
        }
    }
}

#[cfg(test)]
mod tests;

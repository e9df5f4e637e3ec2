//! Lines that are held until it is clear what prints them: an object that could be a program's, blank lines, and what
//! comes behind either.

use std::time::{Duration, Instant};

use townwatch_agents::lines::Line;
use townwatch_protocol::time::Timestamp;

/// A line is held no longer than this: a person may be waiting for what it says.
pub(super) const HELD_MAX: Duration = Duration::from_secs(2);
/// With one more all that is held is shown as it is.
const LINES_MAX: usize = 50;
/// Their bytes: beyond it the same.
const BYTES_MAX: usize = 64 << 10;

/// Lines in their order, each with the time at which it came.
#[derive(Debug, Default)]
pub(super) struct HeldLines {
    lines: Vec<(Line<'static>, Timestamp)>,
    /// When the first of them came; not by the time of day, which can be set back.
    since: Option<Instant>,
    bytes: usize,
    /// Whether all of them are blank.
    blank: bool,
}

impl HeldLines {
    /// Whether there are only blank lines in it, if any.
    pub(super) fn is_blank(&self) -> bool {
        self.lines.is_empty() || self.blank
    }

    /// Holds one more.
    pub(super) fn push(&mut self, line: Line<'static>, at: Timestamp) {
        let (bytes, blank) = match &line {
            Line::Text(text) => (text.len(), text.trim().is_empty()),
            Line::Oversized { sample, .. } => (sample.len(), false),
        };
        self.blank = self.is_blank() && blank;
        self.bytes += bytes;
        self.since.get_or_insert_with(Instant::now);
        self.lines.push((line, at));
    }

    /// Whether a bound is reached, so that what is held has to be shown as it is.
    pub(super) fn is_full(&self) -> bool {
        let late = self.since.is_some_and(|since| since.elapsed() >= HELD_MAX);
        late || self.lines.len() >= LINES_MAX || self.bytes >= BYTES_MAX
    }

    /// Whether none is held.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Gives back what was held.
    pub(super) fn take(&mut self) -> Vec<(Line<'static>, Timestamp)> {
        (self.bytes, self.since) = (0, None);
        std::mem::take(&mut self.lines)
    }
}

//! Lines that are held until the program behind them is recognised: an object that could be a program's, blank lines,
//! and the lines after either.

use std::time::{Duration, Instant};

use townwatch_agents::lines::Line;
use townwatch_protocol::time::Timestamp;

/// The longest time that a line is held, 2 s, because a person may be waiting for it.
pub(super) const HELD_MAX: Duration = Duration::from_secs(2);
/// The most lines that are held. With one more all of them are shown unchanged.
const LINES_MAX: usize = 50;
/// The most bytes that are held. Beyond it all lines are shown unchanged.
const BYTES_MAX: usize = 64 << 10;

/// Lines in their order, each with the time of its arrival.
#[derive(Debug, Default)]
pub(super) struct HeldLines {
    lines: Vec<(Line<'static>, Timestamp)>,
    /// The arrival of the first line, by a clock that cannot be set back.
    since: Option<Instant>,
    bytes: usize,
    /// Whether all of them are blank.
    blank: bool,
}

impl HeldLines {
    /// Whether it has no line but blank ones.
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

    /// Whether a bound is reached, so that the lines have to be shown unchanged.
    pub(super) fn is_full(&self) -> bool {
        let late = self.since.is_some_and(|since| since.elapsed() >= HELD_MAX);
        late || self.lines.len() >= LINES_MAX || self.bytes >= BYTES_MAX
    }

    /// Whether no line is held.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Takes all lines out.
    pub(super) fn take(&mut self) -> Vec<(Line<'static>, Timestamp)> {
        (self.bytes, self.since) = (0, None);
        std::mem::take(&mut self.lines)
    }
}

//! Lines, each with a number that stays its own: the first line ever has 0. The oldest go at a bound, and are counted.

use std::collections::VecDeque;

use crate::line::ScreenLine;

/// Lines that are kept.
pub const LINES_MAX: usize = 2_000;
/// Cells that are kept, of all lines; 32 bytes each, so 16 MiB.
pub const CELLS_MAX: usize = 1 << 19;
/// The last lines, which moves of the cursor reach: a screen of this height.
pub const SCREEN_ROWS: u64 = 100;

/// The lines of a terminal.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    lines: VecDeque<ScreenLine>,
    /// Cells of all lines.
    cells: usize,
    dropped: u64,
    /// The first line that is not what it was.
    changed: u64,
}

impl Grid {
    /// One that begins where this one does: it is shown in its place.
    pub(crate) fn beside(&self) -> Self {
        Self { dropped: self.dropped, changed: self.dropped, ..Self::default() }
    }

    pub(crate) fn lines(&self) -> impl DoubleEndedIterator<Item = &ScreenLine> {
        self.lines.iter()
    }

    /// The lines with this number and beyond.
    pub(crate) fn lines_from(&self, number: u64) -> impl Iterator<Item = &ScreenLine> {
        self.lines.iter().skip(self.index(number))
    }

    /// How many went.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The number of the line behind the last.
    pub(crate) fn end(&self) -> u64 {
        self.dropped + self.lines.len() as u64
    }

    /// The first line of the screen.
    pub(crate) fn top(&self) -> u64 {
        self.end().saturating_sub(SCREEN_ROWS).max(self.dropped)
    }

    /// The last row of the screen, whether there is a line yet or not.
    pub(crate) fn bottom(&self) -> u64 {
        self.top() + SCREEN_ROWS - 1
    }

    /// The first line that has changed since this was last asked.
    pub(crate) fn take_changed(&mut self) -> u64 {
        let changed = self.changed.max(self.dropped);
        self.changed = u64::MAX;
        changed.min(self.end())
    }

    /// All of it is to be shown anew.
    pub(crate) fn touch(&mut self) {
        self.changed = 0;
    }

    /// Changes a line; it is made, and those before it, where there is none.
    pub(crate) fn edit(&mut self, number: u64, change: impl FnOnce(&mut ScreenLine)) {
        self.reach(number);
        self.changed = self.changed.min(number);
        let index = self.index(number);
        let Some(line) = self.lines.get_mut(index) else { return };
        let before = line.len();
        change(line);
        self.cells = self.cells + line.len() - before;
        while self.cells > CELLS_MAX && self.lines.len() > 1 {
            self.drop_first();
        }
    }

    /// Makes all lines up to this one.
    pub(crate) fn reach(&mut self, number: u64) {
        while self.end() <= number {
            self.changed = self.changed.min(self.end());
            self.lines.push_back(ScreenLine::default());
            if self.lines.len() > LINES_MAX {
                self.drop_first();
            }
        }
    }

    /// Makes a line empty, if it is there.
    pub(crate) fn clear(&mut self, number: u64) {
        if (self.dropped..self.end()).contains(&number) {
            self.edit(number, |line| line.truncate(0));
        }
    }

    /// This line and all behind it go.
    pub(crate) fn truncate(&mut self, number: u64) {
        while self.end() > number && self.lines.len() > 1 {
            self.cells -= self.lines.pop_back().map_or(0, |line| line.len());
            self.changed = self.changed.min(self.end());
        }
        self.clear(number);
    }

    /// Everything above a line goes.
    pub(crate) fn drop_above(&mut self, number: u64) {
        while self.dropped < number && self.lines.len() > 1 {
            self.drop_first();
        }
    }

    /// Puts empty lines before one.
    pub(crate) fn insert(&mut self, number: u64, count: u64) {
        if number >= self.end() {
            return;
        }
        for _ in 0..count.min(SCREEN_ROWS) {
            self.lines.insert(self.index(number), ScreenLine::default());
            self.changed = self.changed.min(number);
        }
        // What is at the bottom falls out.
        while self.lines.len() > LINES_MAX {
            self.cells -= self.lines.pop_back().map_or(0, |line| line.len());
        }
    }

    /// Takes lines out.
    pub(crate) fn delete(&mut self, number: u64, count: u64) {
        for _ in 0..count.min(SCREEN_ROWS) {
            if number >= self.end() {
                break;
            }
            self.changed = self.changed.min(number);
            self.cells -= self.lines.remove(self.index(number)).map_or(0, |line| line.len());
        }
    }

    fn drop_first(&mut self) {
        if let Some(line) = self.lines.pop_front() {
            self.cells -= line.len();
            self.dropped += 1;
        }
    }

    fn index(&self, number: u64) -> usize {
        usize::try_from(number.saturating_sub(self.dropped)).unwrap_or(usize::MAX)
    }
}

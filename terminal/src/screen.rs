//! The cursor, and what it does to the lines.

use std::collections::BTreeSet;

use unicode_width::UnicodeWidthChar;

use crate::grid::Grid;
use crate::line::{COLUMNS_MAX, Cell};
use crate::links::Links;
use crate::style::Style;

/// How far a move reaches and how long a line may be in which characters are inserted and deleted: no terminal is wider.
/// Without it a few bytes could make a line of thousands of blanks, and many of them stop who shows it.
pub const EDITED_COLUMNS_MAX: usize = 1_024;
/// Without others there is a stop at each of these.
const TAB_COLUMNS: usize = 8;

/// A screen on endless paper.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    pub(crate) grid: Grid,
    pub(crate) links: Links,
    pub(crate) pen: Style,
    cursor: Cursor,
    saved: Saved,
    /// While a program has the alternate screen: the lines that come back, and the cursor.
    main: Option<(Grid, Saved)>,
    charsets: Charsets,
    /// Where tabs stop, at most [`EDITED_COLUMNS_MAX`]; where the program set none, at each [`TAB_COLUMNS`].
    stops: Option<BTreeSet<usize>>,
    inserts: bool,
    last_printed: Option<char>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    /// The number of its line, which need not be there yet.
    line: u64,
    column: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Saved {
    cursor: Cursor,
    pen: Style,
    charsets: Charsets,
}

/// Which of two sets of characters is in use, and which of them draw lines.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Charsets {
    pub(crate) draws: [bool; 2],
    pub(crate) used: usize,
}

/// The range of a line or of the screen that is erased: `0`, `1`, `2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EraseRange {
    Behind,
    Before,
    All,
}

impl Screen {
    pub(crate) fn charsets(&mut self) -> &mut Charsets {
        &mut self.charsets
    }

    pub(crate) fn print(&mut self, character: char) {
        let character = if self.charsets.draws[self.charsets.used] { drawn(character) } else { character };
        let (width, Cursor { line, column }) = (character.width().unwrap_or(0), self.cursor);
        if width == 0 {
            return self.grid.edit(line, |line| line.mark(column, character));
        }
        if self.inserts {
            self.insert_blanks(width);
        }
        let cell = Cell::new(character, self.pen);
        self.grid.edit(line, |line| line.write(column, width, cell));
        self.cursor.column = (column + width).min(COLUMNS_MAX);
        self.last_printed = Some(character);
    }

    /// The last character again.
    pub(crate) fn repeat(&mut self, count: usize) {
        let Some(character) = self.last_printed else { return };
        let draws = std::mem::take(&mut self.charsets.draws); // it was drawn before
        for _ in 0..count.min(EDITED_COLUMNS_MAX) {
            self.print(character);
        }
        self.charsets.draws = draws;
    }

    pub(crate) fn line_feed(&mut self) {
        self.grid.reach(self.cursor.line);
        self.cursor.line += 1;
    }

    /// One up; at the top of the screen everything moves down instead.
    pub(crate) fn reverse_line_feed(&mut self) {
        if self.cursor.line <= self.grid.top() {
            self.grid.insert(self.grid.top(), 1);
        } else {
            self.cursor.line -= 1;
        }
    }

    pub(crate) fn go_to_column(&mut self, column: usize) {
        // Where the program is farther right already, it may go back to any column.
        self.cursor.column = column.min(EDITED_COLUMNS_MAX.max(self.cursor.column));
    }

    pub(crate) fn left(&mut self, count: usize) {
        self.cursor.column = self.cursor.column.saturating_sub(count);
    }

    pub(crate) fn right(&mut self, count: usize) {
        self.go_to_column(self.cursor.column.saturating_add(count));
    }

    pub(crate) fn up(&mut self, count: usize) {
        self.cursor.line = self.cursor.line.saturating_sub(count as u64).max(self.grid.top());
    }

    pub(crate) fn down(&mut self, count: usize) {
        let bottom = self.grid.bottom().max(self.cursor.line);
        self.cursor.line = self.cursor.line.saturating_add(count as u64).min(bottom);
    }

    /// To a row of the screen.
    pub(crate) fn go_to_row(&mut self, row: usize) {
        self.cursor.line = self.grid.top().saturating_add(row as u64).min(self.grid.bottom());
    }

    pub(crate) fn tab(&mut self) {
        let column = self.cursor.column;
        let next = self.stops.as_ref().and_then(|stops| stops.range(column + 1..).next().copied());
        let next = next.unwrap_or((column / TAB_COLUMNS + 1) * TAB_COLUMNS);
        self.cursor.column = next.min(COLUMNS_MAX);
    }

    pub(crate) fn tab_back(&mut self) {
        let column = self.cursor.column;
        self.cursor.column = match &self.stops {
            None => column.saturating_sub(1) / TAB_COLUMNS * TAB_COLUMNS,
            Some(stops) => stops.range(..column).next_back().copied().unwrap_or(0),
        };
    }

    pub(crate) fn set_stop(&mut self) {
        let column = self.cursor.column;
        if column < EDITED_COLUMNS_MAX {
            self.set_stops().insert(column);
        }
    }

    pub(crate) fn clear_stop(&mut self) {
        let column = self.cursor.column;
        self.set_stops().remove(&column);
    }

    pub(crate) fn clear_stops(&mut self) {
        self.stops = Some(BTreeSet::new());
    }

    fn set_stops(&mut self) -> &mut BTreeSet<usize> {
        self.stops.get_or_insert_with(|| (TAB_COLUMNS..EDITED_COLUMNS_MAX).step_by(TAB_COLUMNS).collect())
    }

    pub(crate) fn erase_line(&mut self, range: EraseRange) {
        let (Cursor { line, column }, style) = (self.cursor, self.pen.erased());
        if line >= self.grid.end() {
            return;
        }
        self.grid.edit(line, |line| match range {
            EraseRange::Behind => line.truncate(column),
            EraseRange::Before => line.erase(0, column + 1, style),
            EraseRange::All => line.truncate(0),
        });
    }

    pub(crate) fn erase_screen(&mut self, range: EraseRange) {
        let line = self.cursor.line;
        match range {
            EraseRange::Behind => {
                self.erase_line(range);
                if line + 1 < self.grid.end() {
                    self.grid.truncate(line + 1);
                }
            }
            EraseRange::Before => {
                (self.grid.top()..line).for_each(|line| self.grid.clear(line));
                self.erase_line(range);
            }
            EraseRange::All => (self.grid.top()..self.grid.end()).for_each(|line| self.grid.clear(line)),
        }
    }

    /// What has left the screen upwards goes.
    pub(crate) fn erase_history(&mut self) {
        self.grid.drop_above(self.grid.top());
    }

    pub(crate) fn erase_characters(&mut self, count: usize) {
        let (Cursor { line, column }, style) = (self.cursor, self.pen.erased());
        self.grid.edit(line, |line| line.erase(column, column.saturating_add(count), style));
    }

    pub(crate) fn insert_blanks(&mut self, count: usize) {
        let (Cursor { line, column }, style) = (self.cursor, self.pen.erased());
        let count = count.min(EDITED_COLUMNS_MAX);
        self.grid.edit(line, |line| {
            if line.len() <= EDITED_COLUMNS_MAX {
                line.insert(column, count, style);
                line.truncate(EDITED_COLUMNS_MAX);
            }
        });
    }

    pub(crate) fn delete_characters(&mut self, count: usize) {
        let Cursor { line, column } = self.cursor;
        self.grid.edit(line, |line| {
            if line.len() <= EDITED_COLUMNS_MAX {
                line.delete(column, count);
            }
        });
    }

    pub(crate) fn insert_lines(&mut self, count: usize) {
        self.grid.insert(self.cursor.line, count as u64);
        self.cursor.column = 0;
    }

    pub(crate) fn delete_lines(&mut self, count: usize) {
        self.grid.delete(self.cursor.line, count as u64);
        self.cursor.column = 0;
    }

    pub(crate) fn scroll_up(&mut self, count: usize) {
        self.grid.delete(self.grid.top(), count as u64);
    }

    pub(crate) fn scroll_down(&mut self, count: usize) {
        self.grid.insert(self.grid.top(), count as u64);
    }

    pub(crate) fn set_inserts(&mut self, inserts: bool) {
        self.inserts = inserts;
    }

    pub(crate) fn save(&mut self) {
        self.saved = Saved { cursor: self.cursor, pen: self.pen, charsets: self.charsets };
    }

    pub(crate) fn restore(&mut self) {
        let source = self.pen.source;
        let Saved { cursor, pen, charsets } = self.saved;
        (self.cursor, self.pen, self.charsets) = (cursor, Style { source, ..pen }, charsets);
        self.cursor.line = self.cursor.line.max(self.grid.top());
    }

    /// An empty screen in the place of this one.
    pub(crate) fn enter_alternate(&mut self) {
        if self.main.is_some() {
            return;
        }
        self.save();
        let beside = self.grid.beside();
        self.cursor.line = beside.dropped() + self.cursor.line.saturating_sub(self.grid.top());
        self.main = Some((std::mem::replace(&mut self.grid, beside), self.saved));
    }

    pub(crate) fn leave_alternate(&mut self) {
        if let Some((grid, saved)) = self.main.take() {
            (self.grid, self.saved) = (grid, saved);
            self.grid.touch();
            self.restore();
        }
    }

    pub(crate) fn reset(&mut self) {
        self.leave_alternate();
        self.erase_screen(EraseRange::All);
        self.cursor = Cursor { line: self.grid.top(), column: 0 };
        self.stops = None;
        self.saved = Saved { cursor: self.cursor, ..Saved::default() };
        self.reset_pen();
    }

    pub(crate) fn reset_pen(&mut self) {
        self.pen = Style { source: self.pen.source, ..Style::default() };
        (self.charsets, self.inserts) = (Charsets::default(), false);
    }
}

/// DEC's characters for lines, in the place of small letters.
fn drawn(character: char) -> char {
    const DRAWN: [char; 32] = [
        '\u{a0}', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─', '⎼', '⎽',
        '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
    ];
    match u32::from(character).checked_sub(0x5f) {
        Some(index @ 0..=31) => DRAWN[index as usize],
        _ => character,
    }
}

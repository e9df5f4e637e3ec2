//! A line: cells, one for each column.

use crate::style::Style;

/// Columns of a line; what a program prints beyond it is not shown.
pub const COLUMNS_MAX: usize = 1 << 16;
/// Characters without a width of their own (accents, joiners) on one other; further ones are not shown.
pub const MARKS_MAX: usize = 16;
/// The second column of a character that takes two.
pub(crate) const SECOND_HALF: char = '\0';

/// A column that nothing was printed in. A printed blank is `' '`, which is kept at a line's end, too.
pub(crate) const EMPTY: char = '\x01';

/// One column.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) character: char,
    pub(crate) style: Style,
    /// Accents and the like on it.
    #[allow(clippy::box_collection)] // nearly every cell has none, and there are many cells
    pub(crate) marks: Option<Box<String>>,
}

impl Cell {
    pub(crate) fn new(character: char, style: Style) -> Self {
        Self { character, style, marks: None }
    }

    pub(crate) fn empty(style: Style) -> Self {
        Self::new(EMPTY, style)
    }
}

/// A line of a terminal.
#[derive(Debug, Clone, Default)]
pub(crate) struct ScreenLine {
    cells: Vec<Cell>,
}

impl ScreenLine {
    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Writes a character at a column; what is there goes, also the other half of a wide one.
    pub(crate) fn write(&mut self, column: usize, width: usize, cell: Cell) {
        if column + width > COLUMNS_MAX {
            return;
        }
        let style = cell.style;
        self.reach(column);
        if column == self.cells.len() {
            self.cells.push(cell);
            self.cells.extend((1..width).map(|_| Cell::new(SECOND_HALF, style)));
            return;
        }
        self.split(column);
        self.split(column + width);
        self.reach(column + width);
        self.cells[column] = cell;
        for half in &mut self.cells[column + 1..column + width] {
            *half = Cell::new(SECOND_HALF, style);
        }
    }

    /// Puts an accent on the character before a column.
    pub(crate) fn mark(&mut self, column: usize, mark: char) {
        let before = self.cells.get_mut(..column).unwrap_or_default();
        let Some(cell) = before.iter_mut().rev().find(|cell| cell.character != SECOND_HALF) else { return };
        let marks = cell.marks.get_or_insert_default();
        if marks.chars().count() < MARKS_MAX {
            marks.push(mark);
        }
    }

    /// Erases from a column to another.
    pub(crate) fn erase(&mut self, from: usize, to: usize, style: Style) {
        let to = to.min(self.cells.len());
        if from >= to {
            return;
        }
        self.split(from);
        self.split(to);
        self.cells[from..to].fill(Cell::empty(style));
    }

    /// Erases all behind a column.
    pub(crate) fn truncate(&mut self, column: usize) {
        self.split(column);
        self.cells.truncate(column);
    }

    /// Moves what stands at a column and behind it to the right.
    pub(crate) fn insert(&mut self, column: usize, count: usize, style: Style) {
        if column < self.cells.len() {
            self.split(column);
            self.cells.splice(column..column, (0..count).map(|_| Cell::empty(style)));
        }
    }

    /// Takes characters out; what stands behind them moves to the left.
    pub(crate) fn delete(&mut self, column: usize, count: usize) {
        let to = (column + count).min(self.cells.len());
        if column < to {
            self.split(column);
            self.split(to);
            self.cells.drain(column..to);
        }
    }

    /// Makes it reach up to a column.
    fn reach(&mut self, column: usize) {
        if self.cells.len() < column {
            self.cells.resize(column, Cell::empty(Style::default()));
        }
    }

    /// Half of a wide character is none: both halves become empty where a column parts them.
    fn split(&mut self, column: usize) {
        if self.cells.get(column).is_some_and(|cell| cell.character == SECOND_HALF) {
            for half in &mut self.cells[column - 1..=column] {
                *half = Cell::empty(half.style);
            }
        }
    }
}

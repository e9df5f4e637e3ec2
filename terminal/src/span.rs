//! What comes out: parts of a line that look the same.

use crate::line::{Cell, EMPTY, SECOND_HALF, ScreenLine};
use crate::style::Style;

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Without anything that a terminal would obey.
    pub text: String,
    /// How it looks.
    pub style: Style,
}

/// The spans of a line, without the empty columns at its end.
pub(crate) fn spans(line: &ScreenLine) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let is_seen = |cell: &Cell| cell.character != EMPTY || cell.marks.is_some() || cell.style.shows_blanks();
    let end = line.cells().iter().rposition(is_seen).map_or(0, |last| last + 1);
    for cell in line.cells()[..end].iter().filter(|cell| cell.character != SECOND_HALF) {
        let text = match spans.last_mut() {
            Some(last) if last.style == cell.style => &mut last.text,
            _ => {
                spans.push(Span { text: String::new(), style: cell.style });
                let Some(last) = spans.last_mut() else { continue };
                &mut last.text
            }
        };
        text.push(if cell.character == EMPTY { ' ' } else { cell.character });
        if let Some(marks) = &cell.marks {
            text.push_str(marks);
        }
    }
    spans
}

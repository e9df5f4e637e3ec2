//! What a terminal would show of what a program printed into a pipe.
//!
//! Bytes come in as they arrive ([`Terminal::feed`]); a piece may end within a character or within an escape. Lines of
//! styled spans come out ([`Terminal::lines`]), or only those that have changed ([`Terminal::take_changes`]). The
//! dashboard (as WebAssembly, in `page.rs`) and `townwatch tail` use the same model.
//!
//! A pipe differs from a terminal: it has no width, so no line wraps; it has bare line feeds, so each also returns to the
//! line's start. Moves reach the last [`SCREEN_ROWS`] lines, as they would on a tall screen; older lines stay as they are.
//!
//! In reading order: [`style`] and `sgr.rs` (how it looks), `line.rs` (cells), `grid.rs` (lines), `screen.rs` (cursor and
//! edits), `stream.rs` and `controls.rs` (which bytes mean what), `span.rs` (what comes out).

mod controls;
mod grid;
mod line;
mod links;
#[cfg(target_arch = "wasm32")]
mod page;
mod screen;
mod sgr;
mod span;
mod stream;
pub mod style;

pub use grid::{CELLS_MAX, LINES_MAX, SCREEN_ROWS};
pub use line::{COLUMNS_MAX, MARKS_MAX};
pub use links::{LINK_BYTES_MAX, LINKS_MAX};
pub use screen::EDITED_COLUMNS_MAX;
pub use span::Span;

use std::borrow::Cow;

use self::screen::Screen;
use self::stream::Stream;

/// Programs write to it by so many ways at most: standard output and standard error.
pub const SOURCES: usize = 2;

/// A terminal that several streams of one program write to.
pub struct Terminal {
    /// Each stream has its own: what one of them begins within an escape, the other must not end.
    streams: [Stream; SOURCES],
    screen: Screen,
}

/// What has changed since one last looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Lines that went because of a bound; the oldest line that is left has this number.
    pub dropped: u64,
    /// The number of the first line that is not what it was. All behind it are new, too.
    pub from: u64,
    /// Those lines.
    pub lines: Vec<Vec<Span>>,
}

impl Default for Terminal {
    fn default() -> Self {
        Self { streams: std::array::from_fn(|_| Stream::new()), screen: Screen::default() }
    }
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Terminal").field("screen", &self.screen).finish_non_exhaustive()
    }
}

impl Terminal {
    /// Takes what a stream (0 or 1; any other counts as 1) printed.
    pub fn feed(&mut self, source: u8, bytes: &[u8]) {
        let source = usize::from(source).min(SOURCES - 1);
        self.screen.pen.source = u8::from(source == 1);
        self.streams[source].feed(&mut self.screen, bytes);
    }

    /// All lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = Vec<Span>> {
        self.screen.grid.lines().map(span::spans)
    }

    /// The last line, empty where there is none.
    pub fn last_line(&self) -> Vec<Span> {
        self.screen.grid.lines().next_back().map(span::spans).unwrap_or_default()
    }

    /// Lines that went because of a bound.
    pub fn dropped(&self) -> u64 {
        self.screen.grid.dropped()
    }

    /// The lines that have changed since this was last asked; all of them at first.
    pub fn take_changes(&mut self) -> Changes {
        let from = self.screen.grid.take_changed();
        let lines = self.screen.grid.lines_from(from).map(span::spans).collect();
        Changes { dropped: self.dropped(), from, lines }
    }

    /// The address of a link.
    pub fn link(&self, link: style::Link) -> Option<&str> {
        self.screen.links.address(link)
    }

    /// The text alone, each line with its end.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in self.lines() {
            for span in line {
                text.push_str(&span.text);
            }
            text.push('\n');
        }
        text
    }
}

/// One line's text as a terminal would show it in the end: `"10%\r20%"` is `"20%"`.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte.is_ascii_control()) {
        return text.into();
    }
    let mut terminal = Terminal::default();
    terminal.feed(0, text.as_bytes());
    let mut shown = terminal.text();
    shown.truncate(shown.trim_end_matches('\n').len());
    shown.into()
}

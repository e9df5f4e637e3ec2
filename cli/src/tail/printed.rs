//! Output of programs through the terminal model: a line that is written over again and again is one line.

use std::collections::HashMap;
use std::fmt::Write;

use anstyle::{Ansi256Color, AnsiColor, Color, Effects, RgbColor, Style};
use townwatch_protocol::event::{AgentOutput, OutputStream};
use townwatch_protocol::id::AgentId;
use townwatch_terminal::style::{Attributes, Colour, Style as Look, Underline};
use townwatch_terminal::{Span, Terminal};

use super::plain::harmless;

/// The characters of a line that are shown. `--json` has all of them.
const LINE_CHARS_MAX: usize = 400;
/// Agents whose terminals are kept. With one more all begin again: a colour that spans lines is lost.
const TERMINALS_MAX: usize = 64;

/// The terminals of agents.
#[derive(Debug, Default)]
pub(super) struct AgentTerminals {
    terminals: HashMap<AgentId, Terminal>,
}

/// The lines that an output makes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PrintedLines {
    /// Lines that are complete.
    pub(super) lines: Vec<String>,
    /// The present text of an unfinished line.
    pub(super) open: Option<String>,
}

impl AgentTerminals {
    /// Adds an output of an agent, and gives its new lines, with colours if `colours`.
    pub(super) fn take(&mut self, agent: &AgentId, output: &AgentOutput, colours: bool) -> PrintedLines {
        if self.terminals.len() >= TERMINALS_MAX && !self.terminals.contains_key(agent) {
            self.terminals.clear();
        }
        let terminal = self.terminals.entry(agent.clone()).or_default();
        let source = u8::from(output.stream == OutputStream::Stderr);
        terminal.feed(source, output.text.as_bytes());
        if output.partial {
            return PrintedLines { lines: Vec::new(), open: Some(shown(&terminal.last_line(), terminal, colours)) };
        }
        terminal.feed(source, b"\n");
        let lines = terminal.take_changes().lines;
        PrintedLines { lines: lines.iter().map(|line| shown(line, terminal, colours)).collect(), open: None }
    }

    /// Ends an agent's terminal, because its run has ended or another one begins; gives its unfinished line.
    pub(super) fn end(&mut self, agent: &AgentId, colours: bool) -> Vec<String> {
        let Some(mut terminal) = self.terminals.remove(agent) else { return Vec::new() };
        let lines = terminal.take_changes().lines;
        lines.iter().filter(|line| !line.is_empty()).map(|line| shown(line, &terminal, colours)).collect()
    }
}

/// A line with only our own control sequences.
fn shown(line: &[Span], terminal: &Terminal, colours: bool) -> String {
    let mut shown = String::new();
    let mut room = LINE_CHARS_MAX;
    // What a program does not colour itself is red where it comes from standard error, as everything that may be amiss.
    let is_plain = line.iter().all(|span| own(span.style) == Style::new());
    for span in line {
        let mut style = own(span.style);
        if is_plain && span.style.source == 1 {
            style = AnsiColor::Red.on_default();
        }
        let text: String = span.text.chars().take(room).map(harmless).collect();
        room -= text.chars().count();
        if colours && style != Style::new() {
            let _ = write!(shown, "{style}{text}{style:#}");
        } else {
            shown.push_str(&text);
        }
        let address = span.style.link.and_then(|link| terminal.link(link)).unwrap_or_default();
        if !address.is_empty() && !address.starts_with("file:") && address != span.text {
            let _ = write!(shown, " ({})", address.chars().map(harmless).collect::<String>());
        }
        if room == 0 {
            shown.push('…');
            break;
        }
    }
    shown
}

/// The style of a span for our terminal. Hidden text is shown.
fn own(look: Look) -> Style {
    let effects = [
        (Attributes::BOLD, Effects::BOLD),
        (Attributes::DIM, Effects::DIMMED),
        (Attributes::ITALIC, Effects::ITALIC),
        (Attributes::BLINK, Effects::BLINK),
        (Attributes::INVERSE, Effects::INVERT),
        (Attributes::STRIKE, Effects::STRIKETHROUGH),
    ];
    let mut all = match look.underline {
        Underline::None => Effects::new(),
        Underline::Single => Effects::UNDERLINE,
        Underline::Double => Effects::DOUBLE_UNDERLINE,
        Underline::Curly => Effects::CURLY_UNDERLINE,
        Underline::Dotted => Effects::DOTTED_UNDERLINE,
        Underline::Dashed => Effects::DASHED_UNDERLINE,
    };
    for (attribute, effect) in effects {
        if look.attributes.has(attribute) {
            all |= effect;
        }
    }
    Style::new()
        .effects(all)
        .fg_color(colour(look.foreground))
        .bg_color(colour(look.background))
        .underline_color(colour(look.underline_colour))
}

fn colour(colour: Colour) -> Option<Color> {
    match colour {
        Colour::Default => None,
        Colour::Indexed(number) => Some(Ansi256Color(number).into()),
        Colour::Rgb(red, green, blue) => Some(RgbColor(red, green, blue).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str, stream: OutputStream, partial: bool) -> AgentOutput {
        let (message_id, parent_tool_use_id) = (None, None);
        AgentOutput { text: text.to_owned(), stream, message_id, parent_tool_use_id, partial, broken_off: false }
    }

    fn agent() -> AgentId {
        AgentId::parse("a").unwrap()
    }

    #[test]
    fn a_bar_is_one_line_that_moves() {
        let mut printed = AgentTerminals::default();
        let mut take = |text, partial| printed.take(&agent(), &output(text, OutputStream::Stderr, partial), false);
        assert_eq!(take("10%", true).open.as_deref(), Some("10%"));
        assert_eq!(take("\r20%\r", true).open.as_deref(), Some("20%"));
        assert_eq!(take("100%, done", false), PrintedLines { lines: vec!["100%, done".into()], open: None });
        assert_eq!(take("next", false).lines, ["next"]);
        take("no end", true);
        assert_eq!(printed.end(&agent(), false), ["no end"]);
        assert!(printed.end(&agent(), false).is_empty());
    }

    #[test]
    fn colours_are_passed_on_and_nothing_else() {
        let mut printed = AgentTerminals::default();
        let mut take = |text: &str, colours| {
            printed.take(&agent(), &output(text, OutputStream::Stdout, false), colours).lines.concat()
        };
        assert_eq!(take("\x1b]0;title\x07a\x1b[?25lb\u{202e}c\x1bPq\x1b\\", true), "ab\u{fffd}c");
        assert_eq!(take("\x1b[1;31mred\x1b[0m plain", false), "red plain");
        assert_eq!(take("\x1b[1;31mred\x1b[0m plain", true), "\x1b[1m\x1b[38;5;1mred\x1b[0m plain");
        assert_eq!(take("\x1b[8mhidden\x1b[0m", true), "hidden");
        assert_eq!(
            take("\x1b]8;;https://example.com/x\x07the log\x1b]8;;\x07", true),
            "the log (https://example.com/x)"
        );
        assert_eq!(take(&"x".repeat(500), true).chars().count(), LINE_CHARS_MAX + 1);
    }
}

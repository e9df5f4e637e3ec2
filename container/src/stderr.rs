//! The standard error of an agent, with a bound on its rate. It is for people, and a program that floods it must not
//! flood the town.

use townwatch_agents::cut;
use townwatch_agents::lines::Line;
use townwatch_protocol::event::{AgentOutput, EventData, OutputStream};
use townwatch_protocol::time::Timestamp;

/// Lines that become events within one second, 200; further ones are counted.
const LINES_A_SECOND: u64 = 200;
/// A line of standard error, 64 KiB; a longer one is shown by its beginning, with the number of bytes that were cut.
pub const LINE_BYTES_MAX: usize = 64 << 10;
/// The part of a line that an event shows, 8 KiB. The rest is cut.
const SHOWN_BYTES_MAX: usize = 8 << 10;

/// The standard error of one run.
#[derive(Debug, Default)]
pub struct Stderr {
    second: i64,
    shown: u64,
    left_out: u64,
    /// Whether a part of the present line was shown already. Then its rest is shown, too.
    is_open: bool,
}

impl Stderr {
    /// Makes the events of a line.
    pub fn line(&mut self, line: Line<'_>, at: Timestamp) -> Vec<EventData> {
        let text = match line {
            Line::Text(text) => cut::text(&text, SHOWN_BYTES_MAX),
            Line::Oversized { bytes, sample } => format!("{sample}… [{} bytes cut]", bytes - sample.len() as u64),
        };
        if std::mem::take(&mut self.is_open) {
            return vec![output(text, false)];
        }
        let mut events = Vec::new();
        let second = at.millis() / 1000;
        if second != self.second {
            events = self.end();
            (self.second, self.shown) = (second, 0);
        }
        if self.shown < LINES_A_SECOND {
            self.shown += 1;
            events.push(output(text, false));
        } else {
            self.left_out += 1;
        }
        events
    }

    /// Makes the event of a part of a line that has no end yet.
    pub fn part(&mut self, text: &str) -> EventData {
        self.is_open = true;
        output(cut::text(text, SHOWN_BYTES_MAX), true)
    }

    /// Makes the event about the lines that were left out, if there are any.
    pub fn end(&mut self) -> Vec<EventData> {
        let left_out = std::mem::take(&mut self.left_out);
        if left_out == 0 { Vec::new() } else { vec![output(format!("… [{left_out} lines left out]"), false)] }
    }
}

fn output(text: String, partial: bool) -> EventData {
    AgentOutput {
        text,
        stream: OutputStream::Stderr,
        message_id: None,
        parent_tool_use_id: None,
        partial,
        broken_off: false,
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_the_next_second_is_shown_again() {
        let mut stderr = Stderr::default();
        let mut at = |millis, count| {
            let at = Timestamp::from_millis(millis);
            (0..count).map(|_| stderr.line(Line::Text("x".into()), at).len()).sum::<usize>()
        };
        assert_eq!(at(1000, 5000), 200);
        assert_eq!(at(2000, 1), 2); // the count of what was left out, and the line
        assert_eq!(at(3000, 1), 1);
    }
}

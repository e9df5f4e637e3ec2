//! Any command. Each line of its output is one event, even an empty one, so that order and number stay visible. Of an
//! unfinished line each part is an event.

use townwatch_protocol::event::{AgentOutput, EventData, OutputStream};
use townwatch_protocol::time::Timestamp;

use super::notices::Notices;
use super::{Meaning, Normalise};

/// The reader of a process without a format of its own.
#[derive(Debug, Default)]
pub struct ProcessLines {
    notices: Notices,
}

impl Normalise for ProcessLines {
    fn line(&mut self, line: &str, _at: Timestamp) -> Meaning {
        Meaning::of(vec![output(line, false)])
    }

    fn part(&mut self, part: &str) -> Option<EventData> {
        Some(output(part, true))
    }

    fn has_parts(&self) -> bool {
        true
    }

    fn oversized(&mut self, bytes: u64, sample: &str) -> Vec<EventData> {
        self.notices.oversized(bytes, sample)
    }

    fn end(&mut self, _succeeded: bool, _at: Timestamp) -> Vec<EventData> {
        self.notices.end()
    }
}

fn output(text: &str, partial: bool) -> EventData {
    AgentOutput {
        text: text.to_owned(),
        stream: OutputStream::Stdout,
        message_id: None,
        parent_tool_use_id: None,
        partial,
        broken_off: false,
    }
    .into()
}

//! Any command: each line that it prints is one output, empty ones too, so that order and counts are plain.

use townwatch::event::{AgentOutput, EventData, OutputStream};
use townwatch::time::Timestamp;

use super::notices::Notices;
use super::{Meaning, Normalise};

/// Reads a process that has no format of its own.
#[derive(Debug, Default)]
pub struct ProcessLines {
    notices: Notices,
}

impl Normalise for ProcessLines {
    fn line(&mut self, line: &str, _at: Timestamp) -> Meaning {
        let text = line.to_owned();
        let output = AgentOutput { text, stream: OutputStream::Stdout, message_id: None, parent_tool_use_id: None };
        Meaning { events: vec![output.into()], piece: None }
    }

    fn oversized(&mut self, bytes: u64, sample: &str) -> Vec<EventData> {
        self.notices.oversized(bytes, sample)
    }

    fn end(&mut self, _succeeded: bool, _at: Timestamp) -> Vec<EventData> {
        self.notices.end()
    }
}

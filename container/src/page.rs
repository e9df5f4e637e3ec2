//! The events of a request, and of its answer.

use serde::Serialize;
use serde_json::value::RawValue;
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::{AgentId, Epoch, RunId};
use townwatch_protocol::limits::{BATCH_EVENTS_MAX, BODY_BYTES_MAX};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::Preview;

use crate::buffer::{Buffer, BufferedText};
use crate::previews;

/// The events of one answer: the bound of a body, less the previews and 1 KiB for the text around them. Further events
/// come with the next answer.
const EVENTS_BYTES_MAX: usize = BODY_BYTES_MAX - previews::ANSWER_BYTES_MAX - 1024;

/// The events that a reader asks for. An answer is bounded in bytes as well.
#[derive(Debug, Clone, Copy)]
pub struct PageQuery {
    /// The position before the first event.
    pub after: u64,
    /// The number of events, at most.
    pub limit: usize,
}

/// Events and the buffer's positions at one moment.
#[derive(Debug)]
pub struct Page {
    /// The newest event's id.
    pub head: u64,
    /// The oldest event's id.
    pub oldest: u64,
    /// The events, ascending.
    pub texts: Vec<BufferedText>,
    /// The texts that are being typed.
    pub previews: Vec<Preview>,
}

impl Page {
    /// Reads the buffer's events of one agent or of all.
    pub fn of(buffer: &Buffer, agent_id: Option<&AgentId>, range: PageQuery) -> Self {
        let texts = buffer.after(agent_id, range.after, range.limit.min(BATCH_EVENTS_MAX), EVENTS_BYTES_MAX);
        Self { head: buffer.head(), oldest: buffer.oldest(), texts, previews: Vec::new() }
    }

    /// Whether the page has neither an event nor a preview.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.previews.is_empty()
    }

    /// Writes the answer, a `ControlEvents` as JSON. The texts of events go into it unchanged.
    pub fn answer(&self, epoch: &Epoch) -> Result<String> {
        let Self { head, oldest, texts, previews } = self;
        let mut answer = format!(r#"{{"epoch":"{epoch}","head":{head},"oldest":{oldest},"events":["#);
        for (index, text) in texts.iter().enumerate() {
            if index > 0 {
                answer.push(',');
            }
            match text {
                BufferedText::Memory(text) => answer.push_str(text),
                BufferedText::Disk(spooled) => answer.push_str(&spooled.read().map_err(Error::internal)?),
            }
        }
        answer.push(']');
        if !previews.is_empty() {
            answer.push_str(r#","previews":"#);
            answer.push_str(&serde_json::to_string(previews).map_err(Error::internal)?);
        }
        answer.push('}');
        Ok(answer)
    }
}

/// An event as it stands in an answer: a `ControlEvent` with borrowed fields.
#[derive(Serialize)]
pub struct EventText<'a> {
    /// The event's position.
    pub id: u64,
    /// The agent.
    pub agent_id: &'a AgentId,
    /// The run.
    pub run_id: &'a RunId,
    /// The event's name.
    pub event: &'a str,
    /// The event's data.
    pub data: &'a RawValue,
    /// The time of the event.
    pub timestamp: Timestamp,
}

//! What a request for a stream asks for: where to begin, how it flows, when it ends.

use crate::core::query::Query;
use crate::error::{Code, Error, Result};
use crate::id::{Epoch, EventId};
use crate::limits::EVENTS_PER_AGENT_MAX;

/// A stream's query, read and checked. Of the three ways to say where to begin at most one is left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamQuery {
    /// The right to it, where it comes as a ticket.
    pub ticket: Option<String>,
    /// The life of the log that the cursor belongs to, where the viewer knows it.
    pub epoch: Option<Epoch>,
    /// Begin after this event. Beyond the head the cursor means nothing here: from the start, with `reset`.
    pub after_id: Option<u64>,
    /// Begin after this event. Beyond the head, from the head; negative, from the start: Sketch's way.
    pub from: Option<i64>,
    /// Begin with the newest so many events.
    pub tail: Option<u64>,
    /// `flow=ack`: the viewer acknowledges from the first frame on.
    pub flow_ack: bool,
    /// `until=exit`: the stream ends with the agent's run.
    pub until_exit: bool,
}

/// How a stream is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// `Upgrade: websocket`.
    WebSocket,
    /// `Accept: text/event-stream`.
    EventSource,
}

impl StreamKind {
    /// By the request's headers; neither is 426.
    pub fn of(upgrade: Option<&str>, accept: Option<&str>) -> Result<Self> {
        let mut protocols = upgrade.unwrap_or_default().split(',');
        if protocols.any(|one| one.trim().eq_ignore_ascii_case("websocket")) {
            return Ok(Self::WebSocket);
        }
        if accepts(accept, "text/event-stream") {
            return Ok(Self::EventSource);
        }
        Err(Error::new(
            Code::UpgradeRequired,
            "a stream is opened with `Upgrade: websocket`, or read with `Accept: text/event-stream`",
        ))
    }
}

/// Whether an `Accept` header names a media type.
pub fn accepts(header: Option<&str>, media_type: &str) -> bool {
    let mut types = header.unwrap_or_default().split(',').filter_map(|one| one.split(';').next());
    types.any(|one| one.trim().eq_ignore_ascii_case(media_type))
}

impl StreamQuery {
    /// Reads a query. `last_event_id` is the header that a browser sends when it comes back: an id, or
    /// `<epoch>.<id>`; it beats `from`, which beats `after_id`.
    pub fn parse(query: &Query, last_event_id: Option<&str>) -> Result<Self> {
        let after_id = query.position("after_id")?.map(EventId::get);
        let from = from(query)?;
        let tail = query.number("tail", 0, EVENTS_PER_AGENT_MAX)?;
        if tail.is_some() && (after_id.is_some() || from.is_some()) {
            return Err(Error::invalid("tail", "is not for use beside after_id or from"));
        }
        let asked = Self {
            ticket: query.text("ticket")?.map(str::to_owned),
            epoch: query.id("epoch", Epoch::parse, Epoch::EXPECTED)?,
            after_id: if from.is_some() { None } else { after_id },
            from,
            tail,
            flow_ack: query.word("flow", &["ack"])?.is_some(),
            until_exit: query.word("until", &["exit"])?.is_some(),
        };
        match last_event_id.filter(|header| !header.is_empty()) {
            Some(header) => asked.back_at(header),
            None => Ok(asked),
        }
    }

    /// The same stream, from where its reader was when it went away.
    fn back_at(self, header: &str) -> Result<Self> {
        let wrong = || Error::invalid("Last-Event-ID", "expected <id> or <epoch>.<id>");
        let (epoch, id) = match header.rsplit_once('.') {
            Some((epoch, id)) => (Some(Epoch::parse(epoch).ok_or_else(wrong)?), id),
            None => (self.epoch.clone(), header),
        };
        let id = Query::only("id", id).position("id").map_err(|_| wrong())?.map(EventId::get);
        Ok(Self { epoch, after_id: id, from: None, tail: None, ..self })
    }
}

/// `from` may be negative.
fn from(query: &Query) -> Result<Option<i64>> {
    match query.text("from")?.and_then(|text| text.strip_prefix('-')) {
        Some(rest) if !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(-1)),
        Some(_) => Err(Error::invalid("from", "expected an integer")),
        None => Ok(query.position("from")?.map(|id| i64::try_from(id.get()).unwrap_or(i64::MAX))),
    }
}

//! The query of a request for a stream: its begin, its flow, its end.

use serde::{Deserialize, Serialize};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{Epoch, EventId};
use townwatch_protocol::query::Query;

use crate::reading::cursor::{BeginAt, BeginRequest};
use crate::reading::resumption::BEFORE_TOKEN;

/// A stream's query, read and checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamQuery {
    /// The ticket that gives the right to the stream, where the request has one.
    pub ticket: Option<String>,
    /// The place to begin.
    pub begin: BeginRequest,
    /// `flow=ack`: the viewer acknowledges from the first frame on.
    pub flow_ack: bool,
    /// `until=exit`: the stream ends with the agent's run.
    pub until_exit: bool,
    /// `format`: the form of the stream's messages.
    pub form: Form,
    /// `named=false`: the events of an event stream have no `event:` line.
    pub names: EventNames,
    /// Whether the stream was open before, as its `Last-Event-ID` says.
    pub comes_back: bool,
    /// The token of the right to resume, as it stood beside the last event's id. Only an event stream that a ticket
    /// opened has one.
    pub token: Option<String>,
}

/// The form of a stream's messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Frames; a frame of events may have several of them.
    #[default]
    Frames,
    /// Single events: each message is one event, and no other message is sent without a request.
    Flat,
}

/// Whether the events of an event stream are named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventNames {
    /// Events have their names, like all other frames.
    #[default]
    Given,
    /// Events have no names, so they reach a reader that knows only `onmessage`. Other frames keep their names, and do
    /// not reach such a reader.
    LeftOut,
}

/// The transport of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// `Upgrade: websocket`.
    WebSocket,
    /// `Accept: text/event-stream`.
    EventSource,
}

impl StreamKind {
    /// The transport by the request's headers; 426 `upgrade_required` if they name neither.
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
    /// Reads a query. `last_event_id` is the header that a browser sends when it comes back, for example `7` or
    /// `EPOCH.7`, with the right to resume behind it where the stream had one: `EPOCH.7~TOKEN`. The header beats
    /// `from`, which beats `after_id`.
    ///
    /// # Errors
    /// `invalid`: a value or the header is not of its kind, or two places are named.
    pub fn parse(query: &Query, last_event_id: Option<&str>) -> Result<Self> {
        let asked = Self {
            ticket: query.text("ticket")?.map(str::to_owned),
            begin: BeginRequest::of_stream(query)?,
            flow_ack: query.word("flow", &["ack"])?.is_some(),
            until_exit: query.word("until", &["exit"])?.is_some(),
            form: match query.word("format", &["frames", "flat"])? {
                Some("flat") => Form::Flat,
                _ => Form::Frames,
            },
            names: match query.word("named", &["true", "false"])? {
                Some("false") => EventNames::LeftOut,
                _ => EventNames::Given,
            },
            comes_back: false,
            token: None,
        };
        match last_event_id.filter(|header| !header.is_empty()) {
            Some(header) => asked.back_at(header),
            None => Ok(asked),
        }
    }

    /// The same stream, from the place where its reader was when it went away.
    fn back_at(self, header: &str) -> Result<Self> {
        // The message does not repeat the header, because there may be a right in it.
        let wrong = || Error::invalid("Last-Event-ID", "expected <id> or <epoch>.<id>, as the last event's id: had it");
        let (position, token) = match header.split_once(BEFORE_TOKEN) {
            Some((position, token)) => (position, Some(token.to_owned())),
            None => (header, None),
        };
        let (epoch, id) = match position.rsplit_once('.') {
            Some((epoch, id)) => (Some(Epoch::parse(epoch).ok_or_else(wrong)?), id),
            None => (self.begin.epoch.clone(), position),
        };
        let id = Query::only("id", id).position("id").map_err(|_| wrong())?.map(EventId::get);
        let at = id.map_or(BeginAt::Unsaid, BeginAt::After);
        Ok(Self { begin: BeginRequest { epoch, at }, comes_back: true, token, ..self })
    }
}

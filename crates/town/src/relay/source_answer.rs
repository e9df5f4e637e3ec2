//! The answer of a container to `/events`, in our form or in that of others, which have less: no epoch, head, oldest or
//! previews, and events without `run_id`. For example
//! `{"events":[{"id":1,"agent_id":"a","event":"x","data":{},"timestamp":"…"}]}`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::{EventData, SourceGap};
use townwatch_protocol::hexadecimal;
use townwatch_protocol::id::{AgentId, Epoch, EventName, RunId, SourceId};
use townwatch_protocol::query::digits;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{ControlEvents, Preview};

use crate::agents::runs::Source;

/// An answer to `/events`.
#[derive(Debug, Clone)]
pub struct SourceAnswer {
    /// The life of the container's buffers, where it names one.
    pub epoch: Option<Epoch>,
    /// The id of the newest event in the buffers, where the container names it.
    pub head: Option<SourceId>,
    /// The id of the oldest event that is still in the buffers, where the container names it.
    pub oldest: Option<SourceId>,
    /// The events, ascending by id.
    pub events: Vec<SourceEvent>,
    /// The texts that are being typed.
    pub previews: Vec<Preview>,
}

/// An event of an answer.
#[derive(Debug, Clone, Deserialize)]
pub struct SourceEvent {
    /// The event's position within the life.
    #[serde(deserialize_with = "position")]
    pub id: SourceId,
    /// The event's agent.
    pub agent_id: AgentId,
    /// The event's run, where the container names it.
    #[serde(default)]
    pub run_id: Option<RunId>,
    /// The event's name.
    pub event: EventName,
    /// The event's data, raw.
    pub data: Box<RawValue>,
    /// The time of the event.
    pub timestamp: Timestamp,
}

impl SourceEvent {
    /// The content in short: agent, name, and a hash of the data. By it a repeated event is recognised even if it has
    /// another time.
    pub fn content(&self) -> String {
        let data = hexadecimal::of(Sha256::digest(self.data.get()));
        format!("{} {} {data}", self.agent_id, self.event.as_str())
    }
}

#[derive(Deserialize)]
struct AnswerBody {
    epoch: Option<Epoch>,
    head: Option<SourceId>,
    oldest: Option<SourceId>,
    events: Vec<Box<RawValue>>,
    #[serde(default)]
    previews: Vec<Preview>,
}

/// The position of an event that cannot be read otherwise.
#[derive(Deserialize)]
struct EventPosition {
    #[serde(deserialize_with = "position")]
    id: SourceId,
    agent_id: AgentId,
    #[serde(default)]
    timestamp: Option<Timestamp>,
}

impl SourceAnswer {
    /// Reads an answer. If only the position of an event can be read, the event becomes a `source_gap`, so that nothing
    /// behind it waits for ever.
    ///
    /// # Errors
    /// `container_error`: the answer is not in a known form, or an event has no readable position.
    pub fn read(text: &str, now: Timestamp) -> Result<Self> {
        let told: AnswerBody = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        let mut events = told.events.iter().map(|event| read_event(event, now)).collect::<Result<Vec<_>>>()?;
        events.sort_by_key(|event| event.id);
        Ok(Self { epoch: told.epoch, head: told.head, oldest: told.oldest, events, previews: told.previews })
    }
}

impl From<ControlEvents> for SourceAnswer {
    fn from(answer: ControlEvents) -> Self {
        let events = answer.events.into_iter().map(|event| SourceEvent {
            id: event.id,
            agent_id: event.agent_id,
            run_id: Some(event.run_id),
            event: event.event,
            data: event.data,
            timestamp: event.timestamp,
        });
        Self {
            events: events.collect(),
            epoch: Some(answer.epoch),
            head: Some(answer.head),
            oldest: Some(answer.oldest),
            previews: answer.previews,
        }
    }
}

/// Reads a position, which some containers write as a text: `"7"`.
fn position<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<SourceId, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(SourceId),
        Text(String),
    }
    let read = |text: &str| digits(text).and_then(SourceId::new);
    match Written::deserialize(deserializer) {
        Ok(Written::Number(id)) => Ok(id),
        Ok(Written::Text(text)) => read(&text).ok_or_else(|| D::Error::custom(format!("`id` is no integer: {text:?}"))),
        Err(_) => Err(D::Error::custom("`id` is no integer")),
    }
}

fn read_event(text: &RawValue, now: Timestamp) -> Result<SourceEvent> {
    let error = match serde_json::from_str(text.get()) {
        Ok(event) => return Ok(event),
        Err(error) => error,
    };
    let Ok(place) = serde_json::from_str::<EventPosition>(text.get()) else { return Err(unreadable(&error)) };
    let gap = SourceGap { agent_id: Some(place.agent_id.clone()), count: Some(1), source: Source::Container.key() };
    let gap = EventData::from(gap);
    Ok(SourceEvent {
        id: place.id,
        agent_id: place.agent_id,
        run_id: None,
        event: EventName::of(&gap),
        data: gap.to_raw(),
        timestamp: place.timestamp.unwrap_or(now),
    })
}

/// The error of an answer in an unknown form, for example
/// ``the container answers, but not in a form we know: missing `id` ``.
fn unreadable(error: &serde_json::Error) -> Error {
    let whole = error.to_string();
    let what = whole.split(" at line ").next().unwrap_or(&whole).replace("missing field", "missing");
    Error::new(Code::ContainerError, format!("the container answers, but not in a form we know: {what}"))
}

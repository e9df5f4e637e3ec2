//! The frames of a stream, in both directions.

use std::borrow::Cow;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
#[cfg(feature = "schema")]
use ts_rs::TS;

use super::answers::SettingsView;
use super::control::Preview;
use super::log::Gap;
#[cfg(feature = "schema")]
use super::log::TownEvent;
use super::requests::FromObject;
use super::state::AgentState;
use crate::id::{AgentId, Epoch, EventId, TownId};
use crate::time::Timestamp;

/// A frame of the server on a stream: one JSON object in each message.
// Read by `ServerFrame::read`. A reader may choose another type for the agent's state: who needs little of it is not to
// fail on a word that a newer server has in the rest.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(TS, JsonSchema), ts(concrete(State = AgentState)), schemars(rename = "ServerFrame"))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame<State = AgentState> {
    /// The first frame.
    Hello {
        /// The version of this contract.
        protocol: u32,
        /// The town.
        town_id: TownId,
        /// The life of its log.
        epoch: Epoch,
        /// Its newest event's id.
        head: EventId,
        /// Its oldest retained event's id.
        oldest_id: EventId,
        /// Whether the viewer's cursor is unknown here, so that history begins at the start.
        reset: bool,
        /// The settings of the installation.
        // Optional only for who makes up a `hello` of its own, as the dashboard does of a page.
        #[cfg_attr(feature = "schema", ts(optional, as = "Option<SettingsView>"))]
        settings: SettingsView,
    },
    /// An agent's state.
    State {
        /// The whole state.
        agent: Box<State>,
    },
    /// An agent was deleted, with all its events. A later agent with the same id is a new one.
    AgentDeleted {
        /// The agent.
        agent_id: AgentId,
    },
    /// Events, ascending by id.
    // Frames of this kind are spliced from stored texts (`viewers/frames.rs`). A tagged enum reads no raw JSON.
    #[serde(skip_deserializing)]
    Events {
        /// The events.
        #[cfg_attr(feature = "schema", ts(as = "Vec<TownEvent>"), schemars(with = "Vec<TownEvent>"))]
        events: Vec<Box<RawValue>>,
        /// Whether they are history.
        backfill: bool,
    },
    /// A part of a message that is still being written.
    Preview(Preview),
    /// The cursor has reached the head.
    CaughtUp {
        /// The head.
        id: EventId,
    },
    /// Events are missing.
    Gap(Gap),
    /// The viewer lags.
    Backpressure {
        /// The level.
        level: PressureLevel,
        /// Events between its cursor and the head.
        lag_events: u64,
    },
    /// A `subscribe` was taken.
    SubscriptionConfirmed {
        /// The agents.
        agents: AgentSelection,
        /// The filters.
        filters: Filters,
        /// The id after which history begins.
        after_id: EventId,
    },
    /// A sign of life: on an event stream, and on a socket that does not ping.
    Heartbeat {
        /// The time.
        at: Timestamp,
        /// The newest event that the reader has received, or that its selection leaves out.
        id: EventId,
    },
    /// The answer to `ping`.
    Pong,
    /// A message of the viewer was refused. The socket stays open.
    Error {
        /// The code's name.
        code: String,
        /// The text for a person.
        message: String,
        /// The type of the refused message, `subscribe` for example; absent where it has none.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", ts(optional))]
        frame: Option<String>,
        /// The time.
        at: Timestamp,
    },
}

impl<State> ServerFrame<State> {
    /// All types. No event may be called like one of them, because SSE names messages after either.
    pub const NAMES: [&'static str; 12] = [
        "hello",
        "state",
        "agent_deleted",
        "events",
        "preview",
        "caught_up",
        "gap",
        "backpressure",
        "subscription_confirmed",
        "heartbeat",
        "pong",
        "error",
    ];

    /// The type of the frame, as it stands in the frame.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::State { .. } => "state",
            Self::AgentDeleted { .. } => "agent_deleted",
            Self::Events { .. } => "events",
            Self::Preview(_) => "preview",
            Self::CaughtUp { .. } => "caught_up",
            Self::Gap(_) => "gap",
            Self::Backpressure { .. } => "backpressure",
            Self::SubscriptionConfirmed { .. } => "subscription_confirmed",
            Self::Heartbeat { .. } => "heartbeat",
            Self::Pong => "pong",
            Self::Error { .. } => "error",
        }
    }
}

impl<State: DeserializeOwned> ServerFrame<State> {
    /// Reads a message of a stream. `None`: the frame has a type that this version does not know, and a client skips
    /// it.
    ///
    /// # Errors
    ///
    /// The text is not JSON, has no type, or does not have the shape of its type.
    pub fn read(message: &str) -> serde_json::Result<Option<Self>> {
        #[derive(Deserialize)]
        struct Events {
            events: Vec<Box<RawValue>>,
            backfill: bool,
        }
        let MessageType { kind } = serde_json::from_str(message)?;
        match kind.as_ref() {
            "events" => {
                let Events { events, backfill } = serde_json::from_str(message)?;
                Ok(Some(Self::Events { events, backfill }))
            }
            kind if Self::NAMES.contains(&kind) => serde_json::from_str(message).map(Some),
            _ => Ok(None),
        }
    }
}

/// A message by its type.
#[derive(Deserialize)]
struct MessageType<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

/// The last line of a range of the log as lines (NDJSON). A range whose connection ends without this line is not whole.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RangeEnd {
    /// The range is whole.
    Complete {
        /// The `after_id` of what follows the range.
        next_after_id: EventId,
        /// The town's newest event when the range was opened.
        head: EventId,
    },
}

/// A frame of a viewer on a WebSocket: one JSON object in each message.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(TS, JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Replaces the whole selection.
    Subscribe {
        /// The agents.
        agents: AgentSelection,
        /// The id after which history begins; absent: live events only.
        #[serde(default)]
        #[cfg_attr(feature = "schema", ts(optional))]
        after_id: Option<EventId>,
        /// The kinds of events to leave out.
        #[serde(default)]
        #[cfg_attr(feature = "schema", ts(optional, as = "Option<Filters>"), schemars(with = "Option<Filters>"))]
        filters: Option<FromObject<Filters>>,
    },
    /// An acknowledgement: all events up to this id have arrived.
    Ack {
        /// The id.
        id: EventId,
    },
    /// A sign of life.
    Ping,
}

impl ClientFrame {
    /// The type of a message, even if the rest of the message is wrong. `None` for an unknown type.
    pub fn kind_of(message: &str) -> Option<&'static str> {
        let MessageType { kind } = serde_json::from_str(message).ok()?;
        ["subscribe", "ack", "ping"].into_iter().find(|known| *known == kind)
    }
}

/// Agents to watch: `"*"`, or a list of ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AgentSelection {
    /// All agents of the town.
    All,
    /// The agents with these ids, sorted, each once.
    Only(Vec<AgentId>),
}

impl Serialize for AgentSelection {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("*"),
            Self::Only(agents) => agents.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for AgentSelection {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum WordOrList {
            Word(String),
            List(Vec<AgentId>),
        }
        match WordOrList::deserialize(deserializer) {
            Ok(WordOrList::Word(word)) if word == "*" => Ok(Self::All),
            Ok(WordOrList::List(mut agents)) => {
                agents.sort();
                agents.dedup();
                Ok(Self::Only(agents))
            }
            _ => Err(serde::de::Error::custom("agents: expected \"*\" or a list of agent ids")),
        }
    }
}

#[cfg(feature = "schema")]
impl TS for AgentSelection {
    type WithoutGenerics = Self;
    type OptionInnerType = Self;
    fn name(_: &ts_rs::Config) -> String {
        "\"*\" | Array<string>".to_owned()
    }
    fn inline(config: &ts_rs::Config) -> String {
        Self::name(config)
    }
}

#[cfg(feature = "schema")]
impl JsonSchema for AgentSelection {
    fn schema_name() -> Cow<'static, str> {
        "AgentSelection".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Agents to watch: \"*\" for all of the town, or a list of ids.",
            "oneOf": [
                {"const": "*"},
                {
                    "type": "array",
                    "items": generator.subschema_for::<AgentId>(),
                    "maxItems": crate::limits::SUBSCRIBE_AGENTS_MAX,
                },
            ],
        })
    }
}

/// The kinds of events that a viewer wants. Lifecycle, questions and errors are always sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(TS, JsonSchema))]
#[serde(default, deny_unknown_fields)] // for the schema; `filters.rs` reads it
#[allow(clippy::struct_excessive_bools)] // the wire has five independent switches
pub struct Filters {
    /// `agent_tool_call`.
    pub tool_calls: bool,
    /// `agent_tool_result`.
    pub tool_results: bool,
    /// `agent_output`.
    pub output: bool,
    /// `file_changed`.
    pub files: bool,
    /// `progress_update`.
    pub progress: bool,
}

impl Default for Filters {
    fn default() -> Self {
        Self { tool_calls: true, tool_results: true, output: true, files: true, progress: true }
    }
}

words! {
    /// The pressure on a viewer that lags.
    PressureLevel {
        /// The viewer keeps up.
        Normal,
        /// The viewer is sent nothing until it acknowledges.
        Paused,
    }
}

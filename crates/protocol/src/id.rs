//! The names and positions of the wire, as types that cannot hold an invalid one.

use crate::event::{EventData, EventKind};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::integer::Integer;

/// 2^53 - 1: the largest integer that SQLite's binding and JavaScript carry exactly.
pub const POSITION_MAX: u64 = (1 << 53) - 1;

macro_rules! text_id {
    ($($(#[doc = $doc:literal])* $name:ident: $what:literal, $max:literal, $allowed:expr, $class:literal;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The allowed length and characters, for messages.
            pub const EXPECTED: &'static str = $what;

            /// The name, if it keeps to the alphabet and the length.
            pub fn parse(text: &str) -> Option<Self> {
                let allowed: fn(u8) -> bool = $allowed;
                (!text.is_empty() && text.len() <= $max && text.bytes().all(allowed)).then(|| Self(text.to_owned()))
            }

            /// The text as it stands on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| de::Error::custom(concat!("expected ", $what)))
            }
        }

        #[cfg(feature = "schema")]
        impl ts_rs::TS for $name {
            type WithoutGenerics = Self;
            type OptionInnerType = Self;
            fn name(_: &ts_rs::Config) -> String { "string".to_owned() }
            fn inline(_: &ts_rs::Config) -> String { "string".to_owned() }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let pattern = concat!("^[", $class, "]{1,", $max, "}$");
                schemars::json_schema!({"type": "string", "pattern": pattern, "description": concat!($($doc),*).trim()})
            }
        }
    )*};
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

text_id! {
    /// One team's workspace.
    TownId: "1 to 64 of A-Z a-z 0-9 _ -", 64, word, "A-Za-z0-9_-";
    /// One repository in a town.
    RigId: "1 to 64 of A-Z a-z 0-9 _ -", 64, word, "A-Za-z0-9_-";
    /// One coding agent, unique in its town.
    AgentId: "1 to 64 of A-Z a-z 0-9 _ -", 64, word, "A-Za-z0-9_-";
    /// One execution of an agent.
    RunId: "1 to 64 of A-Z a-z 0-9 _ -", 64, word, "A-Za-z0-9_-";
    /// One life of a log; a cursor is only meaningful within it.
    Epoch: "1 to 64 of A-Z a-z 0-9 _ -", 64, word, "A-Za-z0-9_-";
    /// A browser that is signed in.
    SessionId: "1 to 64 of A-Z a-z 0-9 _ -", 64, word, "A-Za-z0-9_-";
    /// A token of an agent.
    TokenId: "1 to 64 of A-Z a-z 0-9 _ -", 64, word, "A-Za-z0-9_-";
    /// The poster's own id of an event, by which the rig recognises a repeat.
    EventKey: "1 to 128 printable ASCII characters", 128, |byte| (b' '..=b'~').contains(&byte), " -~";
    /// The name of an event, `agent_output` say.
    EventName: "1 to 64 of A-Z a-z 0-9 _ . : -", 64, |byte| word(byte) || matches!(byte, b'.' | b':'), "A-Za-z0-9_.:-";
    /// A picture from a tool: the first 32 hexadecimal digits of the SHA-256 of its bytes.
    ImageId: "32 of 0-9 a-f", 32, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'), "0-9a-f";
}

impl ImageId {
    /// The id of 32 hexadecimal digits.
    pub(crate) fn of_digits(digits: String) -> Self {
        Self(digits)
    }
}

impl EventName {
    /// The name of an event's data.
    pub fn of(data: &EventData) -> Self {
        Self(data.name().to_owned())
    }

    /// The kind of event that it names; none where it is a name of the poster's own.
    pub fn kind(&self) -> Option<EventKind> {
        EventKind::parse(&self.0)
    }

    /// Whether it names this kind of event.
    pub fn is(&self, kind: EventKind) -> bool {
        self.0 == kind.as_str()
    }
}

macro_rules! position {
    ($($(#[doc = $doc:literal])* $name:ident;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// Before the first event.
            pub const START: Self = Self(0);

            /// The position, if the number is at most 2^53 - 1.
            pub fn new(position: u64) -> Option<Self> {
                (position <= POSITION_MAX).then_some(Self(position))
            }

            /// The position as a number.
            pub fn get(self) -> u64 {
                self.0
            }

            /// The position after this one. The last one is out of reach: 2^53 events are 285,000 years at 1,000 a
            /// second.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }

            /// The position before this one. The start is its own predecessor.
            #[must_use]
            pub fn previous(self) -> Self {
                Self(self.0.saturating_sub(1))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(Integer::deserialize(deserializer)?.0)
                    .ok_or_else(|| de::Error::custom("expected an integer of at most 2^53 - 1"))
            }
        }

        #[cfg(feature = "schema")]
        impl ts_rs::TS for $name {
            type WithoutGenerics = Self;
            type OptionInnerType = Self;
            fn name(_: &ts_rs::Config) -> String { "number".to_owned() }
            fn inline(_: &ts_rs::Config) -> String { "number".to_owned() }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let description = concat!($($doc),*).trim();
                schemars::json_schema!({
                    "type": "integer", "minimum": 0, "maximum": POSITION_MAX, "description": description,
                })
            }
        }
    )*};
}

position! {
    /// The position of an event in its town's log: the only cursor that a viewer knows.
    EventId;
    /// The position of an event at its source, a container's buffers or a rig's log, within the source's epoch.
    SourceId;
}

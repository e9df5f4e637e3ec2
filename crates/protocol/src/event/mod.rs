//! The events of an agent: the names of the wire contract with their data.

use serde_json::value::RawValue;
#[cfg(feature = "schema")]
use ts_rs::TS;

mod data;
mod words;

pub use data::*;
pub use words::*;

use crate::id::{AgentId, EventName, RunId};

macro_rules! known_events {
    ($($(#[doc = $doc:literal])* $name:literal => $variant:ident($data:ident),)*) => {
        /// The kind of a known event. Its name on the wire is [`EventKind::as_str`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind { $($(#[doc = $doc])* $variant,)* }

        impl EventKind {
            /// All kinds, in the order of the documents.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the wire, for example `agent_output`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The kind of a name; none for a name that is not of the contract.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }

        /// An event's name with its data. An unknown name, or data of another shape, is [`EventData::Other`].
        #[derive(Debug, Clone)]
        pub enum EventData {
            $($(#[doc = $doc])* $variant($data),)*
            /// An event that is passed through unchanged: any name, any JSON value, as its raw text.
            Other(EventName, Box<RawValue>),
        }

        impl EventData {
            /// The event's name on the wire.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $name,)*
                    Self::Other(name, _) => name.as_str(),
                }
            }

            /// Reads the data of a known name. Data of another shape is kept as it is, with one exception: an
            /// `agent.exited` that cannot be read still ends its run, so it is read as an end.
            pub fn read(name: &EventName, data: &RawValue) -> Self {
                match name.as_str() {
                    $($name => serde_json::from_str(data.get()).map(Self::$variant),)*
                    _ => return Self::Other(name.clone(), data.to_owned()),
                }
                .unwrap_or_else(|_| match name.kind() {
                    Some(EventKind::Exited) => Self::Exited(AgentExited::because(
                        ExitReason::Failed,
                        "the agent's own word of its end could not be read",
                    )),
                    _ => Self::Other(name.clone(), data.to_owned()),
                })
            }

            /// The data as JSON text.
            pub fn to_raw(&self) -> Box<RawValue> {
                match self {
                    $(Self::$variant(data) => serde_json::value::to_raw_value(data).unwrap_or_default(),)*
                    Self::Other(_, data) => data.clone(),
                }
            }
        }

        $(impl From<$data> for EventData {
            fn from(data: $data) -> Self { Self::$variant(data) }
        })*

        #[cfg(feature = "schema")]
        impl EventData {
            /// Each known event: its name, its description, and its data's type by name and by schema.
            #[allow(clippy::type_complexity)] // a row of a table
            pub fn schemas(
                generator: &mut schemars::SchemaGenerator,
            ) -> Vec<(&'static str, &'static str, &'static str, schemars::Schema)> {
                vec![$(($name, concat!($($doc),*), stringify!($data), generator.subschema_for::<$data>()),)*]
            }
        }

        /// For the TypeScript types only: the same list as a union with the tag `event`.
        #[cfg(feature = "schema")]
        #[allow(dead_code, missing_docs)]
        #[derive(TS)]
        #[ts(tag = "event", content = "data", rename = "KnownEvent")]
        pub enum KnownEvent { $(#[ts(rename = $name)] $variant($data),)* }
    };
}

known_events! {
    /// The status of the agent's run.
    "agent.status" => Status(AgentStatusChanged),
    /// A run's end: exactly one, and the run's last event.
    "agent.exited" => Exited(AgentExited),
    /// The agent's own description at its start: model, tools, working directory.
    "agent_session" => Session(AgentSession),
    /// Text that the agent wrote.
    "agent_output" => Output(AgentOutput),
    /// A message to the agent, from a person, or from its program in a person's place.
    "user_message" => UserMessage(UserMessage),
    /// A tool call of the agent.
    "agent_tool_call" => ToolCall(AgentToolCall),
    /// The result of a tool call.
    "agent_tool_result" => ToolResult(AgentToolResult),
    /// The agent waits for a person.
    "agent_question" => Question(AgentQuestion),
    /// A person answered.
    "agent_question_answered" => QuestionAnswered(AgentQuestionAnswered),
    /// Tokens and cost.
    "agent_usage" => Usage(AgentUsage),
    /// Something went wrong for the agent.
    "agent_error" => Error(AgentError),
    /// An action or warning of the agent's program itself.
    "agent_notice" => Notice(AgentNotice),
    /// The agent left work running in the background.
    "agent_task_started" => TaskStarted(AgentTaskStarted),
    /// Work in the background ended.
    "agent_task_ended" => TaskEnded(AgentTaskEnded),
    /// A file of the agent's working directory changed.
    "file_changed" => FileChanged(FileChanged),
    /// The progress of the run.
    "progress_update" => Progress(ProgressUpdate),
    /// A work order's run began.
    "run_started" => RunStarted(RunStarted),
    /// An iteration of a work order's run ended.
    "run_iteration" => RunIteration(RunIteration),
    /// A work order's run succeeded.
    "run_completed" => RunCompleted(RunCompleted),
    /// A work order's run failed.
    "run_failed" => RunFailed(RunFailed),
    /// A work order was made.
    "work_order_created" => WorkOrderCreated(WorkOrderCreated),
    /// The status of a work order changed.
    "work_order_updated" => WorkOrderUpdated(WorkOrderUpdated),
    /// Lines of the agent that could not be read as they should.
    "parser_notice" => ParserNotice(ParserNotice),
    /// Events that were lost before they reached the town.
    "source_gap" => SourceGap(SourceGap),
}

/// An event on its way, before the town has given it an id.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The agent.
    pub agent_id: AgentId,
    /// The run, where the source knows it.
    pub run_id: Option<RunId>,
    /// The name of the event.
    pub event: EventName,
    /// The data of the event, raw.
    pub data: Box<RawValue>,
    /// The time of the event.
    pub at: crate::time::Timestamp,
}

impl Draft {
    /// An event that the system itself makes.
    pub fn new(agent_id: AgentId, run_id: RunId, data: impl Into<EventData>, at: crate::time::Timestamp) -> Self {
        let data = data.into();
        Self { agent_id, run_id: Some(run_id), event: EventName::of(&data), data: data.to_raw(), at }
    }
}

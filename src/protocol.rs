//! The wire: what REST takes and gives, what streams carry, what the container answers. See PROTOCOL.md.

use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
#[cfg(test)]
use ts_rs::TS;

use crate::event::{AgentExited, AgentQuestion, ProgressUpdate, Role, Runtime, Status, StopSignal, Todo};
use crate::id::{AgentId, Epoch, EventId, EventKey, EventName, RigId, RunId, SourceId, TownId};
use crate::time::Timestamp;

macro_rules! wire {
    ($($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[cfg_attr(test, derive(TS))]
        pub struct $name { $($(#[$fmeta])* pub $field: $type,)* }
    )*};
}

// ---- what people and programs ask ------------------------------------------------------------------------------

wire! {
    /// `POST /api/session`.
    #[derive(Debug, Deserialize)]
    SessionRequest {
        /// The operator's key.
        key: String,
    }
    /// `POST /api/towns` and `PATCH /api/towns/:town`.
    #[derive(Debug, Serialize, Deserialize)]
    TownRequest {
        /// For people.
        name: String,
    }
    /// `POST /api/towns/:town/rigs`.
    #[derive(Debug, Serialize, Deserialize)]
    RigRequest {
        /// For people.
        name: String,
        /// The repository's address.
        #[serde(default)] #[cfg_attr(test, ts(optional))]
        git_url: Option<String>,
        /// The branch that work starts from.
        #[serde(default)] #[cfg_attr(test, ts(optional))]
        default_branch: Option<String>,
    }
    /// `POST /api/rigs/:rig/agents`: an agent that runs elsewhere and posts its events.
    #[derive(Debug, Serialize, Deserialize)]
    AgentRequest {
        /// Unique in the town; minted where absent.
        #[serde(default)] #[cfg_attr(test, ts(optional))]
        agent_id: Option<AgentId>,
        /// For people.
        name: String,
        /// Its part in the town.
        role: Role,
    }
    /// `POST /api/rigs/:rig/agents/:agent/token`.
    #[derive(Debug, Deserialize)]
    TokenRequest {
        /// 1 to 86,400; 28,800 where absent.
        #[serde(default)] #[cfg_attr(test, ts(optional))]
        ttl_seconds: Option<u64>,
    }
    /// `POST …/container/agents/start`, and what the town hands to the control server.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    StartAgent {
        /// Unique in the town; minted where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        agent_id: Option<AgentId>,
        /// Where it works.
        rig_id: RigId,
        /// For people.
        name: String,
        /// Its part in the town.
        role: Role,
        /// The program that runs.
        runtime: Runtime,
        /// What it is asked to do.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        prompt: Option<String>,
        /// The model, by the agent program's own name of it.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        model: Option<String>,
        /// Added to the agent's own system prompt.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        system_prompt: Option<String>,
        /// The repository to clone.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        git_url: Option<String>,
        /// The branch to work on.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        branch: Option<String>,
        /// The branch that it is made from.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        default_branch: Option<String>,
        /// The agent's environment; never stored.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        env_vars: Option<std::collections::BTreeMap<String, String>>,
        /// For `process`: the program and its arguments.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        command: Option<Vec<String>>,
        /// For `replay`: a bundled recording's name.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        transcript: Option<String>,
        /// For `replay`: 1 is its own pace (and the default), 0 at once.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        speed: Option<f64>,
        /// The run's end at the latest; 1,800 where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        timeout_seconds: Option<u64>,
    }
    /// `POST …/container/agents/:agent/stop`.
    #[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
    StopAgent {
        /// SIGTERM where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        signal: Option<StopSignal>,
    }
    /// `POST …/container/agents/:agent/message`.
    #[derive(Debug, Serialize, Deserialize)]
    MessageAgent {
        /// What to tell the agent.
        prompt: String,
    }
}

/// What was written as a JSON object. A derived reader also takes the bare list of a struct's values, which no one who
/// writes one means.
#[derive(Debug)]
pub struct FromObject<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for FromObject<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

/// `POST /api/rigs/:rig/agent-events`: one event, or a batch in `events`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
pub struct PostEvents {
    /// Whose events.
    pub agent_id: AgentId,
    /// The batch; then the fields of a single event are not allowed beside it.
    #[serde(default)]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<PostEvent>>"))]
    pub events: Option<Vec<FromObject<PostEvent>>>,
    /// The single event's name.
    #[serde(default)]
    #[cfg_attr(test, ts(optional))]
    pub event_type: Option<EventName>,
    /// Any JSON value; null where absent.
    #[serde(default)]
    #[cfg_attr(test, ts(optional, type = "unknown"))]
    pub data: Option<Box<RawValue>>,
    /// When it happened; now where absent.
    #[serde(default)]
    #[cfg_attr(test, ts(optional))]
    pub at: Option<Timestamp>,
    /// Recognises a repeat.
    #[serde(default)]
    #[cfg_attr(test, ts(optional))]
    pub event_id: Option<EventKey>,
    /// The run; the agent's open one where absent.
    #[serde(default)]
    #[cfg_attr(test, ts(optional))]
    pub run_id: Option<RunId>,
}

/// One event of a posted batch.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
pub struct PostEvent {
    /// Its name.
    pub event_type: EventName,
    /// Any JSON value; null where absent.
    #[serde(default)]
    #[cfg_attr(test, ts(optional, type = "unknown"))]
    pub data: Option<Box<RawValue>>,
    /// When it happened; now where absent.
    #[serde(default)]
    #[cfg_attr(test, ts(optional))]
    pub at: Option<Timestamp>,
    /// Recognises a repeat.
    #[serde(default)]
    #[cfg_attr(test, ts(optional))]
    pub event_id: Option<EventKey>,
    /// The run; the agent's open one where absent.
    #[serde(default)]
    #[cfg_attr(test, ts(optional))]
    pub run_id: Option<RunId>,
}

// ---- what they get ---------------------------------------------------------------------------------------------

wire! {
    /// A town in lists.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    TownSummary {
        /// The town.
        town_id: TownId,
        /// For people.
        name: String,
        /// When it was made.
        created_at: Timestamp,
    }
    /// `GET /api/towns/:town`.
    #[derive(Debug, Serialize)]
    TownView {
        /// The town.
        town_id: TownId,
        /// For people.
        name: String,
        /// When it was made.
        created_at: Timestamp,
        /// The life of its log.
        epoch: Epoch,
        /// The newest event's id, 0 where there is none.
        head: EventId,
        /// The oldest retained event's id, 0 where there is none.
        oldest_id: EventId,
        /// Its repositories.
        rigs: Vec<RigView>,
        /// Its agents.
        agents: Vec<AgentState>,
        /// Its container, as last heard.
        container: ContainerView,
    }
    /// A town's container.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    ContainerView {
        /// `running`, `asleep` or `unreachable`.
        status: ContainerStatus,
        /// The programs that it can run; empty where it was not asked.
        runtimes: Vec<RuntimeView>,
    }
    /// One program that the control server can run, or could.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    RuntimeView {
        /// The program.
        name: Runtime,
        /// Whether it is installed.
        found: bool,
        /// Its version, where it says one.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        version: Option<String>,
        /// The command that installs it.
        install: String,
    }
    /// A repository in a town.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    RigView {
        /// The rig.
        rig_id: RigId,
        /// Its town.
        town_id: TownId,
        /// For people.
        name: String,
        /// The repository's address.
        #[serde(skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        git_url: Option<String>,
        /// The branch that work starts from.
        #[serde(skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        default_branch: Option<String>,
        /// When it was made.
        created_at: Timestamp,
    }
    /// `POST …/token`.
    #[derive(Debug, Serialize)]
    TokenView {
        /// A JWT.
        token: String,
        /// Its end.
        expires_at: Timestamp,
    }
    /// `POST …/agent-events`.
    #[derive(Debug, Serialize)]
    PostReceipt {
        /// Events that are new and stored.
        appended: u64,
        /// Events that were there already.
        duplicates: u64,
        /// The newest event's id in the rig's log.
        last_id: SourceId,
    }
    /// `POST …/stream-ticket`.
    #[derive(Debug, Serialize)]
    TicketView {
        /// Opens one stream, once.
        ticket: String,
        /// A path that contains the ticket.
        url: String,
        /// Its end.
        expires_at: Timestamp,
    }
    /// A page of the town's log.
    #[derive(Debug, Serialize)]
    EventsPage {
        /// The life of the log.
        epoch: Epoch,
        /// Ascending by id.
        #[cfg_attr(test, ts(as = "Vec<TownEvent>"))]
        events: Vec<Box<RawValue>>,
        /// Where the next page begins.
        next_after_id: EventId,
        /// The newest event's id.
        head: EventId,
        /// The oldest retained event's id.
        oldest_id: EventId,
        /// What was asked for and is gone.
        gaps: Vec<Gap>,
        /// Whether the cursor meant nothing here and the page begins at the start.
        #[serde(skip_serializing_if = "std::ops::Not::not")] #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
        reset: bool,
    }
    /// Events of an agent that a reader asked for and does not get.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    Gap {
        /// Whose.
        agent_id: AgentId,
        /// The first missing id.
        from: EventId,
        /// The last missing id.
        to: EventId,
        /// How many, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        count: Option<u64>,
        /// Why.
        reason: GapReason,
    }
    /// A run in lists.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    RunView {
        /// The run.
        run_id: RunId,
        /// Whose.
        agent_id: AgentId,
        /// Counts the agent's runs from 1.
        run_number: u64,
        /// Its first event, 0 where it has none yet.
        first_event_id: EventId,
        /// Its newest event.
        last_event_id: EventId,
        /// When it was asked for.
        started_at: Timestamp,
        /// When it ended.
        #[serde(skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        ended_at: Option<Timestamp>,
        /// How it ended.
        #[serde(skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        exit: Option<AgentExited>,
        /// Calls of its agent.
        tool_call_count: u64,
        /// Tokens and cost.
        usage: UsageTotals,
    }
    /// An event of the town's log, as viewers get it.
    #[derive(Debug, Deserialize)]
    TownEvent {
        /// Its position.
        id: EventId,
        /// Whose.
        agent_id: AgentId,
        /// In which rig.
        #[serde(default)] #[cfg_attr(test, ts(optional))]
        rig_id: Option<RigId>,
        /// Of which run.
        #[serde(default)] #[cfg_attr(test, ts(optional))]
        run_id: Option<RunId>,
        /// Its name.
        event: EventName,
        /// Its data.
        #[cfg_attr(test, ts(type = "unknown"))]
        data: Box<RawValue>,
        /// When it happened.
        at: Timestamp,
        /// What was left out of `data`; the whole event is one `GET …/events/:id` away.
        #[serde(default)] #[cfg_attr(test, ts(optional))]
        cut: Option<Vec<Cut>>,
    }
    /// A part of an event's data that was left out of its frame form.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    Cut {
        /// JSON Pointer into `data`.
        path: String,
        /// How much was left out.
        bytes: u64,
    }
    /// Tokens and cost so far; a cost that no one named is absent, never 0.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    UsageTotals {
        /// Tokens read.
        input_tokens: u64,
        /// Tokens written.
        output_tokens: u64,
        /// Tokens read from the model's cache.
        cache_read_input_tokens: u64,
        /// Tokens written to the model's cache.
        cache_creation_input_tokens: u64,
        /// US dollars.
        cost_usd: Option<f64>,
    }
    /// A tool call that has no result yet.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    OutstandingCall {
        /// The call.
        tool_use_id: String,
        /// The agent's own name of the tool.
        tool: String,
        /// The file that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        path: Option<String>,
        /// When it was called.
        since: Timestamp,
    }
    /// What an agent is at.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    Activity {
        /// The kind.
        kind: ActivityKind,
        /// In plain words: "Reading src/config.ts".
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(test, ts(optional))]
        detail: Option<String>,
        /// Since when.
        since: Timestamp,
    }
    /// All that is known of an agent, made out of its events by one reducer.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    AgentState {
        /// The agent.
        agent_id: AgentId,
        /// Its rig.
        rig_id: RigId,
        /// For people.
        name: String,
        /// Its part in the town.
        role: Role,
        /// The program that runs; null for an agent that runs elsewhere.
        runtime: Option<Runtime>,
        /// Where it stands.
        status: Status,
        /// Its current or last run.
        run_id: Option<RunId>,
        /// Counts its runs from 1; 0 before the first.
        run_number: u64,
        /// The beginning of what it was asked to do.
        title: Option<String>,
        /// The agent's own name of its session.
        session_id: Option<String>,
        /// The model.
        model: Option<String>,
        /// Where it works.
        working_dir: Option<String>,
        /// The branch there.
        branch: Option<String>,
        /// The commit that it began at.
        initial_commit: Option<String>,
        /// The repository.
        git_origin: Option<String>,
        /// The machine.
        hostname: Option<String>,
        /// Its system.
        os: Option<String>,
        /// Whether that is a container.
        in_container: Option<bool>,
        /// Messages of the run: distinct `message_id`s of what the agent said.
        message_count: u64,
        /// Calls of the run.
        tool_call_count: u64,
        /// Model calls under way, as far as the events tell.
        outstanding_llm_calls: u64,
        /// Calls without a result, at most 64.
        outstanding_tool_calls: Vec<OutstandingCall>,
        /// What it waits for a person for.
        question: Option<AgentQuestion>,
        /// Tokens and cost of the run.
        usage: UsageTotals,
        /// Distinct files changed in the run.
        files_changed: u64,
        /// Lines added in the run.
        lines_added: u64,
        /// Lines removed in the run.
        lines_removed: u64,
        /// Its to-do list, at most 100.
        todos: Vec<Todo>,
        /// How far the run is.
        progress: Option<ProgressUpdate>,
        /// What it is at; null before its first run.
        activity: Option<Activity>,
        /// The run's first event.
        first_event_id: Option<EventId>,
        /// Its newest event.
        last_event_id: Option<EventId>,
        /// When that was.
        last_event_at: Option<Timestamp>,
        /// When the run began.
        started_at: Option<Timestamp>,
        /// When it ended.
        ended_at: Option<Timestamp>,
        /// How it ended.
        exit: Option<AgentExited>,
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(TS))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }
    )*};
}

words! {
    /// Why events are missing.
    GapReason {
        /// Beyond the cap: gone for good.
        Pruned,
        /// Left out under pressure: still in the log.
        Elided,
    }
    /// Kinds of activity.
    ActivityKind {
        /// The model is at work.
        Thinking,
        /// A tool is.
        Tool,
        /// A person is asked.
        Question,
        /// The turn is over.
        Waiting,
        /// Nothing is heard of the container.
        Silent,
        /// The container went away.
        Lost,
        /// The run is over.
        Ended,
    }
    /// Where a town's container stands.
    ContainerStatus {
        /// It answers.
        Running,
        /// It is not started; an agent's start starts it.
        Asleep,
        /// It should answer and does not.
        Unreachable,
    }
    /// How far a viewer lags.
    PressureLevel {
        /// It keeps up.
        Normal,
        /// It is sent nothing until it acknowledges.
        Paused,
    }
}

// ---- streams ---------------------------------------------------------------------------------------------------

/// What the server sends on a WebSocket, one JSON object a message.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
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
        /// Whether the viewer's cursor meant nothing here and history begins at the start.
        reset: bool,
    },
    /// An agent's state.
    State {
        /// The whole state.
        agent: Box<AgentState>,
    },
    /// Events, ascending by id. Frames of this kind are spliced from stored texts, see `core::frame`.
    Events {
        /// The events.
        #[cfg_attr(test, ts(as = "Vec<TownEvent>"))]
        events: Vec<Box<RawValue>>,
        /// Whether they are history.
        backfill: bool,
    },
    /// The cursor has reached the head.
    CaughtUp {
        /// The head.
        id: EventId,
    },
    /// Events are missing.
    Gap(Gap),
    /// The viewer lags.
    Backpressure {
        /// How much.
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
        /// Where history begins.
        after_id: EventId,
    },
    /// The answer to `ping`.
    Pong,
    /// A message of the viewer's could not be taken; the socket lives.
    Error {
        /// The code's name.
        code: String,
        /// For a person.
        message: String,
    },
}

/// What a viewer sends on a WebSocket, one JSON object a message.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Replaces the whole selection.
    Subscribe {
        /// The agents.
        agents: AgentSelection,
        /// Where history begins; live only where absent.
        #[serde(default)]
        #[cfg_attr(test, ts(optional))]
        after_id: Option<EventId>,
        /// What to leave out.
        #[serde(default)]
        #[cfg_attr(test, ts(optional, as = "Option<Filters>"))]
        filters: Filters,
    },
    /// All up to this id has arrived.
    Ack {
        /// The id.
        id: EventId,
    },
    /// A sign of life.
    Ping,
}

/// Agents to watch: `"*"`, or a list of ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AgentSelection {
    /// All of the town.
    All,
    /// These, sorted, without repeats.
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
        enum Form {
            Word(String),
            List(Vec<AgentId>),
        }
        match Form::deserialize(deserializer) {
            Ok(Form::Word(word)) if word == "*" => Ok(Self::All),
            Ok(Form::List(mut agents)) => {
                agents.sort();
                agents.dedup();
                Ok(Self::Only(agents))
            }
            _ => Err(serde::de::Error::custom("agents: expected \"*\" or a list of agent ids")),
        }
    }
}

#[cfg(test)]
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

/// What a viewer wants to see; lifecycle, questions and errors are always sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(default)]
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

// ---- between the town and its control server, and between a rig and its town -----------------------------------

/// The header that names the town on every call to a control server.
pub const TOWN_HEADER: &str = "Townwatch-Town";

/// `POST /agents/start` of the control server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ControlStart {
    /// Minted by the town; a start is idempotent on it.
    pub run_id: RunId,
    /// The agent, given or minted.
    pub agent_id: AgentId,
    /// The rest of the order; its own `agent_id` is absent.
    #[serde(flatten)]
    pub order: StartAgent,
}

/// What the control server answers to a start.
#[derive(Debug, Serialize, Deserialize)]
pub struct ControlStarted {
    /// The life of the buffers that the run's events will be in.
    pub epoch: Epoch,
    /// The run.
    pub run_id: RunId,
}

/// `GET /agents/:id/status` of the control server.
#[derive(Debug, Serialize, Deserialize)]
pub struct ControlStatus {
    /// The agent.
    pub agent_id: AgentId,
    /// Its newest run there.
    pub run_id: RunId,
    /// Where it stands.
    pub status: Status,
    /// How it ended, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<AgentExited>,
}

/// `GET /events` of the control server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ControlEvents {
    /// The life of the buffers.
    pub epoch: Epoch,
    /// The newest event's id there.
    pub head: SourceId,
    /// The oldest event's id that is still there; `head + 1` where none is.
    pub oldest: SourceId,
    /// Ascending by id.
    pub events: Vec<ControlEvent>,
}

/// An event in the control server's buffers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ControlEvent {
    /// Its position within the epoch.
    pub id: SourceId,
    /// Whose.
    pub agent_id: AgentId,
    /// Of which run.
    pub run_id: RunId,
    /// Its name.
    pub event: EventName,
    /// Its data, raw.
    pub data: Box<RawValue>,
    /// When it happened.
    pub timestamp: Timestamp,
}

/// `GET /health` of the control server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ControlHealth {
    /// `ok`.
    pub status: String,
    /// Agents that run, of all towns.
    pub agents: u64,
    /// Since it was started.
    pub uptime_ms: u64,
    /// Its version.
    pub version: String,
    /// The programs that it can run.
    pub runtimes: Vec<RuntimeView>,
}

/// What a rig hands to its town.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RigBatch {
    /// The rig.
    pub rig_id: RigId,
    /// The life of its log.
    pub rig_epoch: Epoch,
    /// The position before the first event of the batch.
    pub after: SourceId,
    /// Ascending by id.
    pub events: Vec<RigEvent>,
}

/// An event in a rig's log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RigEvent {
    /// Its position.
    pub id: SourceId,
    /// Whose.
    pub agent_id: AgentId,
    /// Of which run, where the poster named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// Its name.
    pub event: EventName,
    /// Its data, raw.
    pub data: Box<RawValue>,
    /// When it happened.
    pub at: Timestamp,
}

/// The town's answer to a [`RigBatch`]: where its cursor stands now; the rig adopts it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct RigCursor {
    /// The last event that the town has stored.
    pub cursor: SourceId,
}

//! What they get.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
#[cfg(feature = "schema")]
use ts_rs::TS;

use super::budgets::DayBudget;
use super::control::RigEvent;
use super::state::{AgentState, UsageTotals};
use crate::event::{AgentExited, Runtime};
use crate::id::{AgentId, Epoch, EventId, EventName, ImageId, RigId, RunId, SessionId, SourceId, TokenId, TownId};
use crate::time::Timestamp;

wire! {
    /// `GET /health`.
    #[derive(Debug, Serialize)]
    HealthView {
        /// `ok`.
        status: &'static str,
        /// The Worker's version.
        version: &'static str,
        /// Which deployment of it answers; null where the platform does not say.
        build: Option<BuildView>,
    }
    /// A deployment, as the platform knows it.
    #[derive(Debug, Serialize)]
    BuildView {
        /// Its id.
        id: String,
        /// Its tag: the commit that `npm run deploy` was called on. Empty if it was deployed in another way.
        tag: String,
        /// When it was made, as the platform writes it.
        made_at: String,
    }
    /// `GET /api/settings`, and in `hello`: what a client would else have to guess.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    SettingsView {
        /// Whether streams are served.
        stream_enabled: bool,
        /// Frames a second to viewers with equal selections.
        stream_rate_limit: u64,
        /// How long a frame waits at most for others.
        stream_batch_ms: u64,
        /// Events that an acknowledging viewer may owe.
        stream_window_events: u64,
        /// Events kept per agent.
        event_cap: u64,
        /// How long a ticket lives.
        ticket_ttl_seconds: u64,
    }
    /// A browser that is signed in.
    #[derive(Debug, Serialize)]
    BrowserSession {
        /// Names it.
        session_id: SessionId,
        /// What it is, as it says itself, shortened.
        browser: String,
        /// When it signed in.
        created_at: Timestamp,
        /// When it was last heard of, to the minute.
        last_seen_at: Timestamp,
        /// When it ends if it is not used again.
        ends_at: Timestamp,
    }
    /// `POST /api/session/code`.
    #[derive(Debug, Serialize)]
    SignInCode {
        /// Signs one browser in, once.
        code: String,
        /// Until when.
        expires_at: Timestamp,
    }
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
        /// Its agents, without archived ones.
        agents: Vec<AgentState>,
        /// How many agents are archived.
        archived_agents: u64,
        /// What all agents together may take in a day, where that is set.
        #[serde(skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        day_budget: Option<DayBudget>,
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
        /// Whether no run there can reach another one or the control server; absent where that is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        agents_apart: Option<bool>,
        /// What stands between agents and the machine there; absent where that is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        sandbox: Option<SandboxKind>,
    }
    /// One program that the control server can run, or could.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    RuntimeView {
        /// The program.
        name: Runtime,
        /// Whether it is installed.
        found: bool,
        /// Its version, where it says one.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        version: Option<String>,
        /// The command that installs it.
        install: String,
        /// What `replay` can play, by name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] #[cfg_attr(feature = "schema", ts(optional, as = "Option<Vec<String>>"))]
        recordings: Vec<String>,
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
        #[serde(skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        git_url: Option<String>,
        /// The branch that work starts from.
        #[serde(skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        default_branch: Option<String>,
        /// When it was made.
        created_at: Timestamp,
        /// When it was archived, where it is.
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        archived_at: Option<Timestamp>,
    }
    /// `POST …/token`.
    #[derive(Debug, Serialize)]
    TokenView {
        /// Names it; it says so itself, as `jti`.
        token_id: TokenId,
        /// A JWT.
        token: String,
        /// Its end.
        expires_at: Timestamp,
    }
    /// `GET …/tokens`: what may be shown of an agent's tokens, which is not they themselves.
    #[derive(Debug, Serialize)]
    AgentTokens {
        /// Those with an id whose time is not over, the newest first.
        tokens: Vec<AgentToken>,
        /// The others together, which whoever has the secret can make.
        without_id: TokensWithoutId,
    }
    /// A token of an agent.
    #[derive(Debug, Serialize)]
    AgentToken {
        /// Names it.
        token_id: TokenId,
        /// When it was made.
        created_at: Timestamp,
        /// When it ends by itself.
        expires_at: Timestamp,
        /// When it was last used, to the minute; null before that.
        last_used_at: Option<Timestamp>,
        /// When it was revoked.
        revoked_at: Option<Timestamp>,
    }
    /// An agent's tokens that have no id.
    #[derive(Debug, Serialize)]
    TokensWithoutId {
        /// When one was last used, to the minute.
        last_used_at: Option<Timestamp>,
        /// Those that were made up to then are refused, and so are those that do not say when.
        revoked_at: Option<Timestamp>,
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
    /// `POST …/heartbeat`.
    #[derive(Debug, Serialize, Deserialize)]
    Heard {
        /// True: the town knows that the agent is there.
        heard: bool,
    }
    /// `PUT …/images/:image_id`.
    #[derive(Debug, Serialize)]
    ImageView {
        /// The picture.
        image_id: ImageId,
        /// What it is by its bytes.
        media_type: String,
        /// Its length.
        size_bytes: u64,
    }
    /// A page of the rig's own log.
    #[derive(Debug, Serialize)]
    RigEventsPage {
        /// Ascending by id.
        events: Vec<RigEvent>,
        /// Where the next page begins.
        next_after_id: SourceId,
    }
    /// `POST …/stop`.
    #[derive(Debug, Serialize)]
    Stopped {
        /// True: it runs no more, or is about to.
        stopped: bool,
    }
    /// `POST …/message`.
    #[derive(Debug, Serialize)]
    Sent {
        /// True: the agent was told.
        sent: bool,
    }
    /// `POST …/answer`.
    #[derive(Debug, Serialize)]
    Answered {
        /// True: the agent has its answer.
        answered: bool,
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
        #[cfg_attr(feature = "schema", ts(as = "Vec<TownEvent>"), schemars(with = "Vec<TownEvent>"))]
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
        #[serde(skip_serializing_if = "std::ops::Not::not")] #[cfg_attr(feature = "schema", ts(optional, as = "Option<bool>"))]
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
        #[serde(default, skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
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
        #[serde(skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
        ended_at: Option<Timestamp>,
        /// How it ended.
        #[serde(skip_serializing_if = "Option::is_none")] #[cfg_attr(feature = "schema", ts(optional))]
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
        #[serde(default)] #[cfg_attr(feature = "schema", ts(optional))]
        rig_id: Option<RigId>,
        /// Of which run.
        #[serde(default)] #[cfg_attr(feature = "schema", ts(optional))]
        run_id: Option<RunId>,
        /// Its name.
        event: EventName,
        /// Its data.
        #[cfg_attr(feature = "schema", ts(type = "unknown"))]
        data: Box<RawValue>,
        /// When it happened.
        at: Timestamp,
        /// What was left out of `data`; the whole event is one `GET …/events/:id` away.
        #[serde(default)] #[cfg_attr(feature = "schema", ts(optional))]
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
}

/// `/api/session`: who asks.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "principal", rename_all = "snake_case")]
pub enum SessionView {
    /// May do everything.
    Operator {
        /// The browser's own session; absent where the key was shown.
        #[serde(skip_serializing_if = "Option::is_none")]
        session_id: Option<SessionId>,
    },
    /// May post events as itself and read its own.
    Agent {
        /// Its town.
        town_id: TownId,
        /// Its rig.
        rig_id: RigId,
        /// Itself.
        agent_id: AgentId,
    },
}

words! {
    /// Why events are missing.
    GapReason {
        /// Beyond the cap: gone for good.
        Pruned,
        /// Left out under pressure: still in the log.
        Elided,
    }
    /// What stands between agents and the machine that they run on. Without any, agents ask before they do things.
    SandboxKind {
        /// Nothing: an agent can do what the control server's user can.
        None,
        /// The control server is in one, with all that it runs.
        Image,
        /// Each run has one of its own, made by bubblewrap.
        Bubblewrap,
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
}

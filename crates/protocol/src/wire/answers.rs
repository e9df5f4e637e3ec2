//! What callers get: views of towns, rigs, agents' tokens and the container.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "schema")]
use ts_rs::TS;

use super::budgets::DayBudget;
use super::control::RigEvent;
use super::state::AgentState;
use crate::id::{AgentId, Epoch, EventId, ImageId, RigId, SessionId, SourceId, TokenId, TownId};
use crate::runtime::Runtime;
use crate::time::Timestamp;

wire! {
    /// `GET /health`.
    #[derive(Debug, Serialize)]
    HealthView with nulls {
        /// `ok`.
        status: &'static str,
        /// The Worker's version.
        version: &'static str,
        /// The deployment that answers; null where the platform does not say.
        build: Option<BuildView>,
    }
    /// A deployment, as the platform knows it.
    #[derive(Debug, Serialize)]
    BuildView {
        /// Its id.
        id: String,
        /// Its tag: the commit that `npm run deploy` was called on. Empty if it was deployed in another way.
        tag: String,
        /// The time of the deployment, as the platform writes it.
        made_at: String,
    }
    /// `GET /api/settings`, and in `hello`: the settings that a client needs.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    SettingsView {
        /// Whether streams are served.
        stream_enabled: bool,
        /// Frames a second to viewers with equal selections.
        stream_rate_limit: u64,
        /// The longest time that a frame waits for others, in milliseconds.
        stream_batch_ms: u64,
        /// Events that an acknowledging viewer may owe.
        stream_window_events: u64,
        /// Events kept per agent.
        event_cap: u64,
        /// The life of a ticket.
        ticket_ttl_seconds: u64,
    }
    /// A browser that is signed in.
    #[derive(Debug, Serialize)]
    BrowserSession {
        /// The id of it.
        session_id: SessionId,
        /// The browser's own name of itself, shortened.
        browser: String,
        /// The time of the sign-in.
        created_at: Timestamp,
        /// The time of the last request, to the minute.
        last_seen_at: Timestamp,
        /// The end of the session if it is not used again.
        ends_at: Timestamp,
    }
    /// `POST /api/session/code`.
    #[derive(Debug, Serialize)]
    SignInCode {
        /// The code, which signs one browser in, once.
        code: String,
        /// The end of the code's life.
        expires_at: Timestamp,
    }
    /// A town in lists.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    TownSummary {
        /// The town.
        town_id: TownId,
        /// The name for people.
        name: String,
        /// The time of its creation.
        created_at: Timestamp,
    }
    /// `GET /api/towns/:town`.
    #[derive(Debug, Serialize)]
    TownView {
        /// The town.
        town_id: TownId,
        /// The name for people.
        name: String,
        /// The time of its creation.
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
        /// The number of archived agents.
        archived_agents: u64,
        /// The budget of a day for all agents together, where it is set.
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
        agents_apart: Option<bool>,
        /// The sandbox between agents and the machine; absent where it is not known.
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
        version: Option<String>,
        /// The command that installs it.
        install: String,
        /// The names of the recordings that `replay` can play.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] #[cfg_attr(feature = "schema", ts(optional, as = "Option<Vec<String>>"))]
        recordings: Vec<String>,
    }
    /// A repository in a town.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    RigView {
        /// The rig.
        rig_id: RigId,
        /// The agent's town.
        town_id: TownId,
        /// The name for people.
        name: String,
        /// The repository's address.
        git_url: Option<String>,
        /// The branch that work starts from.
        default_branch: Option<String>,
        /// The time of its creation.
        created_at: Timestamp,
        /// The time at which it was archived, if it is.
        archived_at: Option<Timestamp>,
    }
    /// `POST …/token`.
    #[derive(Debug, Serialize)]
    TokenView {
        /// The id of the token, also its claim `jti`.
        token_id: TokenId,
        /// A JWT.
        token: String,
        /// The end of its life.
        expires_at: Timestamp,
    }
    /// `GET …/tokens`: a list of an agent's tokens, without the tokens themselves.
    #[derive(Debug, Serialize)]
    AgentTokens {
        /// The tokens with an id that have not expired, the newest first.
        tokens: Vec<AgentToken>,
        /// The tokens without an id, together. Every holder of the signing secret can make one.
        without_id: TokensWithoutId,
    }
    /// A token of an agent.
    #[derive(Debug, Serialize)]
    AgentToken with nulls {
        /// The id of it.
        token_id: TokenId,
        /// The time of its creation.
        created_at: Timestamp,
        /// The end of the token's life.
        expires_at: Timestamp,
        /// The time of the last use, to the minute; null before the first use.
        last_used_at: Option<Timestamp>,
        /// The time at which it was revoked.
        revoked_at: Option<Timestamp>,
    }
    /// An agent's tokens that have no id.
    #[derive(Debug, Serialize)]
    TokensWithoutId with nulls {
        /// The time of the last use of any of them, to the minute.
        last_used_at: Option<Timestamp>,
        /// The time of the last revocation. A token issued up to then is refused, and so is a token without `iat`, the
        /// time of its issue.
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
        /// Always true: the town has noted the sign of life.
        heard: bool,
    }
    /// `PUT …/images/:image_id`.
    #[derive(Debug, Serialize)]
    ImageView {
        /// The picture.
        image_id: ImageId,
        /// The media type, by the picture's bytes.
        media_type: String,
        /// The length of the picture.
        size_bytes: u64,
    }
    /// A page of the rig's own log.
    #[derive(Debug, Serialize)]
    RigEventsPage {
        /// Ascending by id.
        events: Vec<RigEvent>,
        /// The `after_id` of the next page.
        next_after_id: SourceId,
    }
    /// `POST …/stop`.
    #[derive(Debug, Serialize)]
    Stopped {
        /// Always true: the agent has stopped, or is about to.
        stopped: bool,
    }
    /// `POST …/message`.
    #[derive(Debug, Serialize)]
    Sent {
        /// Always true: the agent has the message.
        sent: bool,
    }
    /// `POST …/answer`.
    #[derive(Debug, Serialize)]
    Answered {
        /// Always true: the agent has the answer.
        answered: bool,
    }
    /// `POST …/stream-ticket`.
    #[derive(Debug, Serialize)]
    TicketView {
        /// The ticket, which opens one stream, once.
        ticket: String,
        /// A path that contains the ticket.
        url: String,
        /// The end of its life.
        expires_at: Timestamp,
    }
}

/// `/api/session`: the identity of the caller.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "principal", rename_all = "snake_case")]
pub enum SessionView {
    /// The operator, who may do everything.
    Operator {
        /// The browser's own session; absent where the key was shown.
        #[serde(skip_serializing_if = "Option::is_none")]
        session_id: Option<SessionId>,
    },
    /// An agent, which may post its own events and read them.
    Agent {
        /// The agent's town.
        town_id: TownId,
        /// The agent's rig.
        rig_id: RigId,
        /// The agent's id.
        agent_id: AgentId,
    },
}

words! {
    /// The sandbox between agents and their machine. Without one, agents ask before they do things.
    SandboxKind {
        /// No sandbox: an agent can do what the control server's user can do.
        None,
        /// One sandbox around the control server and all its runs.
        Image,
        /// A sandbox for each run, made by bubblewrap.
        Bubblewrap,
    }
    /// The status of a town's container.
    ContainerStatus {
        /// The control server answers.
        Running,
        /// The container is not started. The start of an agent starts it.
        Asleep,
        /// The control server should answer and does not.
        Unreachable,
    }
}

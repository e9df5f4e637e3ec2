//! The requests of people and programs over REST.

use std::marker::PhantomData;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
#[cfg(feature = "schema")]
use ts_rs::TS;

use crate::event::{Answer, PartAnswer, Role, StopSignal};
use crate::id::{AgentId, EventKey, EventName, RigId, RunId};
use crate::integer;
#[cfg(feature = "schema")]
use crate::limits::{
    BATCH_EVENTS_MAX, BUDGET_COST_USD_MAX, BUDGET_COST_USD_MIN, BUDGET_TOKENS_MAX, NAME_CHARS_MAX, PROMPT_BYTES_MAX,
    SECRET_ENV_MAX, TIMEOUT_SECONDS_MAX, TOKEN_TTL_SECONDS_MAX,
};
use crate::runtime::Runtime;
use crate::time::Timestamp;

/// A name for people: something to be seen, and no control characters.
#[cfg(feature = "schema")]
pub(super) const NAME_PATTERN: &str =
    r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";

/// An address or a branch that git cannot take for an option.
#[cfg(feature = "schema")]
const GIT_PATTERN: &str = r"^[^\-\u0000][^\u0000]*$";
/// The name of a variable that a process can have.
#[cfg(feature = "schema")]
const VARIABLE_PATTERN: &str = r"^[^=\u0000]+$";
/// Its value.
#[cfg(feature = "schema")]
const VALUE_PATTERN: &str = r"^[^\u0000]*$";

wire! {
    /// `POST /api/towns`.
    #[derive(Debug, Serialize, Deserialize)]
    TownRequest {
        /// The name for people.
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = NAME_CHARS_MAX), extend("pattern" = NAME_PATTERN)))]
        name: String,
    }
    /// `POST /api/towns/:town/rigs`.
    #[derive(Debug, Serialize, Deserialize)]
    RigRequest {
        /// The name for people.
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = NAME_CHARS_MAX), extend("pattern" = NAME_PATTERN)))]
        name: String,
        /// The repository's address.
        #[serde(default)] #[cfg_attr(feature = "schema", schemars(length(min = 1, max = NAME_CHARS_MAX), extend("pattern" = NAME_PATTERN)))]
        git_url: Option<String>,
        /// The branch that work starts from.
        #[serde(default)] #[cfg_attr(feature = "schema", schemars(length(min = 1, max = NAME_CHARS_MAX), extend("pattern" = NAME_PATTERN)))]
        default_branch: Option<String>,
    }
    /// `POST /api/rigs/:rig/agents`: an agent that runs elsewhere and posts its events.
    #[derive(Debug, Serialize, Deserialize)]
    AgentRequest {
        /// The agent's id, unique in the town; the town makes one where absent.
        #[serialize_always]
        agent_id: Option<AgentId>,
        /// The name for people.
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = NAME_CHARS_MAX), extend("pattern" = NAME_PATTERN)))]
        name: String,
        /// Its part in the town.
        role: Role,
    }
    /// `POST /api/rigs/:rig/agents/:agent/token`.
    #[derive(Debug, Deserialize)]
    TokenRequest {
        /// The life of the token: 1 to 86,400 seconds; 28,800 where absent.
        #[serde(default, deserialize_with = "integer::optional")]
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = TOKEN_TTL_SECONDS_MAX)))]
        ttl_seconds: Option<u64>,
    }
    /// `POST …/container/agents/start`, and what the town hands to the control server.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    StartAgent {
        /// The agent's id, unique in the town; the town makes one where absent.
        agent_id: Option<AgentId>,
        /// The working directory.
        rig_id: RigId,
        /// The name for people.
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = NAME_CHARS_MAX), extend("pattern" = NAME_PATTERN)))]
        name: String,
        /// Its part in the town.
        role: Role,
        /// The program that runs.
        runtime: Runtime,
        /// The prompt of the run.
        #[cfg_attr(feature = "schema", schemars(length(max = PROMPT_BYTES_MAX)))]
        prompt: Option<String>,
        /// The model, by the agent program's own name of it.
        model: Option<String>,
        /// Added to the agent's own system prompt.
        #[cfg_attr(feature = "schema", schemars(length(max = PROMPT_BYTES_MAX)))]
        system_prompt: Option<String>,
        /// The repository to clone.
        #[cfg_attr(feature = "schema", schemars(extend("pattern" = GIT_PATTERN)))]
        git_url: Option<String>,
        /// The branch to work on.
        #[cfg_attr(feature = "schema", schemars(extend("pattern" = GIT_PATTERN)))]
        branch: Option<String>,
        /// The branch that it is made from.
        #[cfg_attr(feature = "schema", schemars(extend("pattern" = GIT_PATTERN)))]
        default_branch: Option<String>,
        /// The agent's environment; never stored.
        #[cfg_attr(feature = "schema", schemars(extend(
            "propertyNames" = {"pattern": VARIABLE_PATTERN}, "additionalProperties" = {"type": "string", "pattern": VALUE_PATTERN},
        )))]
        env_vars: Option<std::collections::BTreeMap<String, String>>,
        /// Names of variables whose values are hidden wherever the agent prints them. A name stands in `env_vars`, or
        /// in `AGENT_ENV_*` without that prefix.
        #[cfg_attr(feature = "schema", schemars(length(max = SECRET_ENV_MAX), extend("items" = {"type": "string", "pattern": VARIABLE_PATTERN})))]
        secret_env: Option<Vec<String>>,
        /// For `process`: the program and its arguments.
        command: Option<Vec<String>>,
        /// For `replay`: a bundled recording's name.
        transcript: Option<String>,
        /// For `replay`: the speed. 1, the default, is the recorded speed; 0 prints everything at once.
        #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1_000)))]
        speed: Option<f64>,
        /// The time limit of the run; 1,800 where absent.
        #[serde(default, deserialize_with = "integer::optional")]
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = TIMEOUT_SECONDS_MAX)))]
        timeout_seconds: Option<u64>,
        /// The budget of the run in US dollars: a warning comes at 80 %, and the run is stopped at 100 %.
        #[cfg_attr(feature = "schema", schemars(range(min = BUDGET_COST_USD_MIN, max = BUDGET_COST_USD_MAX)))]
        max_cost_usd: Option<f64>,
        /// The budget of the run in tokens: read, written and of the cache, together.
        #[serde(default, deserialize_with = "integer::optional")]
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = BUDGET_TOKENS_MAX)))]
        max_tokens: Option<u64>,
    }
    /// `POST …/container/agents/:agent/stop`.
    #[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
    StopAgent {
        /// SIGTERM where absent.
        signal: Option<StopSignal>,
    }
    /// `POST …/container/agents/:agent/message`.
    #[derive(Debug, Serialize, Deserialize)]
    MessageAgent {
        /// The message for the agent.
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = PROMPT_BYTES_MAX), extend("pattern" = r"\S")))]
        prompt: String,
    }
    /// `POST /api/towns/:town/agents/:agent/answer`.
    #[derive(Debug, Serialize, Deserialize)]
    AnswerAgent {
        /// The question, by the `request_id` of its `agent_question`.
        #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
        request_id: String,
        /// The answer.
        answer: Answer,
        /// Words for the agent: the reason of a refusal or, for a question of one part, the answer itself.
        text: Option<String>,
        /// The answer to a question for input: an entry for each of its parts, in their order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] #[cfg_attr(feature = "schema", ts(optional, as = "Option<Vec<PartAnswer>>"))]
        answers: Vec<PartAnswer>,
    }
}

/// A value that must be written as a JSON object. The reader that serde derives also takes a list of the fields' values
/// without their names, `["a", 1]` for example, which would be a mistake here.
#[derive(Debug)]
pub struct FromObject<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for FromObject<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

/// The rule that the fields alone cannot express: `key` or `code`, and never both.
#[cfg(feature = "schema")]
fn key_or_code() -> serde_json::Value {
    let only = |one: &str, other: &str| serde_json::json!({"required": [one], "properties": {one: {"type": "string"}, other: {"type": "null"}}});
    serde_json::json!([only("key", "code"), only("code", "key")])
}

/// `POST /api/session`: one of the two.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(TS, JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("oneOf" = key_or_code())))]
pub struct SessionRequest {
    /// The operator's key.
    #[serde(default)]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub key: Option<String>,
    /// The code of a link.
    #[serde(default)]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub code: Option<String>,
}

/// The rule that the fields alone cannot express: a batch, with the fields of a single event absent or null, or a
/// single event without a batch.
#[cfg(feature = "schema")]
fn one_or_batch() -> serde_json::Value {
    let mut batch = serde_json::json!({"events": {"type": "array"}});
    for field in ["event_type", "data", "at", "event_id", "run_id"] {
        batch[field] = serde_json::json!({"type": "null"});
    }
    serde_json::json!([
        {"required": ["events"], "properties": batch},
        {"required": ["event_type"], "properties": {"event_type": {"type": "string"}, "events": {"type": "null"}}},
    ])
}

/// `POST /api/rigs/:rig/agent-events`: one event, or a batch in `events`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(TS, JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("oneOf" = one_or_batch())))]
pub struct PostEvents {
    /// The agent of the events.
    pub agent_id: AgentId,
    /// The batch; then the fields of a single event are not allowed beside it.
    #[serde(default)]
    #[cfg_attr(feature = "schema", ts(optional, as = "Option<Vec<PostEvent>>"))]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<PostEvent>>", length(min = 1, max = BATCH_EVENTS_MAX)))]
    pub events: Option<Vec<FromObject<PostEvent>>>,
    /// The single event's name.
    #[serde(default)]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub event_type: Option<EventName>,
    /// Any JSON value; null where absent.
    #[serde(default)]
    #[cfg_attr(feature = "schema", ts(optional, type = "unknown"))]
    pub data: Option<Box<RawValue>>,
    /// The time of the event; now where absent.
    #[serde(default)]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub at: Option<Timestamp>,
    /// The poster's id of the event, by which a repeat is recognised.
    #[serde(default)]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub event_id: Option<EventKey>,
    /// The run; the agent's open one where absent.
    #[serde(default)]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub run_id: Option<RunId>,
}

/// One event of a posted batch.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(TS, JsonSchema))]
pub struct PostEvent {
    /// The name of the event.
    pub event_type: EventName,
    /// Any JSON value; null where absent.
    #[serde(default)]
    #[cfg_attr(feature = "schema", ts(optional, type = "unknown"))]
    pub data: Option<Box<RawValue>>,
    /// The time of the event; now where absent.
    #[serde(default)]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub at: Option<Timestamp>,
    /// The poster's id of the event, by which a repeat is recognised.
    #[serde(default)]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub event_id: Option<EventKey>,
    /// The run; the agent's open one where absent.
    #[serde(default)]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub run_id: Option<RunId>,
}

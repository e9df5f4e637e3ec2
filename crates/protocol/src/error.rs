//! Failures as the caller sees them: one closed list of codes, each with its HTTP status.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::event::{Answer, ExitReason};

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $status:literal $text:literal;)*) => {
        /// The codes of the wire contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])* $name,)* }

        impl Code {
            /// All codes, for tables and tests.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The HTTP status of the code.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The name of the code on the wire.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The meaning of the code, for documents.
            #[cfg(feature = "schema")]
            pub fn what(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),*).trim(),)* }
            }
        }
    };
}

codes! {
    /// The request is not as the contract says; the message names the field.
    InvalidRequest = 400 "invalid_request";
    /// The credential is missing or wrong.
    Unauthorized = 401 "unauthorized";
    /// The agent's token is past its time.
    TokenExpired = 401 "token_expired";
    /// The agent's token was revoked.
    TokenRevoked = 401 "token_revoked";
    /// The ticket was used, has expired, is for another stream, or is no ticket.
    TicketInvalid = 401 "ticket_invalid";
    /// The credential is valid, but gives no right to this.
    Forbidden = 403 "forbidden";
    /// The page that asked has an origin that is not allowed.
    OriginNotAllowed = 403 "origin_not_allowed";
    /// The resource does not exist, or is not the caller's.
    NotFound = 404 "not_found";
    /// The route exists, with other methods.
    MethodNotAllowed = 405 "method_not_allowed";
    /// The body did not arrive in time.
    RequestTimeout = 408 "request_timeout";
    /// The request conflicts with the present state.
    Conflict = 409 "conflict";
    /// The agent has an open run.
    AlreadyRunning = 409 "already_running";
    /// The agent's or the town's budget of the day is used up.
    BudgetExceeded = 409 "budget_exceeded";
    /// The run of the post is over: stopped by the operator or a budget, or lost.
    RunEnded = 409 "run_ended";
    /// Agents of this kind cannot do this.
    NotSupportedByRuntime = 409 "not_supported_by_runtime";
    /// A body, event or batch over its bound.
    TooLarge = 413 "too_large";
    /// The body is not of a content type that the route takes.
    UnsupportedMediaType = 415 "unsupported_media_type";
    /// The route only speaks WebSocket.
    UpgradeRequired = 426 "upgrade_required";
    /// A bound on a number or a rate is reached.
    RateLimited = 429 "rate_limited";
    /// The town has as many viewers as it can serve.
    TooManyViewers = 429 "too_many_viewers";
    /// A fault of ours; the detail is in the log only.
    Internal = 500 "internal";
    /// The control server answered with an error.
    ContainerError = 502 "container_error";
    /// A setting is missing, a sample, or bad; the message names it.
    NotConfigured = 503 "not_configured";
    /// The control server cannot be reached.
    ContainerUnavailable = 503 "container_unavailable";
    /// The town does not take the rig's events at present.
    TownUnavailable = 503 "town_unavailable";
    /// The tables were made by a newer build than the one that runs.
    OlderBuild = 503 "older_build";
    /// Streams are switched off.
    StreamingDisabled = 503 "streaming_disabled";
    /// The control server did not answer in time.
    ContainerTimeout = 504 "container_timeout";
    /// The store has no room for more.
    StoreFull = 507 "store_full";
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Code {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Self::ALL.iter().map(|code| code.name()).collect();
        schemars::json_schema!({"type": "string", "enum": names, "description": "Which failure it is, for programs."})
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A failure as the caller sees it: `{"code","message","details"?}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Error {
    /// The code, one of the closed list.
    pub code: Code,
    /// The message for a person: what happened and what to do.
    pub message: String,
    /// The fields for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
    /// The seconds after which a new try may succeed, for the header `Retry-After`. `None`: the code alone decides.
    #[serde(skip)]
    pub retry_after_s: Option<u64>,
}

/// The fields of a failure that a program may want to read.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Details {
    /// The field of the request that is wrong, as a dotted path.
    pub field: Option<String>,
    /// The answer that the question got before, where it is no longer open.
    pub answer: Option<Answer>,
    /// The person or program that answered the question.
    pub by: Option<String>,
    /// The reason of the run's end, where the request was for a run that is over.
    pub reason: Option<ExitReason>,
}

/// The result of a fallible function of this system.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure without details.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: None, retry_after_s: None }
    }

    /// 400, naming the field.
    pub fn invalid(field: &str, problem: impl std::fmt::Display) -> Self {
        Self::in_field(Code::InvalidRequest, field, problem)
    }

    /// 413, naming the field.
    pub fn too_large(field: &str, problem: impl std::fmt::Display) -> Self {
        Self::in_field(Code::TooLarge, field, problem)
    }

    /// 409 for a question that somebody else answered first.
    pub fn answered(request_id: &str, answer: Answer, by: &str) -> Self {
        let how = match answer {
            Answer::Once => "yes",
            Answer::Always => "yes, from now on",
            Answer::Reject => "no",
        };
        Self {
            details: Some(Details { answer: Some(answer), by: Some(by.to_owned()), ..Details::default() }),
            ..Self::new(Code::Conflict, format!("question {request_id} was answered already: {by} said {how}"))
        }
    }

    fn in_field(code: Code, field: &str, problem: impl std::fmt::Display) -> Self {
        let details = Some(Details { field: Some(field.to_owned()), ..Details::default() });
        Self { details, ..Self::new(code, format!("{field}: {problem}")) }
    }

    /// 404 for a thing by its kind: "no such town".
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("no such {what}"))
    }

    /// 500. `inside` goes to the log and never to the caller.
    pub fn internal(inside: impl std::fmt::Display) -> Self {
        Self::new(Code::Internal, inside.to_string())
    }

    /// The failure of a full store, if `words` are the message of SQLite, or of the runtime, for a write that finds no
    /// room. `None` for every other message.
    pub fn of_full_store(words: &str) -> Option<Self> {
        let message = "the store is full, and nothing of this was kept; delete agents that are done, which makes room, and try again";
        let is_full = ["SQLITE_FULL", "database or disk is full"].iter().any(|sign| words.contains(sign));
        is_full.then(|| Self::new(Code::StoreFull, message))
    }

    /// The body of the answer: the envelope of a failure. The message of an internal failure is left out.
    pub fn to_body(&self) -> String {
        let shown = match self.code {
            Code::Internal => &Self::new(Code::Internal, "something went wrong on our side; it is in the log"),
            _ => self,
        };
        serde_json::json!({"success": false, "error": shown}).to_string()
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}

impl std::error::Error for Error {}

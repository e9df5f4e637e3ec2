//! The settings of an installation: variables with their defaults and ranges, and the secrets.
//!
//! A bad value is never replaced by the default in silence: every route but `/health` answers 503 `not_configured`
//! and names the variable.

use std::rc::Rc;

use townwatch_protocol::control_key::SigningKey;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::limits::{EVENTS_PER_AGENT_MAX, RIG_STORE_MIB_DEFAULT, STORE_MIB_MAX, TOWN_STORE_MIB_DEFAULT};
use townwatch_protocol::wire::SettingsView;

/// A secret has at least this many characters; `npm run dev` writes 43 (256 bits).
pub const SECRET_CHARS_MIN: usize = 16;

/// A variable as documents name it.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The name of the environment variable.
    pub name: &'static str,
    /// The purpose of the setting.
    pub meaning: &'static str,
    /// The kind of value.
    pub kind: SettingKind,
}

/// The kind of a setting's value.
#[derive(Debug, Clone, Copy)]
pub enum SettingKind {
    /// An integer of a range.
    Number {
        /// The value where none is set.
        default: u64,
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
    },
    /// `true` or `false`.
    Switch {
        /// The value where none is set.
        default: bool,
    },
    /// `scheme://host[:port]`, or nothing.
    Origin,
    /// Several of these, with commas between.
    Origins,
}

impl SettingKind {
    const fn number(default: u64, min: u64, max: u64) -> Self {
        Self::Number { default, min, max }
    }

    const fn switch(default: bool) -> Self {
        Self::Switch { default }
    }

    const fn origin() -> Self {
        Self::Origin
    }

    const fn origins() -> Self {
        Self::Origins
    }
}

/// Makes the one table of the variables into the struct, its reader and the rows that documents are made of.
macro_rules! settings {
    ($(#[doc = $meaning:literal] $field:ident: $type:ty = $name:literal, $kind:ident($($bound:expr),*);)+) => {
        /// The variables.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Settings {
            $(#[doc = concat!("`", $name, "`:", $meaning)] pub $field: $type,)+
        }

        impl Settings {
            /// All settings, in the order of the documents.
            pub const TABLE: &'static [Setting] =
                &[$(Setting { name: $name, meaning: $meaning, kind: SettingKind::$kind($($bound),*) },)+];

            /// Reads the variables from whatever holds them. An empty one counts as absent.
            pub fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
                Ok(Self { $($field: $kind(lookup, $name, $($bound),*)?,)+ })
            }
        }
    };
}

settings! {
    /// how long the relay waits for a control server that knows nothing new
    poll_interval_ms: u64 = "POLL_INTERVAL_MS", number(500, 10, 20_000);
    /// how often the relay runs while nobody watches
    drain_interval_seconds: u64 = "DRAIN_INTERVAL_SECONDS", number(15, 1, 240);
    /// whether the container is asked while somebody watches, though no run was started from here
    relay_while_watched: bool = "RELAY_WHILE_WATCHED", switch(false);
    /// after so long without a word a run that is posted is lost
    posted_lost_seconds: u64 = "POSTED_LOST_SECONDS", number(86_400, 1, 2_592_000);
    /// whether secrets that are known by their format are hidden in what agents post
    redact_posts: bool = "REDACT_POSTS", switch(true);
    /// events kept per agent
    event_cap: u64 = "EVENT_CAP", number(EVENTS_PER_AGENT_MAX, 1, 100_000);
    /// what a town's tables may take before the agents that take most lose their oldest
    town_store_mib: u64 = "TOWN_STORE_MIB", number(TOWN_STORE_MIB_DEFAULT, 1, STORE_MIB_MAX);
    /// the same of a rig's
    rig_store_mib: u64 = "RIG_STORE_MIB", number(RIG_STORE_MIB_DEFAULT, 1, STORE_MIB_MAX);
    /// whether streams are served at all; without them their routes answer 503 `streaming_disabled`
    stream_enabled: bool = "STREAM_ENABLED", switch(true);
    /// frames a second to viewers with equal selections
    stream_rate_limit: u64 = "STREAM_RATE_LIMIT", number(50, 1, 1_000);
    /// how long a frame waits at most
    stream_batch_ms: u64 = "STREAM_BATCH_MS", number(100, 0, 10_000);
    /// events that an acknowledging viewer may owe
    stream_window_events: u64 = "STREAM_WINDOW_EVENTS", number(1_000, 1, 100_000);
    /// how long a ticket lives
    ticket_ttl_seconds: u64 = "TICKET_TTL_SECONDS", number(60, 1, 3_600);
    /// a control server outside the container binding, which has no path
    container_url: Option<String> = "CONTAINER_URL", origin();
    /// how long a container without agents lives on
    container_idle_seconds: u64 = "CONTAINER_IDLE_SECONDS", number(600, 1, 86_400);
    /// other sites whose pages may watch
    allowed_origins: Vec<String> = "ALLOWED_ORIGINS", origins();
}

/// The secrets. They are never shown: not in messages, not in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    /// `TOWNWATCH_API_KEY`: the operator's.
    pub api_key: String,
    /// `TOWNWATCH_JWT_SECRET`: signs agents' tokens, and half of what signs sessions.
    pub jwt_secret: String,
    /// `TOWNWATCH_JWT_SECRET_PREVIOUS`: what it was until it was changed. What that signed is still good; it signs nothing.
    pub jwt_secret_previous: Option<String>,
    /// The right to use the control server at `CONTAINER_URL`, where there is one.
    pub control: Option<ControlRight>,
}

/// The right to use a control server that a town has not started itself.
#[derive(Clone, PartialEq, Eq)]
pub enum ControlRight {
    /// `CONTROL_KEY`: each call is signed.
    Key(Rc<SigningKey>),
    /// `CONTAINER_TOKEN`: a container of another make is shown this token.
    Token(String),
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Settings {
    /// The settings that clients may know.
    pub fn view(&self) -> SettingsView {
        SettingsView {
            stream_enabled: self.stream_enabled,
            stream_rate_limit: self.stream_rate_limit,
            stream_batch_ms: self.stream_batch_ms,
            stream_window_events: self.stream_window_events,
            event_cap: self.event_cap,
            ticket_ttl_seconds: self.ticket_ttl_seconds,
        }
    }

    /// The time between two shared frames: by the rate, but at most the batch time.
    pub fn frame_interval_ms(&self) -> u64 {
        1_000_u64.div_ceil(self.stream_rate_limit).min(self.stream_batch_ms)
    }
}

impl Secrets {
    /// Reads the secrets. `CONTROL_KEY`, or `CONTAINER_TOKEN` in its place, is asked for only where there is a control
    /// server at a URL: for a container of its own each town has a key of its own.
    pub fn read(lookup: &dyn Fn(&str) -> Option<String>, has_container_url: bool) -> Result<Self> {
        let jwt_secret = secret(lookup, "TOWNWATCH_JWT_SECRET")?;
        Ok(Self {
            api_key: secret(lookup, "TOWNWATCH_API_KEY")?,
            jwt_secret_previous: previous(lookup, &jwt_secret)?,
            jwt_secret,
            control: has_container_url.then(|| control_right(lookup)).transpose()?,
        })
    }

    /// The secrets that may have signed a token or a cookie; the one that signs today comes first.
    pub fn jwt_secrets(&self) -> impl Iterator<Item = &str> {
        [&self.jwt_secret].into_iter().chain(&self.jwt_secret_previous).map(String::as_str)
    }
}

/// The secret that is on its way out, where there is one.
fn previous(lookup: &dyn Fn(&str) -> Option<String>, jwt_secret: &str) -> Result<Option<String>> {
    const NAME: &str = "TOWNWATCH_JWT_SECRET_PREVIOUS";
    let Some(value) = given(lookup, NAME) else { return Ok(None) };
    let problem = match secret_problem(&value) {
        None if value == jwt_secret => "is the same as TOWNWATCH_JWT_SECRET".to_owned(),
        None => return Ok(Some(value)),
        Some(problem) => problem,
    };
    let remedy = "set it to what TOWNWATCH_JWT_SECRET was until it was changed, or delete it with `npx wrangler secret \
                  delete TOWNWATCH_JWT_SECRET_PREVIOUS`";
    Err(not_configured(NAME, format!("{problem}; {remedy}")))
}

/// The key beats the token: a control server that is ours knows no token.
fn control_right(lookup: &dyn Fn(&str) -> Option<String>) -> Result<ControlRight> {
    const NAME: &str = "CONTROL_KEY";
    let remedy = "make a pair with `npm run key`, set this half with `npx wrangler secret put CONTROL_KEY` and give the \
                  control server the other one as CONTROL_PUBLIC_KEY";
    match given(lookup, NAME) {
        Some(text) => SigningKey::parse(&text)
            .map(|key| ControlRight::Key(Rc::new(key)))
            .ok_or_else(|| not_configured(NAME, format!("expected 64 hexadecimal digits; {remedy}"))),
        None if given(lookup, "CONTAINER_TOKEN").is_some() => {
            secret(lookup, "CONTAINER_TOKEN").map(ControlRight::Token)
        }
        None => Err(not_configured(
            NAME,
            format!("is not set; {remedy}; for a container of another make set CONTAINER_TOKEN instead"),
        )),
    }
}

fn not_configured(name: &str, problem: impl std::fmt::Display) -> Error {
    Error::new(Code::NotConfigured, format!("{name}: {problem}"))
}

fn given(lookup: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn number(lookup: &dyn Fn(&str) -> Option<String>, name: &str, default: u64, min: u64, max: u64) -> Result<u64> {
    let Some(text) = given(lookup, name) else { return Ok(default) };
    match text.parse() {
        Ok(value) if (min..=max).contains(&value) => Ok(value),
        _ => Err(not_configured(
            name,
            format!("expected an integer from {min} to {max} (default {default}), not {text:?}"),
        )),
    }
}

fn switch(lookup: &dyn Fn(&str) -> Option<String>, name: &str, default: bool) -> Result<bool> {
    match given(lookup, name).as_deref() {
        None => Ok(default),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(text) => Err(not_configured(name, format!("expected true or false (default {default}), not {text:?}"))),
    }
}

fn origin(lookup: &dyn Fn(&str) -> Option<String>, name: &str) -> Result<Option<String>> {
    let Some(text) = given(lookup, name) else { return Ok(None) };
    let url = text.trim_end_matches('/');
    if is_origin(url) {
        return Ok(Some(url.to_owned()));
    }
    Err(not_configured(name, format!("expected http(s)://host[:port] without a path, not {text:?}")))
}

fn origins(lookup: &dyn Fn(&str) -> Option<String>, name: &str) -> Result<Vec<String>> {
    let text = given(lookup, name).unwrap_or_default();
    let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let origin = word.trim_end_matches('/').to_ascii_lowercase();
            if is_origin(&origin) {
                return Ok(origin);
            }
            Err(not_configured(
                name,
                format!("expected scheme://host[:port], several with commas between, not {word:?}"),
            ))
        })
        .collect()
}

/// Whether it is an http(s) origin: no user, no path, no query.
fn is_origin(url: &str) -> bool {
    let Some(authority) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else { return false };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let named = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    let numbered = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
    (named || numbered) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Words that only stand in samples, once everything but letters and digits is taken out. Hexadecimal digits spell
/// none of them; in 43 random base64 characters the shortest stands with a chance of 1 in 10^9.
const SAMPLE_WORDS: &[&str] = &[
    "changeme",
    "yourkeyhere",
    "yourapikey",
    "yoursecret",
    "yourtoken",
    "yourjwt",
    "placeholder",
    "replaceme",
    "replacewith",
    "samplekey",
    "samplesecret",
    "examplekey",
    "examplesecret",
    "insertyour",
    "password",
];

fn secret(lookup: &dyn Fn(&str) -> Option<String>, name: &str) -> Result<String> {
    let remedy = format!("set it with `npx wrangler secret put {name}` to a random value, `openssl rand -hex 32` say");
    let refuse = |problem: &str| not_configured(name, format!("{problem}; {remedy}"));
    let value = given(lookup, name).ok_or_else(|| refuse("is not set"))?;
    match secret_problem(&value) {
        Some(problem) => Err(refuse(&problem)),
        None => Ok(value),
    }
}

/// The problem with a secret; the Worker and the control server make the same check.
pub fn secret_problem(value: &str) -> Option<String> {
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("holds a character that a header cannot carry".to_owned());
    }
    if is_sample(value) {
        return Some("is a sample value".to_owned());
    }
    (value.len() < SECRET_CHARS_MIN).then(|| format!("is shorter than {SECRET_CHARS_MIN} characters"))
}

fn is_sample(value: &str) -> bool {
    let plain: String = value.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let distinct = value.bytes().collect::<std::collections::BTreeSet<_>>().len();
    matches!(plain.as_str(), "" | "secret" | "test" | "example" | "token" | "key" | "dev" | "development" | "default")
        || SAMPLE_WORDS.iter().any(|word| plain.contains(word))
        || (value.len() >= SECRET_CHARS_MIN && distinct < 5)
}

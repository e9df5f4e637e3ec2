//! Inputs that the core must not make itself: the time and random numbers.
#![allow(clippy::disallowed_methods)] // the one place that makes what the core must be handed

use townwatch_protocol::hexadecimal;
use townwatch_protocol::id::{AgentId, Epoch, RigId, RunId, SessionId, TokenId, TownId};
use townwatch_protocol::signed_call::Nonce;
use townwatch_protocol::time::Timestamp;

/// The time. The Workers runtime changes it only at an await.
pub fn now() -> Timestamp {
    #[allow(clippy::cast_possible_truncation)] // milliseconds since 1970 as an f64 are an integer below 2^53
    Timestamp::from_millis(js_sys::Date::now() as i64)
}

/// A ticket, the right to one stream: 256 random bits in hexadecimal.
pub fn ticket() -> String {
    hexadecimal::of(random::<32>())
}

/// A token to resume an event stream: 128 random bits in hexadecimal. It is short because it stands in each event of
/// the stream.
pub fn resume_token() -> String {
    hexadecimal::of(random::<16>())
}

/// A code that signs one browser in, once: 128 random bits in hexadecimal.
pub fn sign_in_code() -> String {
    hexadecimal::of(random::<16>())
}

/// The random number that makes a signed call unique.
pub fn nonce() -> Nonce {
    random()
}

/// The random seed of a new signing key.
pub fn key_seed() -> [u8; 32] {
    random()
}

/// A `UUIDv7`: such ids sort by the time of their making.
fn uuid() -> String {
    let millis = u64::try_from(now().millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random()).into_uuid().hyphenated().to_string()
}

macro_rules! fresh {
    ($($(#[$doc:meta])* $function:ident: $id:ident,)*) => {$(
        $(#[$doc])*
        #[allow(clippy::expect_used)] // 36 hexadecimal digits and hyphens are within every id's alphabet
        pub fn $function() -> $id {
            $id::parse(&uuid()).expect("a UUID is an id")
        }
    )*};
}

fresh! {
    /// An id for a new town.
    town_id: TownId,
    /// An id for a new rig.
    rig_id: RigId,
    /// An id for a new agent.
    agent_id: AgentId,
    /// An id for a new run.
    run_id: RunId,
    /// An id for the session of a browser.
    session_id: SessionId,
    /// An id for a token of an agent.
    token_id: TokenId,
    /// The epoch of a new log.
    epoch: Epoch,
}

#[allow(clippy::expect_used)] // it fails only outside of a request, at a script's top level, where none of this is called
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the runtime gives random bytes within a request");
    bytes
}

//! What the core must not make itself: the time and everything random.
#![allow(clippy::disallowed_methods)] // the one place that makes what the core must be handed

use townwatch_protocol::hexadecimal;
use townwatch_protocol::id::{AgentId, Epoch, RigId, RunId, SessionId, TokenId, TownId};
use townwatch_protocol::signed_call::Nonce;
use townwatch_protocol::time::Timestamp;

/// The time. In the Workers runtime it stands still between two awaits.
pub fn now() -> Timestamp {
    #[allow(clippy::cast_possible_truncation)] // milliseconds since 1970 as an f64 are an integer below 2^53
    Timestamp::from_millis(js_sys::Date::now() as i64)
}

/// The right to one stream: 256 random bits in hexadecimal.
pub fn ticket() -> String {
    hexadecimal::of(random::<32>())
}

/// The right to go on with one: 128 random bits in hexadecimal, since it stands beside each of its events.
pub fn resume_token() -> String {
    hexadecimal::of(random::<16>())
}

/// What signs a browser in once: 128 random bits in hexadecimal.
pub fn sign_in_code() -> String {
    hexadecimal::of(random::<16>())
}

/// What makes a signed call another one than each before it.
pub fn nonce() -> Nonce {
    random()
}

/// What a new signing key is made of.
pub fn key_seed() -> [u8; 32] {
    random()
}

/// A `UUIDv7`: ids sort by the time that they were made at.
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
    /// Names a new town.
    town_id: TownId,
    /// Names a new rig.
    rig_id: RigId,
    /// Names a new agent.
    agent_id: AgentId,
    /// Names a new run.
    run_id: RunId,
    /// Names a browser that signs in.
    session_id: SessionId,
    /// Names a token of an agent.
    token_id: TokenId,
    /// Names a new life of a log.
    epoch: Epoch,
}

#[allow(clippy::expect_used)] // it fails only outside of a request, at a script's top level, where none of this is called
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the runtime gives random bytes within a request");
    bytes
}

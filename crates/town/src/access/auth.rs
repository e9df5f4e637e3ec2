//! Authentication: the caller of a request and the caller's rights, by the operator's key, an agent's token, the
//! dashboard's cookie or a ticket.
//!
//! Invariants: a secret is compared in constant time; the only algorithm of a token is HS256; a cookie and an agent's
//! token are signed with different keys, so neither is ever taken for the other.

use chrono::{DateTime, Duration, Utc};
use hmac::{Hmac, Mac};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, TimeOptions, Token, UntrustedToken, ValidationError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use townwatch_protocol::agent_right::{AgentRight, ShownToken};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{AgentId, RigId, SessionId, TokenId, TownId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::SessionRequest;

use crate::access::cookie;
use crate::route::Route;
use crate::settings::Secrets;

/// A credential longer than this is none of ours, 4 KiB: an agent's token has at most 500 bytes.
const CREDENTIAL_BYTES_MAX: usize = 4 << 10;

/// The caller, as one who has rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// May do everything in the account's towns.
    Operator,
    /// May post events as itself and read its own.
    Agent(AgentRight),
}

/// The way by which a right was shown. A browser adds a cookie by itself, so a cookie needs an origin beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// The `Authorization` header.
    Bearer,
    /// The dashboard's cookie.
    Cookie,
    /// A ticket in a stream's query.
    Ticket,
}

/// A principal with the way it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The principal.
    pub principal: Principal,
    /// The way by which the right was shown.
    pub credential: CredentialKind,
    /// The end of the right; `None` for the operator's key.
    pub ends_at: Option<Timestamp>,
    /// The session that a cookie names. Whether it was ended, only the account knows.
    pub session_id: Option<SessionId>,
}

/// The credentials of a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `Cookie`.
    pub cookie: Option<&'a str>,
    /// The origin that it was sent to, which says how our cookie is called.
    pub origin: &'a str,
}

/// The credential that opens a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamCredential {
    /// The operator's header or cookie.
    Operator(CredentialKind),
    /// A ticket, not looked at yet: only the town knows it.
    Ticket(String),
}

impl StreamCredential {
    /// The way by which the right was shown.
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::Operator(credential) => *credential,
            Self::Ticket(_) => CredentialKind::Ticket,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[allow(clippy::struct_field_names)] // the claims' names on the wire
struct AgentClaims {
    town_id: TownId,
    rig_id: RigId,
    agent_id: AgentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jti: Option<TokenId>,
}

#[derive(Serialize, Deserialize)]
struct SessionClaims {
    session_id: SessionId,
}

/// Finds out who asks from the `Authorization` and `Cookie` headers.
///
/// A wrong bearer is refused (401 `unauthorized`, or `token_expired`). A wrong or old cookie counts as none: a browser
/// sends it along unasked, also where a ticket is what counts. No credential at all is `None`. That a session was not ended
/// is not told by its cookie: the Worker asks the account.
pub fn authenticate(shown: Credentials<'_>, now: Timestamp, secrets: &Secrets) -> Result<Option<Caller>> {
    if let Some(header) = shown.authorization {
        let (principal, ends_at) = bearer(header, now, secrets)?;
        return Ok(Some(Caller { principal, credential: CredentialKind::Bearer, ends_at, session_id: None }));
    }
    let name = cookie::name_at(shown.origin);
    let mut sessions = shown.cookie.into_iter().flat_map(|header| cookie::values(header, &name));
    let session = sessions.find_map(|token| session_of(token, now, secrets));
    Ok(session.map(|(session_id, ends_at)| Caller {
        principal: Principal::Operator,
        credential: CredentialKind::Cookie,
        ends_at: Some(ends_at),
        session_id: Some(session_id),
    }))
}

/// The caller, or 401 where there is none.
pub fn require(caller: Option<Caller>) -> Result<Caller> {
    caller.ok_or_else(|| {
        Error::new(
            Code::Unauthorized,
            "no credential: send `Authorization: Bearer` with TOWNWATCH_API_KEY or an agent's token, or sign in",
        )
    })
}

/// Checks whether the principal may use a route. The operator may use every route. An agent may post events to its
/// rig, and its own pictures and heartbeats, and may read its own events.
///
/// Two facts are checked elsewhere ([`AgentRight::check`]): the agent for which it posts, because the body names it;
/// and the rig's town, because only the rig knows it. The refusal is the same whether the thing asked for exists or
/// not, so it reveals nothing.
pub fn check_right(principal: &Principal, route: &Route) -> Result<()> {
    let Principal::Agent(AgentRight { rig_id, agent_id, .. }) = principal else { return Ok(()) };
    match route {
        Route::PostEvents(rig) if rig == rig_id => Ok(()),
        Route::HearAgent(rig, agent) | Route::ReadRigEvents(rig, agent) | Route::PutImage(rig, agent, _)
            if rig == rig_id && agent == agent_id =>
        {
            Ok(())
        }
        _ => Err(Error::new(
            Code::Forbidden,
            "an agent's token only posts events and pictures as that agent, to its rig, and reads its events",
        )),
    }
}

/// Checks whether the kind of the credential is enough for a route. A code that signs a browser in needs the
/// operator's key: a session that could make codes could renew itself for ever.
pub fn check_credential(credential: CredentialKind, route: &Route) -> Result<()> {
    if *route == Route::MakeCode && credential != CredentialKind::Bearer {
        let message = "a code that signs a browser in is made with the key: send `Authorization: Bearer`";
        return Err(Error::new(Code::Forbidden, message));
    }
    Ok(())
}

/// The proof of a browser that signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The operator's key.
    Key(String),
    /// The code of a link.
    Code(String),
}

/// Reads what a browser shows: one of the two.
pub fn proof(request: SessionRequest) -> Result<Proof> {
    match request {
        SessionRequest { key: Some(key), code: None } => Ok(Proof::Key(key)),
        SessionRequest { key: None, code: Some(code) } => Ok(Proof::Code(code)),
        _ => Err(Error::invalid("key", "expected TOWNWATCH_API_KEY, or in its place `code`: that of a link")),
    }
}

/// Whether `given` is the operator's key.
pub fn is_operator_key(given: &str, secrets: &Secrets) -> bool {
    same(&secrets.api_key, given)
}

/// The credential that opens a stream: the ticket, if one is given; else the operator's header or cookie. The Worker
/// checks it before it forwards the request, and the town before it opens the stream.
pub fn stream_credential(caller: Option<&Caller>, ticket: Option<&str>) -> Result<StreamCredential> {
    match (ticket, caller) {
        (Some(ticket), _) => Ok(StreamCredential::Ticket(ticket.to_owned())),
        (None, Some(Caller { principal: Principal::Operator, credential, .. })) => {
            Ok(StreamCredential::Operator(*credential))
        }
        (None, Some(_)) => {
            Err(Error::new(Code::Forbidden, "an agent's token opens no stream: ask the operator for a ticket"))
        }
        (None, None) => Err(Error::new(
            Code::Unauthorized,
            "a stream needs a ticket (POST …/stream-ticket), or the operator's header or cookie",
        )),
    }
}

/// The end of a token made now: the last whole second within its time, since that is what a token can say.
pub fn token_end(now: Timestamp, ttl_seconds: u64) -> Timestamp {
    let seconds = (now.millis() / 1_000).saturating_add(i64::try_from(ttl_seconds).unwrap_or(i64::MAX / 2_000));
    Timestamp::from_millis(seconds.saturating_mul(1_000))
}

/// Makes an agent's token that has this id. `expires_at` counts in whole seconds.
pub fn mint_agent_token(
    town_id: TownId,
    rig_id: RigId,
    agent_id: AgentId,
    token_id: TokenId,
    expires_at: Timestamp,
    secrets: &Secrets,
) -> Result<String> {
    let claims = AgentClaims { town_id, rig_id, agent_id, jti: Some(token_id) };
    sign(claims, expires_at, &agent_key(&secrets.jwt_secret))
}

/// Makes the value of the dashboard's cookie. `ends_at` counts in whole seconds.
pub fn mint_session(session_id: SessionId, ends_at: Timestamp, secrets: &Secrets) -> Result<String> {
    sign(SessionClaims { session_id }, ends_at, &session_key(&secrets.jwt_secret, secrets))
}

fn bearer(header: &str, now: Timestamp, secrets: &Secrets) -> Result<(Principal, Option<Timestamp>)> {
    let wrong =
        || Error::new(Code::Unauthorized, "the credential is wrong: neither TOWNWATCH_API_KEY nor an agent's token");
    let (scheme, credential) = header.split_once(' ').ok_or_else(wrong)?;
    let credential = credential.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || credential.len() > CREDENTIAL_BYTES_MAX {
        return Err(wrong());
    }
    if is_operator_key(credential, secrets) {
        return Ok((Principal::Operator, None));
    }
    match verify::<AgentClaims>(credential, now, secrets.jwt_secrets().map(agent_key)) {
        Ok((claims, end)) => Ok((Principal::Agent(right_of(claims)), Some(end))),
        Err(TokenFault::Expired) => {
            Err(Error::new(Code::TokenExpired, "the agent's token has expired: have a new one made"))
        }
        Err(TokenFault::Wrong) => Err(wrong()),
    }
}

fn right_of(claims: Claims<AgentClaims>) -> AgentRight {
    let issued_at = claims.issued_at.map(|at| Timestamp::from_millis(at.timestamp_millis()));
    let AgentClaims { town_id, rig_id, agent_id, jti } = claims.custom;
    AgentRight { town_id, rig_id, agent_id, token: jti.map_or(ShownToken::WithoutId { issued_at }, ShownToken::Named) }
}

/// Whether the `Authorization` header has a token, right or not. A wrong one is no guess at the operator's key: an agent that
/// was left over when the secret changed goes on to show it.
pub fn shows_token(authorization: Option<&str>) -> bool {
    let credential = authorization.and_then(|header| header.split_once(' ')).map(|(_, credential)| credential.trim());
    credential.is_some_and(|token| token.len() <= CREDENTIAL_BYTES_MAX && UntrustedToken::new(token).is_ok())
}

/// A session by its cookie, and when it ends at the latest; none where it is none of ours, or over.
fn session_of(token: &str, now: Timestamp, secrets: &Secrets) -> Option<(SessionId, Timestamp)> {
    if token.len() > CREDENTIAL_BYTES_MAX {
        return None;
    }
    let keys = secrets.jwt_secrets().map(|jwt_secret| session_key(jwt_secret, secrets));
    let (claims, end) = verify::<SessionClaims>(token, now, keys).ok()?;
    Some((claims.custom.session_id, end))
}

enum TokenFault {
    Expired,
    Wrong,
}

/// The claims of a token and its end, if one of the keys has signed it. The algorithm is ours and not the token's
/// choice: a token that names another one, or none, is refused before its signature is checked.
fn verify<T: DeserializeOwned>(
    token: &str,
    now: Timestamp,
    mut keys: impl Iterator<Item = Hs256Key>,
) -> std::result::Result<(Claims<T>, Timestamp), TokenFault> {
    let token = UntrustedToken::new(token).map_err(|_| TokenFault::Wrong)?;
    let token: Option<Token<T>> = keys.find_map(|key| Hs256.validator(&key).validate(&token).ok());
    let token = token.ok_or(TokenFault::Wrong)?;
    let clock = TimeOptions::new(Duration::zero(), || moment(now));
    let claims = token.claims();
    if claims.not_before.is_some() && claims.validate_maturity(&clock).is_err() {
        return Err(TokenFault::Wrong);
    }
    let end = claims.expiration.map(|end| Timestamp::from_millis(end.timestamp_millis()));
    match (claims.validate_expiration(&clock).map(|_| ()), end) {
        (Ok(()), Some(end)) => Ok((token.into_parts().1, end)),
        (Err(ValidationError::Expired), _) => Err(TokenFault::Expired),
        _ => Err(TokenFault::Wrong),
    }
}

fn sign<T: Serialize>(claims: T, expires_at: Timestamp, key: &Hs256Key) -> Result<String> {
    let mut claims = Claims::new(claims);
    claims.expiration = Some(moment(expires_at));
    Hs256.token(&Header::empty(), &claims, key).map_err(Error::internal)
}

fn moment(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.millis()).unwrap_or(DateTime::UNIX_EPOCH)
}

fn agent_key(jwt_secret: &str) -> Hs256Key {
    Hs256Key::new(jwt_secret.as_bytes())
}

/// Made of both secrets, so that changing either one signs every browser out.
fn session_key(jwt_secret: &str, secrets: &Secrets) -> Hs256Key {
    let mut key = keyed(jwt_secret.as_bytes());
    key.update(b"townwatch session\0");
    key.update(secrets.api_key.as_bytes());
    Hs256Key::new(key.finalize().into_bytes())
}

/// Compares by their tags, so that the time tells neither where they differ nor how long the secret is.
pub(crate) fn same(secret: &str, given: &str) -> bool {
    let tag = |text: &str| {
        let mut tag = keyed(b"townwatch comparison");
        tag.update(text.as_bytes());
        tag
    };
    tag(given).verify(&tag(secret).finalize().into_bytes()).is_ok()
}

#[allow(clippy::expect_used)] // HMAC takes a key of any length; the error is of the trait, not of this algorithm
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes any key")
}

//! Browsers that are signed in, and the codes that sign one in: rows of the account.
//!
//! Invariants: a code is stored as its hash and used once; a session is good only while its row is, whatever its cookie says; the
//! row of one that was ended stays until every town has been told.

use sha2::{Digest, Sha256};
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::hexadecimal;
use townwatch_protocol::id::SessionId;
use townwatch_protocol::limits::{SESSION_IDLE_MS, SESSION_LIFE_MS, SESSIONS_MAX, SIGN_IN_CODE_MS, SIGN_IN_CODES_MAX};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::BrowserSession;

use crate::agents::parse;
use crate::agents::runs::moment;
use crate::schema;
use crate::store::Store;

/// A session that is used is not noted again within this time: a row written a minute is enough to tell when it was seen.
const SEEN_MS: i64 = 60_000;

/// The condition for a row whose session is valid: it was not ended and has not expired. The condition has two
/// parameters, both the present time.
fn lasts() -> String {
    format!("ended_at_ms IS NULL AND created_at_ms + {SESSION_LIFE_MS} > ? AND seen_at_ms + {SESSION_IDLE_MS} > ?")
}

/// The latest end of a session that begins now. A cookie states it in whole seconds.
pub fn ends_at(now: Timestamp) -> Timestamp {
    Timestamp::from_millis((now.millis() + SESSION_LIFE_MS) / 1_000 * 1_000)
}

/// Signs a browser in. Beyond [`SESSIONS_MAX`] those that were seen longest ago are ended.
pub fn begin(store: &dyn Store, session_id: &SessionId, browser: &str, now: Timestamp) -> Result<()> {
    schema::migrate(store, schema::ACCOUNT)?;
    store.query(
        "DELETE FROM sessions WHERE created_at_ms + ? <= ? OR (ended_at_ms IS NULL AND seen_at_ms + ? <= ?)",
        &[SESSION_LIFE_MS.into(), now.millis().into(), SESSION_IDLE_MS.into(), now.millis().into()],
    )?;
    store.query(
        "INSERT INTO sessions (session_id, browser, created_at_ms, seen_at_ms) VALUES (?, ?, ?, ?)",
        &[session_id.as_str().into(), browser.into(), now.millis().into(), now.millis().into()],
    )?;
    store.query(
        "UPDATE sessions SET ended_at_ms = ? WHERE session_id IN (SELECT session_id FROM sessions \
         WHERE ended_at_ms IS NULL ORDER BY seen_at_ms DESC, session_id DESC LIMIT -1 OFFSET ?)",
        &[now.millis().into(), SESSIONS_MAX.into()],
    )?;
    // Towns that never answer must not let this grow: their streams end by themselves.
    store.query(
        "DELETE FROM sessions WHERE session_id IN (SELECT session_id FROM sessions WHERE ended_at_ms IS NOT NULL \
         ORDER BY ended_at_ms DESC LIMIT -1 OFFSET ?)",
        &[SESSIONS_MAX.into()],
    )?;
    Ok(())
}

/// Whether a session lasts, which is used at this moment.
pub fn is_seen(store: &dyn Store, session_id: &SessionId, now: Timestamp) -> Result<bool> {
    if !schema::open(store, schema::ACCOUNT)? {
        return Ok(false);
    }
    let rows = store.query(
        &format!("SELECT seen_at_ms FROM sessions WHERE session_id = ? AND {}", lasts()),
        &[session_id.as_str().into(), now.millis().into(), now.millis().into()],
    )?;
    let Some(row) = rows.first() else { return Ok(false) };
    if now.millis() - row.integer(0)? >= SEEN_MS {
        store.query(
            "UPDATE sessions SET seen_at_ms = ? WHERE session_id = ?",
            &[now.millis().into(), session_id.as_str().into()],
        )?;
    }
    Ok(true)
}

/// The valid sessions, the one with the latest request first.
pub fn list(store: &dyn Store, now: Timestamp) -> Result<Vec<BrowserSession>> {
    if !schema::open(store, schema::ACCOUNT)? {
        return Ok(Vec::new());
    }
    let rows = store.query(
        &format!(
            "SELECT session_id, browser, created_at_ms, seen_at_ms FROM sessions WHERE {} \
             ORDER BY seen_at_ms DESC, session_id DESC",
            lasts()
        ),
        &[now.millis().into(), now.millis().into()],
    )?;
    rows.iter()
        .map(|row| {
            let (created_at, last_seen_at) = (moment(row, 2)?, moment(row, 3)?);
            Ok(BrowserSession {
                session_id: parse(SessionId::parse(row.text(0)?))?,
                browser: row.text(1)?.to_owned(),
                created_at,
                last_seen_at,
                ends_at: ends_at(created_at).min(last_seen_at.plus_millis(SESSION_IDLE_MS)),
            })
        })
        .collect()
}

/// Ends one session; 404 where there is none.
pub fn end(store: &dyn Store, session_id: &SessionId, now: Timestamp) -> Result<()> {
    let known = schema::open(store, schema::ACCOUNT)?
        && !store
            .query(
                "UPDATE sessions SET ended_at_ms = coalesce(ended_at_ms, ?) WHERE session_id = ? RETURNING 1",
                &[now.millis().into(), session_id.as_str().into()],
            )?
            .is_empty();
    if known { Ok(()) } else { Err(Error::not_found("session")) }
}

/// Ends all of them.
pub fn end_all(store: &dyn Store, now: Timestamp) -> Result<()> {
    if schema::open(store, schema::ACCOUNT)? {
        store.query("UPDATE sessions SET ended_at_ms = ? WHERE ended_at_ms IS NULL", &[now.millis().into()])?;
    }
    Ok(())
}

/// The ended sessions that not every town knows yet.
pub fn untold(store: &dyn Store) -> Result<Vec<SessionId>> {
    if !schema::open(store, schema::ACCOUNT)? {
        return Ok(Vec::new());
    }
    let rows = store.query("SELECT session_id FROM sessions WHERE ended_at_ms IS NOT NULL", &[])?;
    rows.iter().map(|row| parse(SessionId::parse(row.text(0)?))).collect()
}

/// Every town knows of their end.
pub fn told(store: &dyn Store, ended: &[SessionId]) -> Result<()> {
    for session_id in ended {
        store.query("DELETE FROM sessions WHERE session_id = ?", &[session_id.as_str().into()])?;
    }
    Ok(())
}

/// Stores a code and gives its end. Beyond [`SIGN_IN_CODES_MAX`] the oldest go.
pub fn make_code(store: &dyn Store, code: &str, now: Timestamp) -> Result<Timestamp> {
    schema::migrate(store, schema::ACCOUNT)?;
    let expires_at = now.plus_millis(SIGN_IN_CODE_MS);
    store.query("DELETE FROM sign_in_codes WHERE expires_at_ms <= ?", &[now.millis().into()])?;
    store.query(
        "INSERT INTO sign_in_codes (code_hash, expires_at_ms) VALUES (?, ?)",
        &[hash(code).into(), expires_at.millis().into()],
    )?;
    store.query(
        "DELETE FROM sign_in_codes WHERE code_hash IN \
         (SELECT code_hash FROM sign_in_codes ORDER BY expires_at_ms DESC LIMIT -1 OFFSET ?)",
        &[SIGN_IN_CODES_MAX.into()],
    )?;
    Ok(expires_at)
}

/// Uses a code up; false where it is none, or none any more.
pub fn use_code(store: &dyn Store, code: &str, now: Timestamp) -> Result<bool> {
    if !schema::open(store, schema::ACCOUNT)? {
        return Ok(false);
    }
    let used = store.query(
        "DELETE FROM sign_in_codes WHERE code_hash = ? AND expires_at_ms > ? RETURNING 1",
        &[hash(code).into(), now.millis().into()],
    )?;
    Ok(!used.is_empty())
}

/// A code is random enough that its hash needs no salt.
fn hash(code: &str) -> String {
    hexadecimal::of(Sha256::digest(code))
}

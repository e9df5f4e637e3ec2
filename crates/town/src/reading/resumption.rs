//! The right to resume: a browser's event source comes back to the very address that it was opened by, whose ticket is used
//! up by then. So an event stream that a ticket opened says a token beside its ids, and whoever shows both again, the
//! ticket in the address and the token in `Last-Event-ID`, goes on with that one stream.
//!
//! Invariants: the address alone, which ends up in logs and histories, resumes nothing; neither ticket nor token is stored; a right
//! has one connection at a time; and it lasts no longer than the right of the one who had the ticket made.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use sha2::{Digest, Sha256};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::hexadecimal;
use townwatch_protocol::id::{AgentId, Epoch};
use townwatch_protocol::limits::{READER_LIFE_MS, RESUME_MS, RESUME_RIGHTS_MAX};
use townwatch_protocol::time::Timestamp;

use crate::access::auth;
use crate::access::grantor::Grantor;
use crate::access::tickets;
use crate::store::{Store, atomically};
use crate::town::Town;

/// What stands between an event's id and the token.
pub const BEFORE_TOKEN: char = '~';
/// A right that was used less than a minute ago is not moved again: who comes back in a hurry costs no writes, and pushes
/// nobody else's right out.
const MOVED_MS: i64 = 60_000;
/// Rights that are over go, at most 8 when a new one comes.
const SWEPT_MAX: u64 = 8;

/// What a reader of an event stream shows.
#[derive(Debug, Clone, Copy)]
pub struct ResumptionProof<'a> {
    /// The ticket of the address.
    pub ticket: &'a str,
    /// The token, where it comes back.
    pub token: Option<&'a str>,
    /// The agent whose stream it is; none: the whole town's.
    pub agent_id: Option<&'a AgentId>,
}

/// The right that an event stream which a ticket opened carries along.
#[derive(Debug, Clone)]
pub struct Right {
    /// What its reader has to show when it comes back.
    pub(crate) token: String,
    /// The life of the log that its ids belong to, where it comes back.
    pub epoch: Option<Epoch>,
    /// Whose right it is, with which it ends.
    pub grantor: Grantor,
    pub(crate) seat: Rc<Seat>,
}

/// The place of a right's one connection.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    /// Whether a newer connection has taken over.
    pub(crate) is_lost: Cell<bool>,
    /// By which name the edge knows the one that waits on it.
    pub(crate) waits_as: Cell<u64>,
}

/// The connections that are open at present, by the hash of their ticket.
#[derive(Debug, Default)]
pub(crate) struct Seats(HashMap<String, Weak<Seat>>);

impl Seats {
    /// A right's place, and who waits on it until now, if anybody does.
    fn take(&mut self, ticket_hash: String) -> (Rc<Seat>, Option<u64>) {
        let seat = Rc::new(Seat::default());
        let before = self.0.insert(ticket_hash, Rc::downgrade(&seat)).and_then(|seat| seat.upgrade());
        // Those that are gone are let go when there are as many of them as of others: each opening does its share.
        if self.0.len() == self.0.capacity() {
            self.0.retain(|_, seat| seat.strong_count() > 0);
        }
        let waiting = before.map(|seat| {
            seat.is_lost.set(true);
            seat.waits_as.get()
        });
        (seat, waiting)
    }
}

impl Town {
    /// Lets the reader of an event stream in, by its ticket, or by the right to resume of one that is used up. The last
    /// thing before the stream is opened, and in the same synchronous step. `lasts` says whether the right of the one who
    /// had the ticket made lasts. The number is of a connection that this one takes the place of: it is to be woken.
    pub fn admit_reader(
        &mut self,
        shown: &ResumptionProof<'_>,
        fresh_token: &dyn Fn() -> String,
        lasts: &dyn Fn(&Grantor) -> bool,
        now: Timestamp,
    ) -> Result<(Right, Option<u64>)> {
        let store = Rc::clone(&self.store);
        let (token, epoch, grantor) = atomically(store.as_ref(), || {
            let grantor = tickets::consume(store.as_ref(), shown.ticket, shown.agent_id, now)?;
            if let Some(grantor) = grantor.filter(lasts) {
                let token = fresh_token();
                grant(store.as_ref(), shown, &token, &self.epoch, &grantor, now)?;
                return Ok((token, None, grantor));
            }
            let Some((token, epoch, grantor)) = redeem(store.as_ref(), shown, lasts, now)? else {
                return Err(used_up());
            };
            Ok((token, Some(epoch), grantor))
        })?;
        let (seat, waiting) = self.seats.take(hash(shown.ticket));
        Ok((Right { token, epoch, grantor, seat }, waiting))
    }
}

/// A ticket that opens nothing, and resumes nothing either: which of it is why is not told.
pub(crate) fn used_up() -> Error {
    let message = "the ticket is used, expired or for another stream; ask for a new one with POST …/stream-ticket";
    Error::new(Code::TicketInvalid, message)
}

fn grant(
    store: &dyn Store,
    shown: &ResumptionProof<'_>,
    token: &str,
    epoch: &Epoch,
    grantor: &Grantor,
    now: Timestamp,
) -> Result<()> {
    store.query(
        "DELETE FROM resume_rights WHERE expires_at_ms <= ? \
         AND number IN (SELECT number FROM resume_rights ORDER BY number LIMIT ?)",
        &[now.millis().into(), SWEPT_MAX.into()],
    )?;
    store.query(
        "INSERT INTO resume_rights (number, ticket_hash, token_hash, agent_id, epoch, principal, principal_ends_at_ms, \
         expires_at_ms) VALUES ((SELECT coalesce(max(number), 0) + 1 FROM resume_rights), ?, ?, ?, ?, ?, ?, ?)",
        &[
            hash(shown.ticket).into(),
            hash(token).into(),
            shown.agent_id.map(AgentId::as_str).into(),
            epoch.as_str().into(),
            grantor.name.as_str().into(),
            grantor.ends_at_ms().into(),
            expires_at(now).millis().into(),
        ],
    )?;
    prune(store)
}

/// The token, the life of the log and the grantor of a right that is good for this stream at this moment.
fn redeem(
    store: &dyn Store,
    shown: &ResumptionProof<'_>,
    lasts: &dyn Fn(&Grantor) -> bool,
    now: Timestamp,
) -> Result<Option<(String, Epoch, Grantor)>> {
    let Some(token) = shown.token else { return Ok(None) };
    let rows = store.query(
        "SELECT number, token_hash, epoch, expires_at_ms, principal, principal_ends_at_ms FROM resume_rights \
         WHERE ticket_hash = ? AND agent_id IS ? AND expires_at_ms > ?",
        &[hash(shown.ticket).into(), shown.agent_id.map(AgentId::as_str).into(), now.millis().into()],
    )?;
    let Some(row) = rows.first().filter(|row| row.text(1).is_ok_and(|stored| auth::same(stored, &hash(token)))) else {
        return Ok(None);
    };
    let grantor = Grantor::read(row, 4, 5)?;
    if !lasts(&grantor) {
        return Ok(None);
    }
    let expires_at = expires_at(now);
    if expires_at.millis() - row.integer(3)? >= MOVED_MS {
        store.query(
            "UPDATE resume_rights SET number = (SELECT max(number) + 1 FROM resume_rights), expires_at_ms = ? \
             WHERE number = ?",
            &[expires_at.millis().into(), row.number(0)?.into()],
        )?;
        prune(store)?;
    }
    Ok(Some((token.to_owned(), crate::agents::parse(Epoch::parse(row.text(2)?))?, grantor)))
}

/// Those beyond the bound are those with the lowest numbers, so that nothing has to be counted.
fn prune(store: &dyn Store) -> Result<()> {
    store.query(
        "DELETE FROM resume_rights WHERE number <= (SELECT max(number) FROM resume_rights) - ?",
        &[RESUME_RIGHTS_MAX.into()],
    )?;
    Ok(())
}

/// From the end that a connection has at the latest which is opened now.
fn expires_at(now: Timestamp) -> Timestamp {
    now.plus_millis(READER_LIFE_MS + RESUME_MS)
}

/// Tickets and tokens are random enough that their hash needs no salt.
fn hash(secret: &str) -> String {
    hexadecimal::of(Sha256::digest(secret))
}

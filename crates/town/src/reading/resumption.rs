//! The right to resume an event stream. A browser's event source connects again by the address that opened it, but the
//! ticket in that address is used up by then. So an event stream that a ticket opened sends a token beside its ids. A
//! reader that shows both, the ticket in the address and the token in `Last-Event-ID`, goes on with that one stream.
//!
//! Invariants:
//!
//! * The address alone resumes nothing, because it ends up in logs and histories.
//! * Neither ticket nor token is stored.
//! * A right has one connection at a time.
//! * A right lasts no longer than the right of the grantor who had the ticket made.

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

/// The character between an event's id and the token, as in `7~TOKEN`.
pub const BEFORE_TOKEN: char = '~';
/// The time within which a used right is not moved again, one minute. So a reader that comes back often costs no
/// writes, and pushes no other right out.
const MOVED_MS: i64 = 60_000;
/// Rights that are checked for their end, and deleted if it is over, when a new one comes: the 8 oldest. The others go
/// later.
const SWEPT_MAX: u64 = 8;

/// The proof that a reader of an event stream shows.
#[derive(Debug, Clone, Copy)]
pub struct ResumptionProof<'a> {
    /// The ticket of the address.
    pub ticket: &'a str,
    /// The token; `None` at the first connection.
    pub token: Option<&'a str>,
    /// The agent whose stream it is; `None` for the stream of the whole town.
    pub agent_id: Option<&'a AgentId>,
}

/// The right to resume that belongs to an event stream opened by a ticket.
#[derive(Debug, Clone)]
pub struct Right {
    /// The token that the reader has to show when it comes back.
    pub(crate) token: String,
    /// The life of the log that the stream's ids belong to; `None` at the first connection.
    pub epoch: Option<Epoch>,
    /// The grantor, with whose right this one ends.
    pub grantor: Grantor,
    pub(crate) seat: Rc<Seat>,
}

/// The place of a right's one connection.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    /// Whether a newer connection has taken over.
    pub(crate) is_lost: Cell<bool>,
    /// The name under which the edge knows the connection that waits on this seat.
    pub(crate) waits_as: Cell<u64>,
}

/// The seats of the open connections, by the hash of their ticket.
#[derive(Debug, Default)]
pub(crate) struct Seats(HashMap<String, Weak<Seat>>);

impl Seats {
    /// Takes the seat of a right, and gives the name under which its last connection waited, if that is still there.
    fn take(&mut self, ticket_hash: String) -> (Rc<Seat>, Option<u64>) {
        let seat = Rc::new(Seat::default());
        let before = self.0.insert(ticket_hash, Rc::downgrade(&seat)).and_then(|seat| seat.upgrade());
        // Seats without a connection are removed when the table is full, before it grows. So each opening pays a share
        // of the work.
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
    /// Admits the reader of an event stream: by a ticket, or by the right to resume of a ticket that is used up. This
    /// must be the last thing before the stream is opened, in the same synchronous step. `lasts` says whether the right
    /// of the ticket's grantor lasts. The number in the answer names the connection whose place this one takes: it is
    /// to be woken.
    ///
    /// # Errors
    /// `ticket_invalid`: the proof opens no stream. Otherwise the tables cannot be read or written.
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

/// The error of a ticket that neither opens nor resumes a stream. It does not tell which of the reasons applies.
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

/// Checks a right to resume this stream, and gives its token, the life of the log and the grantor; `None` if the right
/// is not valid now.
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

/// Removes the rights beyond the bound. These have the lowest numbers, so nothing has to be counted.
fn prune(store: &dyn Store) -> Result<()> {
    store.query(
        "DELETE FROM resume_rights WHERE number <= (SELECT max(number) FROM resume_rights) - ?",
        &[RESUME_RIGHTS_MAX.into()],
    )?;
    Ok(())
}

/// The end of a right: [`RESUME_MS`] after the latest end of a connection that is opened now.
fn expires_at(now: Timestamp) -> Timestamp {
    now.plus_millis(READER_LIFE_MS + RESUME_MS)
}

/// Hashes a ticket or a token. Both are so random that the hash needs no salt.
fn hash(secret: &str) -> String {
    hexadecimal::of(Sha256::digest(secret))
}

//! Signs of life for sockets that do not ping. Whatever stands between cuts a connection that is silent for a minute, and
//! whoever does not ping can not tell a silent town from a dead line. Who pings is answered by the runtime, which wakes
//! nobody.

use std::rc::Rc;

use townwatch_protocol::error::Result;
use townwatch_protocol::limits::KEEPALIVE_MS;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::ServerFrame;

use crate::decision::{Decide, Decision};
use crate::log;
use crate::town::Town;
use crate::viewers::{Effect, ViewerId, text_of};

/// Who has pinged within three of the times that the contract names, of 30 s, is one that pings.
const PINGS_WITHIN_MS: u64 = 90_000;
/// Who would be owed a sign of life so soon gets it with the others: the town is woken once for all.
const TOGETHER_MS: u64 = 10_000;

/// Who pings as soon as it is there has done so by then, and costs no alarm.
const SETTLED_MS: u64 = 1_000;

/// When something last went over a socket.
#[derive(Debug, Clone, Copy)]
pub struct Traffic {
    /// Whose it is.
    pub id: ViewerId,
    /// When it was opened; none if that was before the town slept.
    pub opened_at: Option<Timestamp>,
    /// Its last ping; none if it never pinged.
    pub pinged_at: Option<Timestamp>,
    /// What it was last sent; none if that is not known any more.
    pub sent_at: Option<Timestamp>,
}

/// What a look at the sockets comes to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Who is owed a sign of life now.
    pub owed: Vec<ViewerId>,
    /// When to look again; none where everyone pings.
    pub next_at: Option<Timestamp>,
}

/// When a socket that was just opened is first looked at.
pub fn settles_at(opened_at: Timestamp) -> Timestamp {
    opened_at.plus_millis(i64::try_from(SETTLED_MS).unwrap_or(0))
}

/// Looks at sockets that may be owed a sign of life.
pub fn look(sockets: impl Iterator<Item = Traffic>, now: Timestamp) -> Look {
    let mut look = Look::default();
    for Traffic { id, opened_at, pinged_at, sent_at } in sockets {
        if pinged_at.is_some_and(|at| now.millis_since(at) < PINGS_WITHIN_MS) {
            continue;
        }
        if let Some(opened_at) = opened_at.filter(|at| now.millis_since(*at) < SETTLED_MS) {
            look.next_at = look.next_at.into_iter().chain([settles_at(opened_at)]).min();
            continue;
        }
        let silent_ms = sent_at.map_or(KEEPALIVE_MS, |at| now.millis_since(at));
        let left_ms = if silent_ms + TOGETHER_MS >= KEEPALIVE_MS {
            look.owed.push(id);
            KEEPALIVE_MS
        } else {
            KEEPALIVE_MS - silent_ms
        };
        let at = now.plus_millis(i64::try_from(left_ms).unwrap_or(i64::MAX));
        look.next_at = look.next_at.into_iter().chain([at]).min();
    }
    look
}

impl Town {
    /// Whether a stream may be owed signs of life: not one that acknowledges, whose viewer speaks the contract and so pings,
    /// and not a flat one, which gets events only.
    pub fn may_owe_life(&self, id: ViewerId) -> bool {
        self.viewers.is_metered(id) && self.viewers.gets_frames(id)
    }
}

/// The sign of life, one for all of these that are at the head; the others are being sent something else.
#[derive(Debug)]
pub struct SignsOfLife<'a> {
    /// The streams that are owed one.
    pub owed: &'a [ViewerId],
}

impl Decide for SignsOfLife<'_> {
    type Answer = ();

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<()>> {
        town.show(|town, effects| {
            let head = log::head(town.store.as_ref())?;
            let text: Rc<str> = text_of(&ServerFrame::Heartbeat { at: now, id: head }).into();
            let at_head = self.owed.iter().filter(|id| town.viewers.live_cursor(**id) == Some(head));
            effects.extend(at_head.map(|id| Effect::Send(*id, Rc::clone(&text))));
            Ok(())
        });
        Ok(Decision::unseen(()))
    }
}

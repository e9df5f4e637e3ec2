//! Heartbeats for sockets that do not ping. A proxy cuts a connection that is silent for a minute, and a viewer without
//! pings cannot tell a silent town from a dead line. The runtime itself answers pings, and does not wake the town for
//! them.

use std::rc::Rc;

use townwatch_protocol::error::Result;
use townwatch_protocol::limits::KEEPALIVE_MS;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::ServerFrame;

use crate::decision::{Decide, Decision};
use crate::log;
use crate::town::Town;
use crate::viewers::{Effect, ViewerId, text_of};

/// The time within which a viewer must have pinged to count as one that pings, 90 s: three of the contract's intervals
/// of 30 s.
const PINGS_WITHIN_MS: u64 = 90_000;
/// The time by which a heartbeat may come early, 10 s, so that the town is woken once for all.
const TOGETHER_MS: u64 = 10_000;

/// The time from the opening of a socket to its first check, 1 s. A viewer that pings at once has done so by then, and
/// costs no alarm.
const SETTLED_MS: u64 = 1_000;

/// The last traffic of a socket.
#[derive(Debug, Clone, Copy)]
pub struct Traffic {
    /// The viewer of the socket.
    pub id: ViewerId,
    /// The time at which the socket was opened; `None` if that was before the town slept.
    pub opened_at: Option<Timestamp>,
    /// The time of the viewer's last ping; `None` if it never pinged.
    pub pinged_at: Option<Timestamp>,
    /// The time at which the viewer was last sent something; `None` if that is not known any more.
    pub sent_at: Option<Timestamp>,
}

/// The result of a check of the sockets.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KeepaliveCheck {
    /// The viewers that are owed a heartbeat now.
    pub owed: Vec<ViewerId>,
    /// The time of the next check; `None` where all viewers ping.
    pub next_at: Option<Timestamp>,
}

/// The time at which a socket that was just opened is first checked.
pub fn settles_at(opened_at: Timestamp) -> Timestamp {
    opened_at.plus_millis(i64::try_from(SETTLED_MS).unwrap_or(0))
}

/// Checks sockets that may be owed a heartbeat.
pub fn check(sockets: impl Iterator<Item = Traffic>, now: Timestamp) -> KeepaliveCheck {
    let mut check = KeepaliveCheck::default();
    for Traffic { id, opened_at, pinged_at, sent_at } in sockets {
        if pinged_at.is_some_and(|at| now.millis_since(at) < PINGS_WITHIN_MS) {
            continue;
        }
        if let Some(opened_at) = opened_at.filter(|at| now.millis_since(*at) < SETTLED_MS) {
            check.next_at = check.next_at.into_iter().chain([settles_at(opened_at)]).min();
            continue;
        }
        let silent_ms = sent_at.map_or(KEEPALIVE_MS, |at| now.millis_since(at));
        let left_ms = if silent_ms + TOGETHER_MS >= KEEPALIVE_MS {
            check.owed.push(id);
            KEEPALIVE_MS
        } else {
            KEEPALIVE_MS - silent_ms
        };
        let at = now.plus_millis(i64::try_from(left_ms).unwrap_or(i64::MAX));
        check.next_at = check.next_at.into_iter().chain([at]).min();
    }
    check
}

impl Town {
    /// Whether a stream may be owed heartbeats. An acknowledging viewer is owed none, because it speaks the contract
    /// and so pings. A flat stream is owed none, because it gets events only.
    pub fn may_owe_heartbeats(&self, id: ViewerId) -> bool {
        self.viewers.is_metered(id) && self.viewers.gets_frames(id)
    }
}

/// The sending of heartbeats: one text to all of these streams that are at the head. The others are being sent
/// something else.
#[derive(Debug)]
pub struct Heartbeats<'a> {
    /// The streams that are owed a heartbeat.
    pub owed: &'a [ViewerId],
}

impl Decide for Heartbeats<'_> {
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

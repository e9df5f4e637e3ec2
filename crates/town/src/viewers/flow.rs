//! The flow to a viewer: how much it may be sent. An acknowledging viewer may be sent as much again as it acknowledges.
//! A viewer without acknowledgements is metered. Events that may not be sent yet wait in the log, and nowhere else.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use townwatch_protocol::id::EventId;
use townwatch_protocol::limits::{
    BUCKET_BYTES_MAX, PAUSED_MS_MAX, PREVIEW_BYTES_MAX, WINDOW_BYTES_MAX, WINDOW_MARKS_MAX,
};
use townwatch_protocol::time::Timestamp;

/// One viewer's flow.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// The viewer acknowledges what it has.
    Acknowledged(Window),
    /// The viewer acknowledges nothing.
    Metered(Bucket),
}

/// The frames that an acknowledging viewer owes an acknowledgement for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Window {
    /// Frames on their way, the oldest first. Beyond [`WINDOW_MARKS_MAX`] the two oldest count as one frame, which only
    /// makes the window stricter.
    #[serde(default)]
    owed: VecDeque<SentMark>,
    /// The highest id that the viewer has acknowledged.
    #[serde(default)]
    acknowledged: EventId,
    /// The time since which the viewer is paused, or at which it last acknowledged something new in the pause; `None`
    /// while it is not paused.
    pub paused_at: Option<Timestamp>,
    /// Whether the next frames had no room, and no owed frame has been acknowledged since.
    #[serde(skip)]
    is_full: bool,
    /// The bytes of previews since the viewer's last acknowledgement.
    #[serde(skip)]
    preview_bytes: u64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct SentMark {
    last: EventId,
    events: u64,
    bytes: u64,
}

/// The bucket of a viewer that acknowledges nothing: 5,000 events ([`townwatch_protocol::limits::BUCKET_EVENTS_MAX`])
/// and [`BUCKET_BYTES_MAX`]. A fifth of it comes back each second. Frames that must not be missed have a reserve of a
/// fifth more. After a hibernation the bucket is full.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bucket {
    /// The number of events that the bucket holds.
    events_max: u64,
    #[serde(skip)]
    spent: Option<Withdrawn>,
}

/// The amount that was taken out and has not come back, counted at a moment.
#[derive(Debug, Clone, Copy)]
struct Withdrawn {
    events: u64,
    bytes: u64,
    at: Timestamp,
}

/// The result of an acknowledgement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Acknowledged {
    /// Whether its id is above all earlier ones.
    pub is_new: bool,
    /// Whether its id is below an earlier one: it was sent long ago, or means nothing.
    pub is_stale: bool,
    /// Whether the viewer's note has to be written anew: the viewer has chosen acknowledgements, or moved the end of
    /// its pause.
    pub is_to_be_noted: bool,
}

/// The time in which an empty bucket becomes full, 5 s: a fifth of the bucket each second.
const REFILL_MS: u64 = 5_000;

impl Flow {
    /// The flow of a viewer that has acknowledged nothing yet. If it will never acknowledge, its bucket holds
    /// `bucket_events`.
    pub fn new(acknowledges: bool, bucket_events: u64) -> Self {
        if acknowledges {
            Self::acknowledging()
        } else {
            Self::Metered(Bucket { events_max: bucket_events, spent: None })
        }
    }

    fn acknowledging() -> Self {
        let (owed, acknowledged) = (VecDeque::new(), EventId::START);
        Self::Acknowledged(Window { owed, acknowledged, paused_at: None, is_full: false, preview_bytes: 0 })
    }

    /// Whether the viewer acknowledges nothing.
    pub fn is_metered(&self) -> bool {
        matches!(self, Self::Metered(_))
    }

    /// Whether so many events and bytes may be sent. An acknowledging viewer that owes nothing may always be sent one
    /// frame. `window_events` is the setting.
    pub fn has_room(&self, events: u64, bytes: u64, now: Timestamp, window_events: u64) -> bool {
        match self {
            Self::Acknowledged(window) => {
                let add = |(events, bytes), mark: &SentMark| (events + mark.events, bytes + mark.bytes);
                let (events, bytes) = window.owed.iter().fold((events, bytes), add);
                window.owed.is_empty() || (events <= window_events && bytes <= WINDOW_BYTES_MAX)
            }
            Self::Metered(bucket) => bucket.would_hold(events, bytes, now, (bucket.events_max, BUCKET_BYTES_MAX)),
        }
    }

    /// Whether so many events and bytes may be sent from the reserve, which is for events that a metered viewer must
    /// not miss.
    pub fn has_reserve(&self, events: u64, bytes: u64, now: Timestamp) -> bool {
        let Self::Metered(bucket) = self else { return false };
        let with_reserve = (bucket.events_max + bucket.events_max / 5, BUCKET_BYTES_MAX + BUCKET_BYTES_MAX / 5);
        bucket.would_hold(events, bytes, now, with_reserve)
    }

    /// Takes room for a preview; false if there is none. Previews are left out first: they may use only half of a
    /// bucket.
    pub fn preview(&mut self, bytes: u64, now: Timestamp) -> bool {
        match self {
            Self::Acknowledged(window) => {
                let has_room = window.preview_bytes + bytes <= PREVIEW_BYTES_MAX;
                window.preview_bytes += if has_room { bytes } else { 0 };
                has_room
            }
            Self::Metered(bucket) => bucket.take(bytes, now, 2),
        }
    }

    /// Counts a frame that was sent.
    pub fn sent(&mut self, last: EventId, events: u64, bytes: u64, now: Timestamp) {
        match self {
            Self::Acknowledged(window) => {
                window.owed.push_back(SentMark { last, events, bytes });
                if window.owed.len() > WINDOW_MARKS_MAX
                    && let (Some(older), Some(newer)) = (window.owed.pop_front(), window.owed.pop_front())
                {
                    let (events, bytes) = (older.events + newer.events, older.bytes + newer.bytes);
                    window.owed.push_front(SentMark { last: newer.last, events, bytes });
                }
            }
            Self::Metered(bucket) => bucket.spend(events, bytes, now),
        }
    }

    /// Takes an acknowledgement of everything up to this id. The first one makes a metered viewer an acknowledging one.
    /// A new one gives a paused viewer its whole time again, even if it makes too little room to go on.
    pub fn acknowledge(&mut self, id: EventId, now: Timestamp) -> Acknowledged {
        let is_first = self.is_metered();
        if is_first {
            *self = Self::acknowledging();
        }
        let Self::Acknowledged(window) = self else { return Acknowledged::default() };
        window.preview_bytes = 0;
        let before = window.owed.len();
        while window.owed.front().is_some_and(|mark| mark.last <= id) {
            window.owed.pop_front();
        }
        let (is_paid, is_new, is_stale) =
            (window.owed.len() < before, id > window.acknowledged, id < window.acknowledged);
        window.is_full &= !is_paid;
        if is_new {
            window.acknowledged = id;
            window.paused_at = window.paused_at.map(|_| now);
        }
        Acknowledged {
            is_new,
            is_stale,
            is_to_be_noted: is_first || ((is_new || is_paid) && window.paused_at.is_some()),
        }
    }

    /// Begins anew after `cursor`. An acknowledgement of any event behind it also pays for all frames from before,
    /// because they were sent earlier.
    pub fn restart(&mut self, cursor: EventId) {
        if let Self::Acknowledged(window) = self {
            window.acknowledged = window.acknowledged.min(cursor);
            window.is_full = false;
            for mark in &mut window.owed {
                mark.last = mark.last.min(cursor);
            }
        }
    }

    /// Notes that an acknowledging viewer has to wait; true if it was not waiting already.
    pub fn pause(&mut self, now: Timestamp) -> bool {
        let Self::Acknowledged(window) = self else { return false };
        window.is_full = true;
        let is_news = window.paused_at.is_none();
        window.paused_at.get_or_insert(now);
        is_news
    }

    /// Whether only an acknowledgement can make room. Until it comes there is no use in reading the log.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Acknowledged(Window { is_full: true, .. }))
    }

    /// Notes that the viewer goes on; true if it had to wait.
    pub fn resume(&mut self) -> bool {
        match self {
            Self::Acknowledged(window) => window.paused_at.take().is_some(),
            Self::Metered(_) => false,
        }
    }

    /// Takes the flow back after a hibernation. A town hibernates when all is quiet, so the owed frames of a viewer
    /// have arrived. But a paused viewer may have stopped reading: it still owes what its note says.
    pub fn wake(&mut self) {
        if let Self::Acknowledged(window) = self
            && window.paused_at.is_none()
        {
            window.owed.clear();
        }
    }

    /// Whether the viewer has to acknowledge something before it is sent more.
    pub fn is_paused(&self) -> bool {
        matches!(self, Self::Acknowledged(Window { paused_at: Some(_), .. }))
    }

    /// Whether the viewer has been paused without an acknowledgement for [`PAUSED_MS_MAX`], and so is let go.
    pub fn is_given_up(&self, now: Timestamp) -> bool {
        matches!(self, Self::Acknowledged(Window { paused_at: Some(since), .. }) if now.millis_since(*since) >= PAUSED_MS_MAX)
    }

    /// The time at which a waiting viewer is checked again.
    pub fn due_at(&self, now: Timestamp) -> Timestamp {
        let after_ms = match self {
            Self::Acknowledged(Window { paused_at, .. }) => {
                PAUSED_MS_MAX.saturating_sub(paused_at.map_or(0, |since| now.millis_since(since)))
            }
            // A tenth of a second's refill: 100 events or 100 KiB at a time.
            Self::Metered(_) => 100,
        };
        now.plus_millis(i64::try_from(after_ms).unwrap_or(i64::MAX))
    }
}

impl Bucket {
    /// Takes bytes for frames that are no events, if a part of the bucket holds them; false if not. `part` is 2 for a
    /// half of the bucket, for example.
    pub(crate) fn take(&mut self, bytes: u64, now: Timestamp, part: u64) -> bool {
        let has_room = self.would_hold(0, bytes, now, (self.events_max / part, BUCKET_BYTES_MAX / part));
        if has_room {
            self.spend(0, bytes, now);
        }
        has_room
    }

    fn spent(&self, now: Timestamp) -> Withdrawn {
        self.spent.map_or(Withdrawn { events: 0, bytes: 0, at: now }, |spent| spent.at(now, self.events_max))
    }

    fn would_hold(&self, events: u64, bytes: u64, now: Timestamp, (events_max, bytes_max): (u64, u64)) -> bool {
        let spent = self.spent(now);
        spent.events + events <= events_max && spent.bytes + bytes <= bytes_max
    }

    fn spend(&mut self, events: u64, bytes: u64, now: Timestamp) {
        let spent = self.spent(now);
        self.spent = Some(Withdrawn { events: spent.events + events, bytes: spent.bytes + bytes, at: now });
    }
}

impl Withdrawn {
    /// The amount that is still out at a later moment.
    fn at(self, now: Timestamp, events_max: u64) -> Self {
        let passed_ms = now.millis_since(self.at).min(REFILL_MS);
        Self {
            events: self.events.saturating_sub(events_max * passed_ms / REFILL_MS),
            bytes: self.bytes.saturating_sub(BUCKET_BYTES_MAX * passed_ms / REFILL_MS),
            at: now,
        }
    }
}

//! The `events` frames of one look at the streams: made once for all that want the same from the same place.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use crate::core::log::{self, Selection, Span, Wanted};
use crate::core::store::Store;
use crate::error::Result;
use crate::id::{AgentId, EventId};
use crate::limits::FRAME_BYTES_MAX;
use crate::time::Timestamp;

/// Rows read for one frame. 64 of 1 KiB fill it; 64 of 300 bytes are 19 KiB.
const FRAME_EVENTS_MAX: u64 = 64;

/// The occasion for looking at the streams.
#[derive(Debug, Clone, Copy)]
pub struct Occasion {
    /// When.
    pub now: Timestamp,
    /// The newest event that may have been pruned since the last time: a batch beyond the cap prunes what no one has had.
    pub pruned_id: EventId,
}

impl Occasion {
    /// Nothing but the time has changed, or what a viewer wants.
    pub fn at(now: Timestamp) -> Self {
        Self { now, pruned_id: EventId::START }
    }
}

/// The frames made during one pump.
pub(crate) struct Frames<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) occasion: Occasion,
    pub(crate) head: EventId,
    pub(crate) window_events: u64,
    known: HashMap<(Selection, EventId, bool), Frame>,
    /// Whose events come after an id.
    authors: HashMap<EventId, BTreeSet<AgentId>>,
}

#[derive(Clone)]
pub(crate) struct Frame {
    /// Absent where nothing in reach passes the filters.
    pub(crate) sent: Option<Sent>,
    /// The last event that the frame covers; none: it covers all up to the head.
    pub(crate) last: Option<EventId>,
}

/// An `events` frame.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) text: Rc<str>,
    /// The last event in it: what a viewer can acknowledge.
    pub(crate) newest: EventId,
    pub(crate) count: u64,
}

impl<'a> Frames<'a> {
    pub(crate) fn new(store: &'a dyn Store, occasion: Occasion, head: EventId, window_events: u64) -> Self {
        Self { store, occasion, head, window_events, known: HashMap::new(), authors: HashMap::new() }
    }

    pub(crate) fn next(&mut self, selection: &Selection, after: EventId, backfill: bool) -> Result<Frame> {
        let key = (selection.clone(), after, backfill);
        if let Some(frame) = self.known.get(&key) {
            return Ok(frame.clone());
        }
        // Live, what is new is of few agents: whoever watches others costs no look into the log.
        let frame = if backfill || self.authors(after)?.iter().any(|author| selection.includes(author)) {
            self.make(selection, after, backfill)?
        } else {
            Frame { sent: None, last: None }
        };
        self.known.insert(key, frame.clone());
        Ok(frame)
    }

    fn authors(&mut self, after: EventId) -> Result<&BTreeSet<AgentId>> {
        Ok(match self.authors.entry(after) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(log::authors(self.store, after)?),
        })
    }

    fn make(&self, selection: &Selection, after: EventId, backfill: bool) -> Result<Frame> {
        let read = log::read(self.store, &selection.agents, Span::After(after), &Wanted::default(), FRAME_EVENTS_MAX)?;
        let mut text = EventsText::new(backfill);
        let (mut last, mut newest) = (None, EventId::START);
        let mut complete = (read.len() as u64) < FRAME_EVENTS_MAX;
        for entry in read {
            if selection.shows(&entry.event) {
                if !text.push(&entry.frame) {
                    complete = false;
                    break;
                }
                newest = entry.id;
            }
            last = Some(entry.id);
        }
        let count = text.count;
        let sent = text.finish().map(|text| Sent { text, newest, count });
        Ok(Frame { sent, last: if complete { None } else { last } })
    }
}

/// Splices event texts into one `events` frame of at most [`FRAME_BYTES_MAX`].
struct EventsText {
    text: String,
    tail: &'static str,
    count: u64,
}

impl EventsText {
    fn new(backfill: bool) -> Self {
        let tail = if backfill { "],\"backfill\":true}" } else { "],\"backfill\":false}" };
        Self { text: "{\"type\":\"events\",\"events\":[".to_owned(), tail, count: 0 }
    }

    /// Adds an event; false, and nothing is added, if the frame would be too large. One always fits.
    fn push(&mut self, event: &str) -> bool {
        if self.count > 0 && self.text.len() + 1 + event.len() + self.tail.len() > FRAME_BYTES_MAX {
            return false;
        }
        if self.count > 0 {
            self.text.push(',');
        }
        self.text.push_str(event);
        self.count += 1;
        true
    }

    fn finish(mut self) -> Option<Rc<str>> {
        self.text.push_str(self.tail);
        (self.count > 0).then(|| self.text.into())
    }
}

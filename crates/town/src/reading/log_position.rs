//! How far a reader is in the log, and which gaps it knows of. Each transport reads by it: a socket keeps it in its note, an event
//! stream, a range of lines and a page hold it as long as they last.

use serde::{Deserialize, Serialize};
use townwatch_protocol::error::Result;
use townwatch_protocol::id::EventId;
use townwatch_protocol::wire::Gap;

use crate::log::{self, Entry, PageFilter, Selection, Span};
use crate::reading::cursor::{self, Begin};
use crate::store::Store;

/// A place in the log.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct LogPosition {
    /// The last event that the reader has, or that is not for it.
    pub(crate) cursor: EventId,
    /// The head when it was last told of gaps: it knows of those before.
    gaps_known_at: Option<EventId>,
}

/// The most that is read at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// Events.
    pub(crate) events: u64,
    /// Bytes of their texts; one event is read whatever it comes to.
    pub(crate) bytes: usize,
}

/// Events behind a position.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The events, in their order.
    pub(crate) entries: Vec<Entry>,
    /// Whether there are no more up to the end that was asked for.
    pub(crate) is_all: bool,
}

impl LogPosition {
    /// The place where history begins. What lies before a tail is not wanted, rather than missed.
    pub(crate) fn new(begin: Begin, head: EventId) -> Self {
        Self { cursor: begin.cursor, gaps_known_at: begin.tail.then_some(head) }
    }

    /// The gaps that the reader does not know of yet; from now on it does.
    pub(crate) fn take_gaps(&mut self, store: &dyn Store, selection: &Selection, head: EventId) -> Result<Vec<Gap>> {
        let gaps = cursor::pruned_gaps(store, selection, self.cursor, self.gaps_known_at)?;
        self.gaps_known_at = Some(head);
        Ok(gaps)
    }

    /// The next events up to an end, which moves the position behind them.
    pub(crate) fn read(
        &mut self,
        store: &dyn Store,
        selection: &Selection,
        wanted: &PageFilter,
        end: EventId,
        extent: Extent,
    ) -> Result<Piece> {
        let after = Span::After(self.cursor);
        let (mut entries, mut is_all) =
            log::read_page(store, &selection.agents, after, wanted, extent.events, extent.bytes)?;
        let within = entries.partition_point(|entry| entry.id <= end);
        is_all |= within < entries.len();
        entries.truncate(within);
        self.cursor = entries.last().filter(|_| !is_all).map_or(end, |entry| entry.id);
        Ok(Piece { entries, is_all })
    }
}

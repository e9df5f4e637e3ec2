//! A reader's position in the log, and the gaps that the reader knows of. Every transport reads by such a position. A
//! socket keeps its position in its note. An event stream, a range of lines and a page hold theirs as long as they
//! last.

use serde::{Deserialize, Serialize};
use townwatch_protocol::error::Result;
use townwatch_protocol::id::EventId;
use townwatch_protocol::wire::Gap;

use crate::log::{self, Entry, LogSpan, PageFilter, Selection};
use crate::reading::cursor::{self, Begin};
use crate::store::Store;

/// A place in the log.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct LogPosition {
    /// The last event that the reader has, or that is not for this reader.
    pub(crate) cursor: EventId,
    /// The head at the time when the reader was last told of gaps. The reader knows all gaps from before.
    gaps_known_at: Option<EventId>,
}

/// The bounds of one read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadLimit {
    /// The number of events.
    pub(crate) events: u64,
    /// The bytes of the events' texts. One event is read even if it is larger.
    pub(crate) bytes: usize,
}

/// Events behind a position.
#[derive(Debug)]
pub(crate) struct LogPiece {
    /// The events, in their order.
    pub(crate) entries: Vec<Entry>,
    /// Whether these are all events up to the requested end.
    pub(crate) is_all: bool,
}

impl LogPosition {
    /// The position at which history begins. Events before a tail are not wanted, so they are no gap.
    pub(crate) fn new(begin: Begin, head: EventId) -> Self {
        Self { cursor: begin.cursor, gaps_known_at: begin.tail.then_some(head) }
    }

    /// Takes the gaps that the reader does not know of yet. From now on the reader counts as told.
    pub(crate) fn take_gaps(&mut self, store: &dyn Store, selection: &Selection, head: EventId) -> Result<Vec<Gap>> {
        let gaps = cursor::pruned_gaps(store, selection, self.cursor, self.gaps_known_at)?;
        self.gaps_known_at = Some(head);
        Ok(gaps)
    }

    /// Reads the next events up to an end, and moves the position behind them.
    pub(crate) fn read(
        &mut self,
        store: &dyn Store,
        selection: &Selection,
        wanted: &PageFilter,
        end: EventId,
        limit: ReadLimit,
    ) -> Result<LogPiece> {
        let after = LogSpan::After(self.cursor);
        let (mut entries, mut is_all) =
            log::read_page(store, &selection.agents, after, wanted, limit.events, limit.bytes)?;
        let within = entries.partition_point(|entry| entry.id <= end);
        is_all |= within < entries.len();
        entries.truncate(within);
        self.cursor = entries.last().filter(|_| !is_all).map_or(end, |entry| entry.id);
        Ok(LogPiece { entries, is_all })
    }
}

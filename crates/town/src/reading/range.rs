//! A whole range of the log as lines of JSON (NDJSON), read piece by piece as its reader pulls.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::EventId;
use townwatch_protocol::limits::FRAME_BYTES_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{RangeEnd, ServerFrame};

use crate::access::grantor::Grantor;
use crate::log::{self, PageFilter, Selection, Span};
use crate::reading::cursor;
use crate::reading::pages::PageRequest;
use crate::reading::reader::one_line;
use crate::town::Town;
use crate::viewers::text_of;

/// What is left of a range.
#[derive(Debug)]
pub struct Range {
    selection: Selection,
    wanted: PageFilter,
    cursor: EventId,
    /// The last event of it.
    end: EventId,
    /// How many it may still have.
    left: u64,
    gaps_known_at: Option<EventId>,
    /// What it is told first.
    greeting: Option<String>,
    /// The newest event when it was opened.
    head: EventId,
    /// Whether it was told that it is whole.
    is_over: bool,
    /// By whose right it is read.
    grantor: Grantor,
}

/// Events of one piece.
const PIECE_EVENTS_MAX: u64 = 64;

impl Town {
    /// Opens the range that a request asks for: up to the present head, from the log's start where it names no cursor.
    /// Who reads slowly reads no longer than the right lasts.
    pub fn open_range(&self, selection: Selection, request: PageRequest, grantor: Grantor) -> Result<Range> {
        let store = self.store.as_ref();
        request.check()?;
        let begin = cursor::resolve(store, &selection, &self.epoch, &request.asked)?;
        let head = log::head(store)?;
        let end = request.before_id.and_then(EventId::new).map_or(head, |before| before.previous().min(head));
        let greeting = begin.reset.then(|| Ok::<_, Error>(line(&self.hello(true)?))).transpose()?;
        Ok(Range {
            selection,
            wanted: request.wanted,
            cursor: begin.cursor,
            end,
            left: request.limit.unwrap_or(u64::MAX),
            gaps_known_at: begin.tail.then_some(head),
            greeting,
            head,
            is_over: false,
            grantor,
        })
    }

    /// The next lines of a range, the last of which says that it is whole; none behind it. Over HTTP/1.0, as some proxies
    /// speak it, an answer that breaks off looks like one that has ended.
    pub fn read_range(&self, range: &mut Range, now: Timestamp) -> Result<Option<String>> {
        if !range.is_over {
            self.check_lasts(&range.grantor, now)?;
        }
        let store = self.store.as_ref();
        let mut text = range.greeting.take().unwrap_or_default();
        while text.is_empty() && range.cursor < range.end && range.left > 0 {
            for gap in cursor::pruned_gaps(store, &range.selection, range.cursor, range.gaps_known_at)? {
                text.push_str(&line(&ServerFrame::Gap(gap)));
            }
            range.gaps_known_at = Some(log::head(store)?);
            let (agents, after) = (&range.selection.agents, Span::After(range.cursor));
            let limit = range.left.min(PIECE_EVENTS_MAX);
            let (entries, is_all) = log::read_page(store, agents, after, &range.wanted, limit, FRAME_BYTES_MAX)?;
            range.cursor = entries.last().filter(|_| !is_all).map_or(range.end, |entry| entry.id);
            for entry in entries.iter().take_while(|entry| entry.id <= range.end) {
                text.push_str(&one_line(&entry.frame));
                text.push('\n');
                range.left -= 1;
            }
        }
        if text.is_empty() && !range.is_over {
            range.is_over = true;
            let end = RangeEnd::Complete { next_after_id: range.cursor.min(range.end), head: range.head };
            text = serde_json::to_string(&end).map_err(Error::internal)? + "\n";
        }
        Ok((!text.is_empty()).then_some(text))
    }
}

fn line(frame: &ServerFrame) -> String {
    text_of(frame) + "\n"
}

//! A whole range of the log as lines of JSON (NDJSON), read piece by piece as its reader pulls.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::EventId;
use townwatch_protocol::limits::FRAME_BYTES_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{RangeEnd, ServerFrame};

use crate::access::grantor::Grantor;
use crate::log::{self, PageFilter, Selection};
use crate::reading::cursor::{self, BeginAt};
use crate::reading::log_position::{Extent, LogPosition, Piece};
use crate::reading::pages::PageRequest;
use crate::reading::reader::one_line;
use crate::town::Town;
use crate::viewers::text_of;

/// What is left of a range.
#[derive(Debug)]
pub struct Range {
    selection: Selection,
    wanted: PageFilter,
    position: LogPosition,
    /// The last event of it.
    end: EventId,
    /// How many it may still have.
    left: u64,
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
        let begin = cursor::resolve(store, &selection, &self.epoch, &request.asked)?;
        let head = log::head(store)?;
        let end = match request.asked.at {
            BeginAt::Before(id) => EventId::new(id).map_or(head, |before| before.previous().min(head)),
            _ => head,
        };
        let greeting = begin.reset.then(|| Ok::<_, Error>(line(&self.hello(true)?))).transpose()?;
        Ok(Range {
            selection,
            wanted: request.wanted,
            position: LogPosition::new(begin, head),
            end,
            left: request.limit.unwrap_or(u64::MAX),
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
        while text.is_empty() && range.position.cursor < range.end && range.left > 0 {
            for gap in range.position.take_gaps(store, &range.selection, log::head(store)?)? {
                text.push_str(&line(&ServerFrame::Gap(gap)));
            }
            let extent = Extent { events: range.left.min(PIECE_EVENTS_MAX), bytes: FRAME_BYTES_MAX };
            let Piece { entries, .. } =
                range.position.read(store, &range.selection, &range.wanted, range.end, extent)?;
            for entry in &entries {
                text.push_str(&one_line(&entry.frame));
                text.push('\n');
                range.left -= 1;
            }
        }
        if text.is_empty() && !range.is_over {
            range.is_over = true;
            let end = RangeEnd::Complete { next_after_id: range.position.cursor.min(range.end), head: range.head };
            text = serde_json::to_string(&end).map_err(Error::internal)? + "\n";
        }
        Ok((!text.is_empty()).then_some(text))
    }
}

fn line(frame: &ServerFrame) -> String {
    text_of(frame) + "\n"
}

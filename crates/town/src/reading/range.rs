//! A whole range of the log as lines of JSON (NDJSON), read piece by piece as its reader pulls.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::EventId;
use townwatch_protocol::limits::FRAME_BYTES_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{RangeEnd, ServerFrame};

use crate::access::grantor::Grantor;
use crate::log::{self, PageFilter, Selection};
use crate::reading::cursor::{self, BeginAt};
use crate::reading::log_position::{LogPiece, LogPosition, ReadLimit};
use crate::reading::pages::PageRequest;
use crate::reading::reader::one_line;
use crate::town::Town;
use crate::viewers::text_of;

/// The rest of a range that is being read.
#[derive(Debug)]
pub struct RangeReader {
    selection: Selection,
    wanted: PageFilter,
    position: LogPosition,
    /// The last event of the range.
    end: EventId,
    /// The number of events that may still be read.
    left: u64,
    /// The first text for the reader: `hello` after a reset.
    greeting: Option<String>,
    /// The newest event at the time of the opening.
    head: EventId,
    /// Whether the reader was told that the range is whole.
    is_over: bool,
    /// The grantor by whose right the range is read.
    grantor: Grantor,
}

/// Events of one piece, 64; further events come with the next piece. Their texts are bounded by [`FRAME_BYTES_MAX`],
/// too.
const PIECE_EVENTS_MAX: u64 = 64;

impl Town {
    /// Opens the range of a request: up to the present head, and from the log's start where the request names no
    /// cursor. A slow reader can read only as long as its right lasts.
    pub fn open_range(&self, selection: Selection, request: PageRequest, grantor: Grantor) -> Result<RangeReader> {
        let store = self.store.as_ref();
        let begin = cursor::resolve(store, &selection, &self.epoch, &request.asked)?;
        let head = log::head(store)?;
        let end = match request.asked.at {
            BeginAt::Before(id) => EventId::new(id).map_or(head, |before| before.previous().min(head)),
            _ => head,
        };
        let greeting = begin.reset.then(|| Ok::<_, Error>(line(&self.hello(true)?))).transpose()?;
        Ok(RangeReader {
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

    /// Reads the next lines of a range; `None` behind the last one. The last line says that the range is whole: over
    /// HTTP/1.0, which some proxies speak, an answer that breaks off looks like one that has ended.
    ///
    /// # Errors
    /// `unauthorized`: the reader's right is over. Otherwise the tables cannot be read.
    pub fn read_range(&self, range: &mut RangeReader, now: Timestamp) -> Result<Option<String>> {
        if !range.is_over {
            self.check_lasts(&range.grantor, now)?;
        }
        let store = self.store.as_ref();
        let mut text = range.greeting.take().unwrap_or_default();
        while text.is_empty() && range.position.cursor < range.end && range.left > 0 {
            for gap in range.position.take_gaps(store, &range.selection, log::head(store)?)? {
                text.push_str(&line(&ServerFrame::Gap(gap)));
            }
            let limit = ReadLimit { events: range.left.min(PIECE_EVENTS_MAX), bytes: FRAME_BYTES_MAX };
            let LogPiece { entries, .. } =
                range.position.read(store, &range.selection, &range.wanted, range.end, limit)?;
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

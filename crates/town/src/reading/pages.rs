//! Pages of the town's log for REST.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::EventId;
use townwatch_protocol::limits::{PAGE_BYTES_MAX, PAGE_EVENTS_DEFAULT, PAGE_EVENTS_MAX};
use townwatch_protocol::wire::EventsPage;

use crate::log::{self, LogSpan, PageFilter, Selection};
use crate::reading::cursor::{self, BeginAt, BeginRequest};
use crate::reading::log_position::{LogPiece, LogPosition, ReadLimit};
use crate::town::Town;

/// A request for a page or a range.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// The start or the end of the page. Without one, the page is the latest one.
    pub asked: BeginRequest,
    /// The number of events, 1 to [`PAGE_EVENTS_MAX`]. Without one: as many as a tail names, else
    /// [`PAGE_EVENTS_DEFAULT`].
    pub limit: Option<u64>,
    /// Conditions on the events.
    pub wanted: PageFilter,
}

impl Town {
    /// Reads a page, ascending by id.
    pub fn page(&self, selection: &Selection, request: &PageRequest) -> Result<EventsPage> {
        let store = self.store.as_ref();
        let PageRequest { asked, limit, wanted } = request;
        // A request for a tail has already named a number of events.
        let unsaid = if let BeginAt::Tail(_) = asked.at { PAGE_EVENTS_MAX } else { PAGE_EVENTS_DEFAULT };
        let limit = limit.unwrap_or(unsaid).clamp(1, PAGE_EVENTS_MAX);
        let (head, oldest_id) = (log::head(store)?, log::oldest(store)?);
        let is_of_another_life = asked.epoch.as_ref().is_some_and(|epoch| *epoch != self.epoch);
        let backwards = match asked.at {
            BeginAt::Before(id) => Some((EventId::new(id).unwrap_or(head.next()), limit)),
            BeginAt::Unsaid if !is_of_another_life => Some((head.next(), limit)),
            BeginAt::Tail(count) => Some((head.next(), count.min(limit))),
            BeginAt::Unsaid | BeginAt::After(_) | BeginAt::From(_) => None,
        };
        if let Some((before, count)) = backwards {
            let (kept, _) =
                log::read_page(store, &selection.agents, LogSpan::Before(before), wanted, count, PAGE_BYTES_MAX)?;
            let next_after_id = kept.last().map_or(before.previous().min(head), |entry| entry.id);
            return Ok(self.assemble(kept, next_after_id, head, oldest_id, Vec::new(), false));
        }
        let begin = cursor::resolve(store, selection, &self.epoch, asked)?;
        let mut position = LogPosition::new(begin, head);
        let gaps = position.take_gaps(store, selection, head)?;
        let limit = ReadLimit { events: limit, bytes: PAGE_BYTES_MAX };
        let LogPiece { entries, .. } = position.read(store, selection, wanted, head, limit)?;
        Ok(self.assemble(entries, position.cursor, head, oldest_id, gaps, begin.reset))
    }

    fn assemble(
        &self,
        entries: Vec<log::Entry>,
        next_after_id: EventId,
        head: EventId,
        oldest_id: EventId,
        gaps: Vec<townwatch_protocol::wire::Gap>,
        reset: bool,
    ) -> EventsPage {
        let events = entries.into_iter().map(|entry| entry.frame).collect();
        EventsPage { epoch: self.epoch.clone(), events, next_after_id, head, oldest_id, gaps, reset }
    }

    /// Reads one event, whole.
    ///
    /// # Errors
    /// `not_found`: the event is pruned or has not happened. Otherwise the tables cannot be read.
    pub fn event(&self, id: EventId) -> Result<Box<serde_json::value::RawValue>> {
        log::whole(self.store.as_ref(), id)?.ok_or_else(|| Error::not_found("event; it is pruned, or has not happened"))
    }
}

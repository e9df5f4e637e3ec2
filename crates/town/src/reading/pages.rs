//! Pages of the town's log for REST.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::EventId;
use townwatch_protocol::limits::{PAGE_BYTES_MAX, PAGE_EVENTS_DEFAULT, PAGE_EVENTS_MAX};
use townwatch_protocol::wire::EventsPage;

use crate::log::{self, PageFilter, Selection, Span};
use crate::reading::cursor::{self, CursorRequest};
use crate::town::Town;

/// What a reader asks for. Without a cursor it gets the latest page.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// Where it begins.
    pub asked: CursorRequest,
    /// The page before this id.
    pub before_id: Option<u64>,
    /// 1 to [`PAGE_EVENTS_MAX`]; where absent [`PAGE_EVENTS_DEFAULT`], or as many as a tail names.
    pub limit: Option<u64>,
    /// Conditions on the events.
    pub wanted: PageFilter,
}

impl PageRequest {
    /// Whether it names no cursor.
    pub(crate) fn is_from_nowhere(&self) -> bool {
        self.asked.after_id.is_none() && self.asked.from.is_none() && self.asked.tail.is_none()
    }

    /// A range has one beginning.
    pub(crate) fn check(&self) -> Result<()> {
        if self.before_id.is_some() && !self.is_from_nowhere() {
            return Err(Error::invalid("before_id", "not together with after_id, from or tail; name one of them"));
        }
        Ok(())
    }
}

impl Town {
    /// A page, ascending by id.
    pub fn page(&self, selection: &Selection, request: &PageRequest) -> Result<EventsPage> {
        let store = self.store.as_ref();
        let asked = &request.asked;
        // Who names a tail has said how many.
        let unsaid = if asked.tail.is_some() { PAGE_EVENTS_MAX } else { PAGE_EVENTS_DEFAULT };
        let limit = request.limit.unwrap_or(unsaid).clamp(1, PAGE_EVENTS_MAX);
        let (head, oldest_id) = (log::head(store)?, log::oldest(store)?);
        request.check()?;
        let is_of_another_life = asked.epoch.as_ref().is_some_and(|epoch| *epoch != self.epoch);
        let backwards = match request.before_id {
            Some(before_id) => Some((EventId::new(before_id).unwrap_or(head.next()), limit)),
            None if request.is_from_nowhere() && !is_of_another_life => Some((head.next(), limit)),
            None => asked.tail.map(|tail| (head.next(), tail.min(limit))),
        };
        if let Some((before, count)) = backwards {
            asked.check()?;
            let (kept, _) =
                log::read_page(store, &selection.agents, Span::Before(before), &request.wanted, count, PAGE_BYTES_MAX)?;
            let next_after_id = kept.last().map_or(before.previous().min(head), |entry| entry.id);
            return Ok(self.assemble(kept, next_after_id, head, oldest_id, Vec::new(), false));
        }
        let begin = cursor::resolve(store, selection, &self.epoch, asked)?;
        let gaps = cursor::pruned_gaps(store, selection, begin.cursor, None)?;
        let after = Span::After(begin.cursor);
        let (kept, is_all) = log::read_page(store, &selection.agents, after, &request.wanted, limit, PAGE_BYTES_MAX)?;
        let next_after_id = match kept.last() {
            Some(entry) if !is_all => entry.id,
            _ => head,
        };
        Ok(self.assemble(kept, next_after_id, head, oldest_id, gaps, begin.reset))
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
        let events = entries
            .into_iter()
            .filter_map(|entry| serde_json::value::RawValue::from_string(entry.frame).ok())
            .collect();
        EventsPage { epoch: self.epoch.clone(), events, next_after_id, head, oldest_id, gaps, reset }
    }

    /// One event, whole.
    pub fn event(&self, id: EventId) -> Result<Box<serde_json::value::RawValue>> {
        log::whole(self.store.as_ref(), id)?.ok_or_else(|| Error::not_found("event; it is pruned, or has not happened"))
    }
}

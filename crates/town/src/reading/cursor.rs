//! The start of a reader's history: all rules of the contract's section "Resuming" for it.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::{Epoch, EventId};
use townwatch_protocol::limits::EVENTS_PER_AGENT_MAX;
use townwatch_protocol::query::Query;
use townwatch_protocol::wire::{AgentSelection, Gap, GapReason};

use crate::agents;
use crate::log::{self, Selection};
use crate::store::{LIST, Store, list};

/// A reader's request to begin at a place in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BeginRequest {
    /// The life of the log that the request's ids belong to, where the reader knows it.
    pub epoch: Option<Epoch>,
    /// The place.
    pub at: BeginAt,
}

/// One of the ways to name a place in the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BeginAt {
    /// No place is named: a stream or a range begins with the log, and a page is the latest one.
    #[default]
    Unsaid,
    /// The place behind this event, which is the last that the reader has. An id beyond the head is unknown here:
    /// history begins at its start, as a reset.
    After(u64),
    /// The place of this event itself: one more than the last that the reader has. Sketch's clients number the events
    /// that they get, and ask for the next number. 0 or a negative number is the start. A number beyond the head is the
    /// event that comes next.
    From(i64),
    /// The newest events, so many of them.
    Tail(u64),
    /// The events before this one: the end of a page or a range.
    Before(u64),
}

/// The start of a reader's history, as decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begin {
    /// The last event that the reader is taken to have.
    pub cursor: EventId,
    /// Whether the reader's own cursor is unknown here, so that history begins at the log's start.
    pub reset: bool,
    /// Whether the events before are unwanted, as before a tail. Otherwise the reader misses them.
    pub tail: bool,
}

impl BeginRequest {
    /// A request to begin behind this event.
    pub fn after(id: u64) -> Self {
        Self { epoch: None, at: BeginAt::After(id) }
    }

    /// A request to begin with this event.
    pub fn from_event(id: i64) -> Self {
        Self { epoch: None, at: BeginAt::From(id) }
    }

    /// A request for the newest events, so many of them.
    pub fn tail(count: u64) -> Self {
        Self { epoch: None, at: BeginAt::Tail(count) }
    }

    /// A request for the events before this one.
    pub fn before(id: u64) -> Self {
        Self { epoch: None, at: BeginAt::Before(id) }
    }

    /// The same request in a life of the log.
    #[must_use]
    pub fn of_epoch(self, epoch: Option<Epoch>) -> Self {
        Self { epoch, ..self }
    }

    /// Reads a stream's query: `epoch`, and one of `after_id`, `from` and `tail`, of which `from` beats `after_id`.
    ///
    /// # Errors
    /// `invalid`: a value is not of its kind, or two places are named.
    pub fn of_stream(query: &Query) -> Result<Self> {
        let from = from(query)?;
        let after = position(query, "after_id")?.map(BeginAt::After);
        Self::one_of(query, from.map(BeginAt::From).or(after), None)
    }

    /// Reads the query of a page or a range: `epoch`, and one of `after_id`, `tail` and `before_id`.
    ///
    /// # Errors
    /// `invalid`: a value is not of its kind, or two places are named.
    pub fn of_page(query: &Query) -> Result<Self> {
        Self::one_of(query, position(query, "after_id")?.map(BeginAt::After), position(query, "before_id")?)
    }

    fn one_of(query: &Query, behind: Option<BeginAt>, before: Option<u64>) -> Result<Self> {
        let tail = query.number("tail", 0, EVENTS_PER_AGENT_MAX)?.map(BeginAt::Tail);
        let wrong = |field| Err(Error::invalid(field, "not together with another place to begin; name one of them"));
        let at = match (behind, tail, before.map(BeginAt::Before)) {
            (None, None, None) => BeginAt::Unsaid,
            (Some(at), None, None) | (None, Some(at), None) | (None, None, Some(at)) => at,
            (_, _, Some(_)) => return wrong("before_id"),
            (Some(_), Some(_), None) => return wrong("tail"),
        };
        Ok(Self { epoch: query.id("epoch", Epoch::parse, Epoch::EXPECTED)?, at })
    }
}

fn position(query: &Query, name: &str) -> Result<Option<u64>> {
    Ok(query.position(name)?.map(EventId::get))
}

/// Reads `from`, which may be negative: every negative number counts as -1, and so as the log's start.
fn from(query: &Query) -> Result<Option<i64>> {
    match query.text("from")?.and_then(|text| text.strip_prefix('-')) {
        Some(rest) if !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(-1)),
        Some(_) => Err(Error::invalid("from", "expected an integer")),
        None => Ok(query.position("from")?.map(|id| i64::try_from(id.get()).unwrap_or(i64::MAX))),
    }
}

/// Decides where history begins.
pub fn resolve(store: &dyn Store, selection: &Selection, epoch: &Epoch, asked: &BeginRequest) -> Result<Begin> {
    if let BeginAt::Tail(count) = asked.at {
        let cursor = log::tail_position(store, &selection.agents, count)?;
        return Ok(Begin { cursor, reset: false, tail: true });
    }
    let head = log::head(store)?;
    if asked.epoch.as_ref().is_some_and(|asked| asked != epoch) {
        return Ok(Begin { cursor: EventId::START, reset: true, tail: false });
    }
    let wanted = match asked.at {
        BeginAt::From(id) => u64::try_from(id).unwrap_or(0).saturating_sub(1).min(head.get()),
        BeginAt::After(id) => id,
        BeginAt::Unsaid | BeginAt::Before(_) | BeginAt::Tail(_) => 0,
    };
    match EventId::new(wanted).filter(|wanted| *wanted <= head) {
        Some(cursor) => Ok(Begin { cursor, reset: false, tail: false }),
        None => Ok(Begin { cursor: EventId::START, reset: true, tail: false }),
    }
}

/// The gaps for a reader at `cursor`, one entry for each agent: events that the reader will never get. `known_at` is
/// the head at the time when the reader was last told of gaps. Events that were pruned before that are known to the
/// reader, and are left out.
pub fn pruned_gaps(
    store: &dyn Store,
    selection: &Selection,
    cursor: EventId,
    known_at: Option<EventId>,
) -> Result<Vec<Gap>> {
    let known_at = known_at.map_or(-1, |id| i64::try_from(id.get()).unwrap_or(i64::MAX));
    let mut parameters = vec![cursor.into(), known_at.into()];
    let columns = "SELECT agent_id, first_id, pruned_id, pruned_count FROM";
    let condition = "pruned_id > ?1 AND pruned_at_head > ?2";
    let sql = match &selection.agents {
        // Archived agents may be ten times as many. An index finds those of them that have a gap to tell.
        AgentSelection::All => format!(
            "{columns} {} AND {condition} UNION ALL {columns} agents INDEXED BY agents_archived_pruned \
             WHERE archived_at_ms IS NOT NULL AND {condition} ORDER BY agent_id",
            agents::PRESENT
        ),
        AgentSelection::Only(agents) => {
            parameters.push(list(agents)?);
            format!("{columns} agents WHERE {condition} AND agent_id IN {LIST} ORDER BY agent_id")
        }
    };
    let rows = store.query(&sql, &parameters)?;
    let mut gaps = Vec::new();
    for row in &rows {
        let agent_id = agents::parse(townwatch_protocol::id::AgentId::parse(row.text(0)?))?;
        let (first, to) = (agents::position(row, 1)?, agents::position(row, 2)?);
        let count = (cursor < first).then(|| row.number(3)).transpose()?;
        gaps.push(Gap { agent_id, from: first.max(cursor.next()), to, count, reason: GapReason::Pruned });
    }
    Ok(gaps)
}

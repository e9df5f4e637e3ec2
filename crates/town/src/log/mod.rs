//! The town's log: the only place where an event gets its id, and the only buffer there is.

pub mod cut;
pub mod images;
pub mod ingest;
pub mod json_scan;
pub(crate) mod previews;
pub(crate) mod recent;
pub mod reducer;
pub(crate) mod space;
pub(crate) mod states;
pub(crate) mod writer;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::event::EventKind;
use townwatch_protocol::id::{AgentId, EventId, EventName, RunId};
use townwatch_protocol::limits::EVENT_FRAME_BYTES_MAX;
use townwatch_protocol::wire::{AgentSelection, Filters};

use crate::agents::runs;
use crate::agents::{parse, position};
use crate::git_url;
use crate::joined_rows::{JOINED_BYTES_MAX, NAMES_BYTES_MAX, joined, rows_of};
use crate::store::{LIST, Row, Store, Value, list};

/// The newest event's id, 0 where there never was one. Each agent keeps its newest event, and what is deleted with an agent
/// is remembered, so no id is ever given twice.
pub fn head(store: &dyn Store) -> Result<EventId> {
    let known = &store.known_head().newest;
    let newest = known.get().map_or_else(|| one_position(store, "SELECT max(id) FROM agent_events"), Ok)?;
    known.set(Some(newest));
    Ok(newest.max(store.known_head().erased.get()))
}

/// The oldest retained event's id, 0 where there is none.
pub fn oldest(store: &dyn Store) -> Result<EventId> {
    one_position(store, "SELECT min(id) FROM agent_events")
}

fn one_position(store: &dyn Store, sql: &str) -> Result<EventId> {
    let found = store.query(sql, &[])?.first().and_then(|row| row.maybe_number(0)).unwrap_or(0);
    EventId::new(found).ok_or_else(|| Error::internal("a stored position is beyond 2^53"))
}

/// The events that a reader wants.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Selection {
    /// The agents of the events.
    pub agents: AgentSelection,
    /// The kinds of the events.
    pub filters: Filters,
}

impl Selection {
    /// Everything of one agent.
    pub fn agent(agent_id: AgentId) -> Self {
        Self { agents: AgentSelection::Only(vec![agent_id]), filters: Filters::default() }
    }

    /// Everything of the town.
    pub fn town() -> Self {
        Self { agents: AgentSelection::All, filters: Filters::default() }
    }

    /// Whether it is about this agent.
    pub fn includes(&self, agent_id: &AgentId) -> bool {
        includes(&self.agents, agent_id)
    }

    /// Whether the filters let an event of this name through: lifecycle, questions and errors always.
    pub fn shows(&self, event: &str) -> bool {
        match EventKind::parse(event) {
            Some(EventKind::ToolCall) => self.filters.tool_calls,
            Some(EventKind::ToolResult) => self.filters.tool_results,
            Some(EventKind::Output) => self.filters.output,
            Some(EventKind::FileChanged) => self.filters.files,
            Some(EventKind::Progress) => self.filters.progress,
            _ => true,
        }
    }
}

fn includes(agents: &AgentSelection, agent_id: &AgentId) -> bool {
    match agents {
        AgentSelection::All => true,
        AgentSelection::Only(agents) => agents.binary_search(agent_id).is_ok(),
    }
}

/// An event as it lies in the log.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The event's id.
    pub id: EventId,
    /// The event's agent.
    pub agent_id: AgentId,
    /// The event's name.
    pub event: String,
    /// The event's frame text.
    pub frame: String,
}

/// A part of the log, and the most that is read of it.
#[derive(Debug, Clone, Copy)]
pub enum LogSpan {
    /// Ascending from the first after this id.
    After(EventId),
    /// The last ones before this id, still given ascending.
    Before(EventId),
}

/// Further conditions of a page.
#[derive(Debug, Clone, Default)]
pub struct PageFilter {
    /// Only of this run.
    pub run_id: Option<RunId>,
    /// Only of these names; empty: of all.
    pub events: Vec<EventName>,
}

/// The most events of one read, 36: all of 48 KiB they still are one text.
pub(crate) const CHUNK_EVENTS: u64 = 36;
const _: () = assert!(CHUNK_EVENTS * (EVENT_FRAME_BYTES_MAX as u64 + NAMES_BYTES_MAX) <= JOINED_BYTES_MAX);

/// Reads at most `limit` events of a selection's agents, up to [`CHUNK_EVENTS`], ascending. Filters are left to the caller, who has to know how
/// far the reading went.
pub fn read(
    store: &dyn Store,
    agents: &AgentSelection,
    span: LogSpan,
    wanted: &PageFilter,
    limit: u64,
) -> Result<Vec<Entry>> {
    let (order, mut after, mut before) = match span {
        LogSpan::After(id) => ("ASC", id, None),
        LogSpan::Before(id) => ("DESC", EventId::START, Some(id)),
    };
    let run = wanted.run_id.as_ref().map(|run_id| runs::extent(store, run_id)).transpose()?;
    let (of_agents, mut parameters) = match &run {
        None => of_agents(agents)?,
        // Its agent and its ends bound the reading; between them are other events only of a run beside it.
        Some(Some(run)) if includes(agents, &run.agent_id) => {
            after = after.max(run.first.previous());
            before = [before, run.last.map(EventId::next)].into_iter().flatten().min();
            ("agent_id = ? AND run_id = ?".to_owned(), vec![run.agent_id.as_str().into(), run.run_id.as_str().into()])
        }
        Some(_) => return Ok(Vec::new()),
    };
    let mut conditions = vec![of_agents, "id > ?".to_owned()];
    parameters.push(after.into());
    if let Some(before) = before {
        conditions.push("id < ?".to_owned());
        parameters.push(before.into());
    }
    if !wanted.events.is_empty() {
        conditions.push(format!("event IN {LIST}"));
        parameters.push(list(&wanted.events)?);
    }
    parameters.push(limit.min(CHUNK_EVENTS).into());
    let sql = format!(
        "SELECT {} FROM (SELECT id, agent_id, event, frame FROM agent_events WHERE {} ORDER BY id {order} LIMIT ?)",
        joined(&["id", "agent_id", "event", "frame"]),
        conditions.join(" AND ")
    );
    let rows = store.query(&sql, &parameters)?;
    let text = rows.first().and_then(|row| row.maybe_text(0));
    let mut entries = text.into_iter().flat_map(rows_of).map(|row| entry(row?)).collect::<Result<Vec<_>>>()?;
    entries.sort_unstable_by_key(|entry| entry.id);
    Ok(entries)
}

/// The condition that an event is of a selection's agents, with its parameters.
fn of_agents(agents: &AgentSelection) -> Result<(String, Vec<Value>)> {
    let AgentSelection::Only(agents) = agents else { return Ok(("true".to_owned(), Vec::new())) };
    Ok(match agents.as_slice() {
        [agent_id] => ("agent_id = ?".to_owned(), vec![agent_id.as_str().into()]),
        // The unary plus keeps SQLite on the id's order: near the head, where streams read, that touches what is new only.
        agents => (format!("+agent_id IN {LIST}"), vec![list(agents)?]),
    })
}

/// A page: at most `limit` events and, beyond the first, `bytes_max` bytes, ascending. With it, whether that is all there
/// is in this direction.
pub fn read_page(
    store: &dyn Store,
    agents: &AgentSelection,
    mut span: LogSpan,
    wanted: &PageFilter,
    limit: u64,
    bytes_max: usize,
) -> Result<(Vec<Entry>, bool)> {
    let backwards = matches!(span, LogSpan::Before(_));
    let (mut page, mut bytes, mut is_all) = (Vec::new(), 0, false);
    'page: while (page.len() as u64) < limit && !is_all {
        let count = CHUNK_EVENTS.min(limit - page.len() as u64);
        let mut chunk = read(store, agents, span, wanted, count)?;
        is_all = (chunk.len() as u64) < count;
        if backwards {
            chunk.reverse();
        }
        for entry in chunk {
            bytes += entry.frame.len();
            if bytes > bytes_max && !page.is_empty() {
                is_all = false;
                break 'page;
            }
            span = if backwards { LogSpan::Before(entry.id) } else { LogSpan::After(entry.id) };
            page.push(entry);
        }
    }
    if backwards {
        page.reverse();
    }
    Ok((page, is_all))
}

fn entry([id, agent_id, event, frame]: [&str; 4]) -> Result<Entry> {
    Ok(Entry {
        id: parse(id.parse().ok().and_then(EventId::new))?,
        agent_id: parse(AgentId::parse(agent_id))?,
        event: event.to_owned(),
        frame: git_url::event_shown(event, frame.to_owned()),
    })
}

/// The agents that have events after this id. The unary plus serves as below: without it the whole index would be read
/// for its order.
pub fn authors(store: &dyn Store, after: EventId) -> Result<BTreeSet<AgentId>> {
    let rows = store.query("SELECT DISTINCT +agent_id FROM agent_events WHERE id > ?", &[after.into()])?;
    rows.iter().map(|row| parse(AgentId::parse(row.text(0)?))).collect()
}

/// The position such that the newest `count` events of a selection's agents come after it.
pub fn tail_position(store: &dyn Store, agents: &AgentSelection, count: u64) -> Result<EventId> {
    let Some(before) = count.checked_sub(1) else { return head(store) };
    let (of_agents, mut parameters) = of_agents(agents)?;
    parameters.push(before.into());
    let sql = format!("SELECT id FROM agent_events WHERE {of_agents} ORDER BY id DESC LIMIT 1 OFFSET ?");
    let first = store.query(&sql, &parameters)?;
    first.first().map_or(Ok(EventId::START), |row| Ok(position(row, 0)?.previous()))
}

/// The number of an agent's retained events after an id.
pub fn count_after(store: &dyn Store, agent_id: &AgentId, after: EventId) -> Result<u64> {
    let sql = "SELECT count(*) FROM agent_events WHERE agent_id = ? AND id > ?";
    store.query(sql, &[agent_id.as_str().into(), after.into()])?.first().map_or(Ok(0), |row| row.number(0))
}

/// A whole event.
pub fn whole(store: &dyn Store, id: EventId) -> Result<Option<Box<RawValue>>> {
    let rows = store.query(
        "SELECT event, coalesce((SELECT event FROM whole_events WHERE id = ?1), frame) FROM agent_events WHERE id = ?1",
        &[id.into()],
    )?;
    let shown = |row: &Row| Ok(git_url::event_shown(row.text(0)?, row.text(1)?.to_owned()));
    let text = rows.first().map(shown).transpose()?;
    text.map(|text| RawValue::from_string(text).map_err(Error::internal)).transpose()
}

//! The town's log: the only place where an event gets its id, and the only buffer there is.

pub mod cut;
pub mod images;
pub mod ingest;
pub mod json_scan;
pub(crate) mod previews;
pub mod reducer;
pub(crate) mod space;
pub(crate) mod states;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::event::{Draft, EventData, EventKind};
use townwatch_protocol::id::{AgentId, EventId, EventName, RunId};
use townwatch_protocol::limits::{EVENT_BYTES_MAX, EVENT_BYTES_PER_AGENT_MAX, EVENT_FRAME_BYTES_MAX};
use townwatch_protocol::wire::{AgentSelection, Filters, TownEvent};

use crate::agents::runs::{self, Run};
use crate::agents::{Agent, parse, position};
use crate::git_url;
use crate::log::cut::cut;
use crate::log::reducer::ReducerInput;
use crate::store::{Row, Store, Value};

/// The newest event's id, 0 where there never was one. Each agent keeps its newest event, and what is deleted with an agent
/// is remembered, so no id is ever given twice.
pub fn head(store: &dyn Store) -> Result<EventId> {
    let newest = one_position(store, "SELECT max(id) FROM agent_events")?;
    Ok(newest.max(store.erased_head().get()))
}

/// The oldest retained event's id, 0 where there is none.
pub fn oldest(store: &dyn Store) -> Result<EventId> {
    one_position(store, "SELECT min(id) FROM agent_events")
}

fn one_position(store: &dyn Store, sql: &str) -> Result<EventId> {
    let found = store.query(sql, &[])?.first().and_then(|row| row.maybe_number(0)).unwrap_or(0);
    EventId::new(found).ok_or_else(|| Error::internal("a stored position is beyond 2^53"))
}

/// Stores one event under the id `id`, as viewers will get it, and takes it into its agent's state. The state is made of
/// the frame form, so that what is retained leads to it again. Of an agent that is at its cap the oldest event goes, and
/// the new one takes over its row: that counts as two rows written, a deletion and an insertion as three.
pub fn append(
    store: &dyn Store,
    id: EventId,
    agent: &mut Agent,
    run: &Run,
    draft: &Draft,
    event_cap: u64,
) -> Result<()> {
    let Framed { frame, whole, data } = framed(id, agent, &run.run_id, draft);
    let bytes = frame.len() + whole.as_ref().map_or(0, String::len);
    let oldest = if agent.event_count >= event_cap.max(1) { forget_oldest(store, agent, id, id)? } else { None };
    let (sql, place) = if let Some(oldest) = oldest {
        ("UPDATE agent_events SET id = ?, run_id = ?, event = ?, frame = ? WHERE id = ?", oldest.into())
    } else {
        let sql = "INSERT INTO agent_events (id, run_id, event, frame, agent_id) VALUES (?, ?, ?, ?, ?)";
        (sql, agent.id().as_str().into())
    };
    let (run_id, event) = (run.run_id.as_str().into(), draft.event.as_str().into());
    store.query(sql, &[id.into(), run_id, event, frame.into(), place])?;
    if let Some(whole) = whole {
        store.query("INSERT INTO whole_events (id, event) VALUES (?, ?)", &[id.into(), whole.into()])?;
    }
    agent.event_count += 1;
    agent.event_bytes += bytes as u64;
    if agent.first_id == EventId::START {
        agent.first_id = id;
    }
    agent.now.reduce(&ReducerInput { id, run: Some((&run.run_id, run.number)), data: &data, at: draft.at });
    Ok(())
}

struct Framed {
    frame: String,
    whole: Option<String>,
    data: EventData,
}

/// An event's frame form of at most [`EVENT_FRAME_BYTES_MAX`], and the whole event where that form is cut. Of one that is
/// larger than any may arrive there is no more than that form: a row has its bound, and what cannot be stored would hold
/// up all that comes after it.
fn framed(id: EventId, agent: &Agent, run_id: &RunId, draft: &Draft) -> Framed {
    let prefix = format!(
        "{{\"id\":{id},\"agent_id\":\"{}\",\"rig_id\":\"{}\",\"run_id\":\"{run_id}\",\"event\":\"{}\",\"data\":",
        agent.id(),
        agent.rig_id,
        draft.event
    );
    let suffix = format!(",\"at\":\"{}\"", draft.at);
    let data = draft.data.get();
    let budget = EVENT_FRAME_BYTES_MAX - prefix.len() - suffix.len() - ",\"cut\":}".len();
    let shortened = cut(data, budget)
        .and_then(|(short, parts)| Some((RawValue::from_string(short).ok()?, serde_json::to_string(&parts).ok()?)));
    match shortened {
        None => Framed {
            frame: format!("{prefix}{data}{suffix}}}"),
            whole: None,
            data: EventData::read(&draft.event, &draft.data),
        },
        Some((short, parts)) => Framed {
            frame: format!("{prefix}{}{suffix},\"cut\":{parts}}}", short.get()),
            whole: (data.len() <= EVENT_BYTES_MAX).then(|| format!("{prefix}{data}{suffix}}}")),
            data: EventData::read(&draft.event, &short),
        },
    }
}

/// Deletes what the agent still has beyond its bounds, oldest first and never its newest: what its bytes exceed, and what
/// a lowered cap leaves over.
pub fn prune(store: &dyn Store, agent: &mut Agent, event_cap: u64, head: EventId) -> Result<()> {
    while agent.event_count > event_cap.max(1)
        || (agent.event_bytes > EVENT_BYTES_PER_AGENT_MAX && agent.event_count > 1)
    {
        if !delete_oldest(store, agent, head, head)? {
            break;
        }
    }
    Ok(())
}

/// Deletes an agent's oldest event, if its id is not beyond `through`; whether it did. `head` is the town's with what is
/// about to be stored: a viewer that was told of gaps at an earlier one is told of this, too.
pub(crate) fn delete_oldest(store: &dyn Store, agent: &mut Agent, through: EventId, head: EventId) -> Result<bool> {
    let Some(oldest) = forget_oldest(store, agent, through, head)? else { return Ok(false) };
    store.query("DELETE FROM agent_events WHERE id = ?", &[oldest.into()])?;
    Ok(true)
}

/// Moves an agent's base over its oldest event, which then counts as gone; its row is left to the caller.
fn forget_oldest(store: &dyn Store, agent: &mut Agent, through: EventId, head: EventId) -> Result<Option<EventId>> {
    let sql = "SELECT id, frame FROM agent_events WHERE agent_id = ? ORDER BY id LIMIT 1";
    let oldest = store.query(sql, &[agent.id().as_str().into()])?;
    let Some(row) = oldest.first() else { return Ok(None) };
    let (id, frame) = (position(row, 0)?, row.text(1)?);
    if id > through {
        return Ok(None);
    }
    let event: TownEvent = serde_json::from_str(frame).map_err(Error::internal)?;
    let base = agent.base.read()?;
    let run_number = match &event.run_id {
        Some(run_id) if base.state.run_id.as_ref() == Some(run_id) => Some(base.state.run_number),
        Some(run_id) => runs::load(store, run_id)?.map(|run| run.number),
        None => None,
    };
    let data = EventData::read(&event.event, &event.data);
    base.reduce(&ReducerInput { id, run: event.run_id.as_ref().zip(run_number), data: &data, at: event.at });
    let mut bytes = frame.len() as u64;
    if event.cut.is_some() {
        let sql = "DELETE FROM whole_events WHERE id = ? RETURNING length(CAST(event AS BLOB))";
        bytes += store.query(sql, &[id.into()])?.first().map_or(Ok(0), |row| row.number(0))?;
    }
    agent.event_count -= 1;
    agent.event_bytes = agent.event_bytes.saturating_sub(bytes);
    agent.pruned_id = id;
    agent.pruned_count += 1;
    agent.pruned_at_head = head;
    Ok(Some(id))
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

/// Reads at most `limit` events of a selection's agents, ascending. Filters are left to the caller, who has to know how
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
    parameters.push(limit.into());
    let sql = format!(
        "SELECT id, agent_id, event, frame FROM agent_events WHERE {} ORDER BY id {order} LIMIT ?",
        conditions.join(" AND ")
    );
    let mut entries = store.query(&sql, &parameters)?.iter().map(entry).collect::<Result<Vec<_>>>()?;
    if matches!(span, LogSpan::Before(_)) {
        entries.reverse();
    }
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

/// Rows read at a time for a page: 64 of 48 KiB are 3 MiB, whatever the page's limit.
const CHUNK_EVENTS: u64 = 64;

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

/// A list as one parameter: production binds at most 100.
pub(crate) const LIST: &str = "(SELECT value FROM json_each(?))";

pub(crate) fn list(names: &[impl Serialize]) -> Result<Value> {
    serde_json::to_string(names).map(Value::from).map_err(Error::internal)
}

fn entry(row: &Row) -> Result<Entry> {
    Ok(Entry {
        id: position(row, 0)?,
        agent_id: parse(AgentId::parse(row.text(1)?))?,
        event: row.text(2)?.to_owned(),
        frame: git_url::event_shown(row.text(2)?, row.text(3)?),
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
    let text = rows.first().map(|row| Ok(git_url::event_shown(row.text(0)?, row.text(1)?))).transpose()?;
    text.map(|text| RawValue::from_string(text).map_err(Error::internal)).transpose()
}

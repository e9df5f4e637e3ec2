//! Runs: each has exactly one end.

use std::collections::BTreeMap;

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::event::AgentExited;
use townwatch_protocol::id::{AgentId, Epoch, EventId, RigId, RunId};
use townwatch_protocol::limits::RUNS_PER_AGENT_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{AgentSelection, AgentState, RunView, UsageTotals};

use crate::agents::{parse, position};
use crate::store::{Row, Store};

/// The source of a run's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The town's container.
    Container,
    /// Agents that post to this rig.
    Rig(RigId),
}

impl Source {
    /// The key of the source in the tables.
    pub fn key(&self) -> String {
        match self {
            Self::Container => "container".to_owned(),
            Self::Rig(rig_id) => format!("rig:{rig_id}"),
        }
    }
}

/// A run's row, as far as decisions need it.
#[derive(Debug, Clone)]
pub struct Run {
    /// The run.
    pub run_id: RunId,
    /// Whose.
    pub agent_id: AgentId,
    /// Counts the agent's runs from 1.
    pub number: u64,
    /// The life of the source's buffers that it is in, once that is known.
    pub source_epoch: Option<Epoch>,
    /// The time of the start request.
    pub started_at: Timestamp,
    /// Whether it has had its end.
    pub ended: bool,
}

const COLUMNS: &str = "run_id, agent_id, run_number, source_epoch, started_at_ms, exit IS NOT NULL";

fn from_row(row: &Row) -> Result<Run> {
    Ok(Run {
        run_id: parse(RunId::parse(row.text(0)?))?,
        agent_id: parse(AgentId::parse(row.text(1)?))?,
        number: row.number(2)?,
        source_epoch: row.maybe_text(3).and_then(Epoch::parse),
        started_at: moment(row, 4)?,
        ended: row.number(5)? == 1,
    })
}

/// Reads a run.
pub fn load(store: &dyn Store, run_id: &RunId) -> Result<Option<Run>> {
    let rows = store.query(&format!("SELECT {COLUMNS} FROM runs WHERE run_id = ?"), &[run_id.as_str().into()])?;
    rows.first().map(from_row).transpose()
}

/// The range of a run's events in the log.
#[derive(Debug)]
pub(crate) struct RunExtent {
    pub(crate) run_id: RunId,
    pub(crate) agent_id: AgentId,
    pub(crate) first: EventId,
    /// Absent while it is open.
    pub(crate) last: Option<EventId>,
}

/// The range of a run's events; `None` where there is no such run.
pub(crate) fn extent(store: &dyn Store, run_id: &RunId) -> Result<Option<RunExtent>> {
    let sql = "SELECT agent_id, first_id, last_id FROM runs WHERE run_id = ?";
    let rows = store.query(sql, &[run_id.as_str().into()])?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(RunExtent {
        run_id: run_id.clone(),
        agent_id: parse(AgentId::parse(row.text(0)?))?,
        first: position(row, 1)?,
        last: row.maybe_number(2).map(|_| position(row, 2)).transpose()?,
    }))
}

/// The agent's newest run that has not ended.
pub fn newest_open(store: &dyn Store, agent_id: &AgentId) -> Result<Option<Run>> {
    let rows = store.query(
        &format!("SELECT {COLUMNS} FROM runs WHERE agent_id = ? AND exit IS NULL ORDER BY run_number DESC LIMIT 1"),
        &[agent_id.as_str().into()],
    )?;
    rows.first().map(from_row).transpose()
}

/// The open runs of a source, by agent.
pub fn open_of(store: &dyn Store, source: &Source) -> Result<Vec<Run>> {
    store
        .query(
            &format!("SELECT {COLUMNS} FROM runs WHERE source = ? AND exit IS NULL ORDER BY agent_id, run_number"),
            &[source.key().into()],
        )?
        .iter()
        .map(from_row)
        .collect()
}

/// The open runs of an agent, or of the town, each with its source.
pub(crate) fn open_with_source(store: &dyn Store, of: Option<&AgentId>) -> Result<Vec<(Run, Source)>> {
    let sql = format!(
        "SELECT {COLUMNS}, source FROM runs WHERE exit IS NULL AND (?1 IS NULL OR agent_id = ?1) ORDER BY agent_id, run_number"
    );
    let rows = store.query(&sql, &[of.map(AgentId::as_str).into()])?;
    let read = |row: &Row| {
        let source = match row.text(6)?.strip_prefix("rig:") {
            Some(rig_id) => Source::Rig(parse(RigId::parse(rig_id))?),
            None => Source::Container,
        };
        Ok((from_row(row)?, source))
    };
    rows.iter().map(read).collect()
}

/// The runs of an agent that come from this source and have not ended, oldest first.
pub(crate) fn open_of_agent(store: &dyn Store, source: &Source, agent_id: &AgentId) -> Result<Vec<Run>> {
    let sql =
        format!("SELECT {COLUMNS} FROM runs WHERE source = ? AND agent_id = ? AND exit IS NULL ORDER BY run_number");
    store.query(&sql, &[source.key().into(), agent_id.as_str().into()])?.iter().map(from_row).collect()
}

/// The most open runs that are ended when one begins, 64. Normally one is enough. But an earlier version had no bound
/// on open runs, and what it left is brought down to the bound by this.
const QUIETEST_MAX: usize = 64;

/// The agent's open runs from a source, except the `kept` runs with the newest events; at most [`QUIETEST_MAX`]. Runs
/// whose events are all pruned come first, then the run whose newest event is the oldest.
pub(crate) fn quietest_open(store: &dyn Store, source: &Source, agent_id: &AgentId, kept: usize) -> Result<Vec<Run>> {
    let mut open = open_of_agent(store, source, agent_id)?;
    let Some(excess) = open.len().checked_sub(kept).filter(|excess| *excess > 0) else { return Ok(Vec::new()) };
    let sql = "SELECT run_id, max(id) FROM agent_events WHERE agent_id = ? GROUP BY run_id";
    let heard = store.query(sql, &[agent_id.as_str().into()])?;
    let heard: BTreeMap<&str, u64> =
        heard.iter().filter_map(|row| Some((row.maybe_text(0)?, row.maybe_number(1)?))).collect();
    open.sort_by_key(|run| heard.get(run.run_id.as_str()).copied());
    open.truncate(excess.min(QUIETEST_MAX));
    Ok(open)
}

/// The key of the source that the agent's newest run comes from.
pub(crate) fn newest_source(store: &dyn Store, agent_id: &AgentId) -> Result<Option<String>> {
    let sql = "SELECT source FROM runs WHERE agent_id = ? ORDER BY run_number DESC LIMIT 1";
    let rows = store.query(sql, &[agent_id.as_str().into()])?;
    rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()
}

/// Whether any run of the agent, ended or not, comes from this source.
pub(crate) fn any_of(store: &dyn Store, source: &Source, agent_id: &AgentId) -> Result<bool> {
    let sql = "SELECT 1 FROM runs WHERE agent_id = ? AND source = ? LIMIT 1";
    Ok(!store.query(sql, &[agent_id.as_str().into(), source.key().into()])?.is_empty())
}

/// Whether a source has a run that has not ended.
pub fn any_open_of(store: &dyn Store, source: &Source) -> Result<bool> {
    Ok(!store.query("SELECT 1 FROM runs WHERE source = ? AND exit IS NULL LIMIT 1", &[source.key().into()])?.is_empty())
}

/// The one agent of a selection, if it has had a run and has none now.
pub fn over<'a>(store: &dyn Store, agents: &'a AgentSelection) -> Result<Option<&'a AgentId>> {
    let AgentSelection::Only(agents) = agents else { return Ok(None) };
    let [agent_id] = agents.as_slice() else { return Ok(None) };
    let sql = "SELECT count(*), count(exit) FROM runs WHERE agent_id = ?";
    let rows = store.query(sql, &[agent_id.as_str().into()])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (runs, ended) = (row.number(0)?, row.number(1)?);
    Ok((runs > 0 && runs == ended).then_some(agent_id))
}

/// Stores a new run whose first event will have the id `first_id`.
pub fn open(
    store: &dyn Store,
    run_id: &RunId,
    agent_id: &AgentId,
    source: &Source,
    source_epoch: Option<&Epoch>,
    first_id: EventId,
    at: Timestamp,
) -> Result<Run> {
    let last = store.query("SELECT max(run_number) FROM runs WHERE agent_id = ?", &[agent_id.as_str().into()])?;
    let number = last.first().and_then(|row| row.maybe_number(0)).unwrap_or(0) + 1;
    store.query(
        "INSERT INTO runs (run_id, agent_id, run_number, source, source_epoch, started_at_ms, first_id) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        &[
            run_id.as_str().into(),
            agent_id.as_str().into(),
            number.into(),
            source.key().into(),
            source_epoch.map(Epoch::as_str).into(),
            at.millis().into(),
            first_id.into(),
        ],
    )?;
    Ok(Run {
        run_id: run_id.clone(),
        agent_id: agent_id.clone(),
        number,
        source_epoch: source_epoch.cloned(),
        started_at: at,
        ended: false,
    })
}

/// The most ended runs that are deleted when one begins, 4. Normally one is enough. But an earlier version kept all
/// ended runs, and its tables shrink by this.
const OUTLIVED_RUNS_MAX: u64 = 4;

/// The agent's oldest runs that ended before its newest [`RUNS_PER_AGENT_MAX`] runs began, each with the id of its
/// last event. A run is left out while a rig or the control server has not confirmed its stop order.
pub(crate) fn outlived(store: &dyn Store, newest: &Run) -> Result<Vec<(RunId, EventId)>> {
    let Some(number) = newest.number.checked_sub(RUNS_PER_AGENT_MAX).filter(|number| *number > 0) else {
        return Ok(Vec::new());
    };
    let sql = "SELECT run_id, last_id FROM runs WHERE agent_id = ?1 AND run_number <= ?2 AND exit IS NOT NULL \
         AND (stop_message IS NULL OR stop_heard = 1) \
         AND last_id < (SELECT first_id FROM runs WHERE agent_id = ?1 AND run_number = ?2 + 1) \
         ORDER BY run_number LIMIT ?3";
    let rows = store.query(sql, &[newest.agent_id.as_str().into(), number.into(), OUTLIVED_RUNS_MAX.into()])?;
    rows.iter().map(|row| Ok((parse(RunId::parse(row.text(0)?))?, position(row, 1)?))).collect()
}

/// Deletes a run, none of whose events is left.
pub(crate) fn forget(store: &dyn Store, run_id: &RunId) -> Result<()> {
    store.query("DELETE FROM runs WHERE run_id = ?", &[run_id.as_str().into()])?;
    Ok(())
}

/// Notes in which life of its source's buffers a run is.
pub fn found_in(store: &dyn Store, run_id: &RunId, epoch: &Epoch) -> Result<()> {
    store
        .query("UPDATE runs SET source_epoch = ? WHERE run_id = ?", &[epoch.as_str().into(), run_id.as_str().into()])?;
    Ok(())
}

/// Ends a run with its last event.
pub fn close(
    store: &dyn Store,
    run: &Run,
    exit: &AgentExited,
    last_id: EventId,
    at: Timestamp,
    state: &AgentState,
) -> Result<()> {
    let totals = (state.run_id.as_ref() == Some(&run.run_id))
        .then(|| Totals { tool_call_count: state.tool_call_count, usage: state.usage.clone() });
    store.query(
        "UPDATE runs SET exit = ?, last_id = ?, ended_at_ms = ?, totals = ? WHERE run_id = ?",
        &[
            serde_json::to_string(exit).map_err(Error::internal)?.into(),
            last_id.into(),
            at.max(run.started_at).millis().into(),
            serde_json::to_string(&totals.unwrap_or_default()).map_err(Error::internal)?.into(),
            run.run_id.as_str().into(),
        ],
    )?;
    Ok(())
}

/// Counts events that came after the run's end; they are not stored.
pub fn dropped(store: &dyn Store, run_id: &RunId, count: u64) -> Result<()> {
    store.query(
        "UPDATE runs SET dropped_count = dropped_count + ? WHERE run_id = ?",
        &[count.into(), run_id.as_str().into()],
    )?;
    Ok(())
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Totals {
    tool_call_count: u64,
    usage: UsageTotals,
}

/// An agent's newest runs and all that are open, newest first. What an open run adds up to so far is in the agent's state.
pub fn list(store: &dyn Store, state: &AgentState) -> Result<Vec<RunView>> {
    store
        .query(
            "SELECT run_id, run_number, first_id, last_id, started_at_ms, ended_at_ms, exit, totals \
             FROM runs WHERE agent_id = ?1 AND (exit IS NULL OR run_number > \
             (SELECT max(run_number) FROM runs WHERE agent_id = ?1) - ?2) ORDER BY run_number DESC",
            &[state.agent_id.as_str().into(), RUNS_PER_AGENT_MAX.into()],
        )?
        .iter()
        .map(|row| {
            let current = state.run_id.as_ref().is_some_and(|run_id| row.maybe_text(0) == Some(run_id.as_str()));
            let totals = match row.maybe_text(7) {
                Some(text) => serde_json::from_str(text).map_err(Error::internal)?,
                None if current => Totals { tool_call_count: state.tool_call_count, usage: state.usage.clone() },
                None => Totals::default(),
            };
            let first_event_id = position(row, 2)?;
            let last_event_id = match row.maybe_number(3) {
                Some(_) => position(row, 3)?,
                None => state.last_event_id.unwrap_or(first_event_id),
            };
            Ok(RunView {
                run_id: parse(RunId::parse(row.text(0)?))?,
                agent_id: state.agent_id.clone(),
                run_number: row.number(1)?,
                first_event_id,
                last_event_id,
                started_at: moment(row, 4)?,
                ended_at: row.maybe_text(6).map(|_| moment(row, 5)).transpose()?,
                exit: row.maybe_text(6).map(serde_json::from_str).transpose().map_err(Error::internal)?,
                tool_call_count: totals.tool_call_count,
                usage: totals.usage,
            })
        })
        .collect()
}

/// [`moment`] where there may be none.
pub(crate) fn maybe_moment(row: &Row, column: usize) -> Result<Option<Timestamp>> {
    row.maybe_number(column).map(|_| moment(row, column)).transpose()
}

/// A moment out of a row; one before 1970 is as good as any.
pub(crate) fn moment(row: &Row, column: usize) -> Result<Timestamp> {
    Ok(Timestamp::from_millis(row.integer(column)?))
}

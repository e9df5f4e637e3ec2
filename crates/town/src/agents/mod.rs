//! The town's agents, a row each: who they are, their state now and at the edge of what is retained, and their counts.

pub mod archive;
pub mod budgets;
pub mod deletion;
pub mod ended_runs;
pub(crate) mod holds;
pub mod posted_end;
pub mod posted_silence;
pub mod runs;
pub mod starting;
pub mod stop_orders;

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{AgentId, EventId, RigId};
use townwatch_protocol::limits::{AGENTS_PER_TOWN_MAX, ARCHIVED_AGENTS_PER_TOWN_MAX};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::AgentState;

use crate::agents::budgets::AgentBudgets;
use crate::agents::runs::{maybe_moment, moment};
use crate::git_url;
use crate::log::reducer::Snapshot;
use crate::store::{Row, Store, Value};

/// An agent's row.
#[derive(Debug, Clone)]
pub struct Agent {
    /// The agent's rig.
    pub rig_id: RigId,
    /// The state after all events of the agent.
    pub now: Snapshot,
    /// Before the oldest retained one.
    pub base: Base,
    /// Retained events.
    pub event_count: u64,
    /// Bytes of their frame texts and, where these are cut, of the whole events.
    pub event_bytes: u64,
    /// The agent's first event ever; 0 before it.
    pub first_id: EventId,
    /// The last event of the agent that was pruned. All before it are gone, too.
    pub pruned_id: EventId,
    /// The number of pruned events.
    pub pruned_count: u64,
    /// The town's head when they went.
    pub pruned_at_head: EventId,
    /// The time of the last post of the agent that the town has taken.
    pub heard_at: Timestamp,
    /// Whether nothing has been heard of it since for too long.
    pub is_silent: bool,
    /// The budgets, and the spending against them.
    pub budgets: AgentBudgets,
    /// The time at which the agent was archived; `None` if it is not.
    pub archived_at: Option<Timestamp>,
}

/// A base as its row has it, until somebody asks for it: it moves only when an event is let go, so that most events neither
/// read nor write it anew.
#[derive(Debug, Clone)]
pub enum Base {
    /// The row's text.
    Stored(String),
    /// The state that it is.
    Read(Box<Snapshot>),
}

impl Base {
    /// The state, to change it.
    pub fn read(&mut self) -> Result<&mut Snapshot> {
        if let Self::Stored(text) = self {
            *self = Self::Read(Box::new(read(text)?));
        }
        match self {
            Self::Read(snapshot) => Ok(snapshot),
            Self::Stored(_) => Err(Error::internal("an agent's base was read and is not there")),
        }
    }
}

/// The agents that are not archived. They are found by a scan, because the head of each row shows whether it is
/// archived. The plus sign prevents the use of the index, which would read each row again and take three times as long,
/// even with 10,000 archived agents.
pub(crate) const PRESENT: &str = "agents WHERE +archived_at_ms IS NULL";

const READ: &str = "SELECT rig_id, state, base, event_count, event_bytes, first_id, pruned_id, pruned_count, \
    pruned_at_head, heard_at_ms, is_silent, budgets, archived_at_ms FROM agents WHERE agent_id = ?";
const UPDATE: &str = "UPDATE agents SET rig_id = ?, state = ?, event_count = ?, event_bytes = ?, first_id = ?, \
    pruned_id = ?, pruned_count = ?, pruned_at_head = ?, heard_at_ms = ?, is_silent = ?, budgets = ? WHERE agent_id = ?";
// Over a row that is there nothing is replaced: what stands in no list of these is kept, and so are its indices.
const WRITE: &str = "INSERT INTO agents (rig_id, state, event_count, event_bytes, first_id, pruned_id, pruned_count, \
    pruned_at_head, heard_at_ms, is_silent, budgets, agent_id, base) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
    ON CONFLICT (agent_id) DO UPDATE SET rig_id = excluded.rig_id, state = excluded.state, \
    event_count = excluded.event_count, event_bytes = excluded.event_bytes, first_id = excluded.first_id, \
    pruned_id = excluded.pruned_id, pruned_count = excluded.pruned_count, pruned_at_head = excluded.pruned_at_head, \
    heard_at_ms = excluded.heard_at_ms, is_silent = excluded.is_silent, budgets = excluded.budgets, base = excluded.base";

impl Agent {
    /// An agent without events.
    pub fn new(snapshot: Snapshot) -> Self {
        Self {
            rig_id: snapshot.state.rig_id.clone(),
            base: Base::Read(Box::new(snapshot.clone())),
            now: snapshot,
            event_count: 0,
            event_bytes: 0,
            first_id: EventId::START,
            pruned_id: EventId::START,
            pruned_count: 0,
            pruned_at_head: EventId::START,
            heard_at: Timestamp::from_millis(0),
            is_silent: false,
            budgets: AgentBudgets::default(),
            archived_at: None,
        }
    }

    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            rig_id: parse(RigId::parse(row.text(0)?))?,
            now: read(row.text(1)?)?,
            base: Base::Stored(row.text(2)?.to_owned()),
            event_count: row.number(3)?,
            event_bytes: row.number(4)?,
            first_id: position(row, 5)?,
            pruned_id: position(row, 6)?,
            pruned_count: row.number(7)?,
            pruned_at_head: position(row, 8)?,
            heard_at: moment(row, 9)?,
            is_silent: row.number(10)? == 1,
            budgets: budgets_of(row.text(11)?)?,
            archived_at: maybe_moment(row, 12)?,
        })
    }

    /// The state with its budgets, and whether the agent is archived.
    pub(crate) fn shown(self) -> AgentState {
        let mut state = self.now.state;
        self.budgets.present(&mut state);
        state.archived_at = self.archived_at;
        state
    }

    /// The agent's id.
    pub fn id(&self) -> &AgentId {
        &self.now.state.agent_id
    }
}

/// Reads an agent.
pub fn load(store: &dyn Store, agent_id: &AgentId) -> Result<Option<Agent>> {
    let rows = store.query(READ, &[agent_id.as_str().into()])?;
    rows.first().map(Agent::from_row).transpose()
}

/// The states of all agents but archived ones with their budgets, by id, each with whether it is silent.
pub fn load_states(store: &dyn Store) -> Result<Vec<(AgentState, bool)>> {
    load_state_page(store, None, AGENTS_PER_TOWN_MAX)
}

/// [`load_states`] of so many agents behind one of them.
pub fn load_state_page(store: &dyn Store, after: Option<&AgentId>, limit: u64) -> Result<Vec<(AgentState, bool)>> {
    let sql = format!(
        "SELECT state, is_silent, budgets, archived_at_ms FROM {PRESENT} AND agent_id > ? ORDER BY agent_id LIMIT ?"
    );
    read_states(store, &sql, after, limit)
}

/// A page of archived agents, as [`load_state_page`] reads others.
pub fn load_archived_page(store: &dyn Store, after: Option<&AgentId>, limit: u64) -> Result<Vec<(AgentState, bool)>> {
    let sql = "SELECT state, is_silent, budgets, archived_at_ms FROM agents INDEXED BY agents_archived \
         WHERE archived_at_ms IS NOT NULL AND agent_id > ? ORDER BY agent_id LIMIT ?";
    read_states(store, sql, after, limit)
}

fn read_states(store: &dyn Store, sql: &str, after: Option<&AgentId>, limit: u64) -> Result<Vec<(AgentState, bool)>> {
    let rows = store.query(sql, &[after.map_or("", AgentId::as_str).into(), limit.into()])?;
    let read = rows.iter().map(|row| {
        let mut state = read(row.text(0)?)?.state;
        budgets_of(row.text(2)?)?.present(&mut state);
        state.archived_at = maybe_moment(row, 3)?;
        Ok((state, row.number(1)? == 1))
    });
    read.collect()
}

/// The agents of a rig by id, also archived ones.
pub fn ids_of_rig(store: &dyn Store, rig_id: &RigId) -> Result<Vec<AgentId>> {
    let sql = "SELECT agent_id FROM agents WHERE rig_id = ? ORDER BY agent_id";
    let rows = store.query(sql, &[rig_id.as_str().into()])?;
    rows.iter().map(|row| parse(AgentId::parse(row.text(0)?))).collect()
}

/// The number of agents that are not archived.
pub fn count(store: &dyn Store) -> Result<u64> {
    count_by(store, "SELECT count(*) FROM agents INDEXED BY agents_present WHERE archived_at_ms IS NULL")
}

/// The number of archived agents.
pub fn count_archived(store: &dyn Store) -> Result<u64> {
    count_by(store, "SELECT count(*) FROM agents INDEXED BY agents_archived WHERE archived_at_ms IS NOT NULL")
}

fn count_by(store: &dyn Store, sql: &str) -> Result<u64> {
    store.query(sql, &[])?.first().map_or(Ok(0), |row| row.number(0))
}

/// 429 where no other agent fits beside those that are not archived.
pub fn check_room(store: &dyn Store) -> Result<()> {
    if count(store)? < AGENTS_PER_TOWN_MAX {
        return Ok(());
    }
    let message = format!(
        "the town has {AGENTS_PER_TOWN_MAX} agents, which is the most; archive one that is done, or delete one"
    );
    Err(Error::new(Code::RateLimited, message))
}

/// Archives so many agents at once; 429 where the archive has no room for them.
pub fn archive(store: &dyn Store, agents: &[AgentId], now: Timestamp) -> Result<()> {
    if count_archived(store)? + agents.len() as u64 > ARCHIVED_AGENTS_PER_TOWN_MAX {
        let message = format!(
            "the town has room for {ARCHIVED_AGENTS_PER_TOWN_MAX} archived agents, and not for {} more; delete some that \
             nobody reads any more (DELETE …/agents/:agent)",
            agents.len()
        );
        return Err(Error::new(Code::RateLimited, message));
    }
    for agent_id in agents {
        let sql = "UPDATE agents SET archived_at_ms = ? WHERE agent_id = ?";
        store.query(sql, &[now.millis().into(), agent_id.as_str().into()])?;
    }
    Ok(())
}

/// Takes an agent out of the archive; 429 where there is no room for it beside the others.
pub fn bring_back(store: &dyn Store, agent_id: &AgentId) -> Result<()> {
    check_room(store)?;
    store.query("UPDATE agents SET archived_at_ms = NULL WHERE agent_id = ?", &[agent_id.as_str().into()])?;
    Ok(())
}

/// Writes an agent, new or changed: one row. A base that nobody asked for is in it already.
pub fn save(store: &dyn Store, agent: &Agent) -> Result<()> {
    let mut values: Vec<Value> = vec![
        agent.rig_id.as_str().into(),
        write(&agent.now)?.into(),
        agent.event_count.into(),
        agent.event_bytes.into(),
        agent.first_id.into(),
        agent.pruned_id.into(),
        agent.pruned_count.into(),
        agent.pruned_at_head.into(),
        agent.heard_at.millis().into(),
        u64::from(agent.is_silent).into(),
        serde_json::to_string(&agent.budgets).map_err(Error::internal)?.into(),
        agent.id().as_str().into(),
    ];
    match &agent.base {
        Base::Stored(_) => store.query(UPDATE, &values)?,
        Base::Read(base) => {
            values.push(write(base)?.into());
            store.query(WRITE, &values)?
        }
    };
    Ok(())
}

/// A stored state. One of an earlier build may have an address with its credentials.
fn read(text: &str) -> Result<Snapshot> {
    let mut snapshot: Snapshot = serde_json::from_str(text)
        .map_err(|error| Error::internal(format!("an agent's stored state is unreadable: {error}")))?;
    let git_origin = &mut snapshot.state.git_origin;
    *git_origin = git_origin.as_deref().map(git_url::shown);
    Ok(snapshot)
}

fn budgets_of(text: &str) -> Result<AgentBudgets> {
    serde_json::from_str(text)
        .map_err(|error| Error::internal(format!("an agent's stored budgets are unreadable: {error}")))
}

fn write(snapshot: &Snapshot) -> Result<String> {
    serde_json::to_string(snapshot).map_err(Error::internal)
}

/// A position out of a row.
pub(crate) fn position(row: &Row, column: usize) -> Result<EventId> {
    EventId::new(row.number(column)?).ok_or_else(|| Error::internal("a stored position is beyond 2^53"))
}

/// A stored name; one that does not parse was written by no version of ours.
pub(crate) fn parse<T>(stored: Option<T>) -> Result<T> {
    stored.ok_or_else(|| Error::internal("a stored name is unreadable"))
}

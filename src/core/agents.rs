//! The town's agents, a row each: who they are, their state now and at the edge of what is retained, and their counts.

use crate::core::budgets::AgentBudgets;
use crate::core::git_url;
use crate::core::reducer::Snapshot;
use crate::core::runs::moment;
use crate::core::store::{Row, Store, Value};
use crate::error::{Error, Result};
use crate::id::{AgentId, EventId, RigId};
use crate::limits::AGENTS_PER_TOWN_MAX;
use crate::protocol::AgentState;
use crate::time::Timestamp;

/// An agent's row.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Its rig.
    pub rig_id: RigId,
    /// After all of its events.
    pub now: Snapshot,
    /// Before the oldest retained one.
    pub base: Base,
    /// Retained events.
    pub event_count: u64,
    /// Bytes of their frame texts and, where these are cut, of the whole events.
    pub event_bytes: u64,
    /// Its first event ever, 0 before it.
    pub first_id: EventId,
    /// Its events up to here are gone.
    pub pruned_id: EventId,
    /// How many those were.
    pub pruned_count: u64,
    /// The town's head when they went.
    pub pruned_at_head: EventId,
    /// When the town last took over something that it posted.
    pub heard_at: Timestamp,
    /// Whether nothing has been heard of it since for too long.
    pub is_silent: bool,
    /// What may be spent, and what has been.
    pub budgets: AgentBudgets,
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

const READ: &str = "SELECT rig_id, state, base, event_count, event_bytes, first_id, pruned_id, pruned_count, \
    pruned_at_head, heard_at_ms, is_silent, budgets FROM agents WHERE agent_id = ?";
const UPDATE: &str = "UPDATE agents SET rig_id = ?, state = ?, event_count = ?, event_bytes = ?, first_id = ?, \
    pruned_id = ?, pruned_count = ?, pruned_at_head = ?, heard_at_ms = ?, is_silent = ?, budgets = ? WHERE agent_id = ?";
const WRITE: &str = "INSERT OR REPLACE INTO agents (rig_id, state, event_count, event_bytes, first_id, pruned_id, \
    pruned_count, pruned_at_head, heard_at_ms, is_silent, budgets, agent_id, base) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

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
        })
    }

    /// Its state with its budgets.
    pub(crate) fn shown(self) -> AgentState {
        let mut state = self.now.state;
        self.budgets.present(&mut state);
        state
    }

    /// Which agent it is.
    pub fn id(&self) -> &AgentId {
        &self.now.state.agent_id
    }
}

/// Reads an agent.
pub fn load(store: &dyn Store, agent_id: &AgentId) -> Result<Option<Agent>> {
    let rows = store.query(READ, &[agent_id.as_str().into()])?;
    rows.first().map(Agent::from_row).transpose()
}

/// The states of all agents with their budgets, by id, each with whether it is silent.
pub fn load_states(store: &dyn Store) -> Result<Vec<(AgentState, bool)>> {
    load_state_page(store, None, AGENTS_PER_TOWN_MAX)
}

/// [`load_states`] of so many agents behind one of them.
pub fn load_state_page(store: &dyn Store, after: Option<&AgentId>, limit: u64) -> Result<Vec<(AgentState, bool)>> {
    let sql = "SELECT state, is_silent, budgets FROM agents WHERE agent_id > ? ORDER BY agent_id LIMIT ?";
    let rows = store.query(sql, &[after.map_or("", AgentId::as_str).into(), limit.into()])?;
    let read = rows.iter().map(|row| {
        let mut state = read(row.text(0)?)?.state;
        budgets_of(row.text(2)?)?.present(&mut state);
        Ok((state, row.number(1)? == 1))
    });
    read.collect()
}

/// How many there are.
pub fn count(store: &dyn Store) -> Result<u64> {
    store.query("SELECT count(*) FROM agents", &[])?.first().map_or(Ok(0), |row| row.number(0))
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

//! A rig: the durable receipt of what its agents post, and the outbox to its town.

pub mod agent_tokens;
pub mod carrier;
pub(crate) mod posting;
pub(crate) mod rig_archive;
pub mod rig_deletion;
pub(crate) mod rig_log;
pub mod rig_outbox;
pub(crate) mod rig_space;
pub(crate) mod rigs;
pub(crate) mod run_rate;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::value::RawValue;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::Role;
use townwatch_protocol::id::{AgentId, Epoch, EventKey, EventName, RigId, RunId, SourceId, TownId};
use townwatch_protocol::limits::{OUTBOX_BYTES_MAX, OUTBOX_EVENTS_MAX, PAGE_BYTES_MAX};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{PostEvent, PostEvents, PostReceipt, RigEvent};
use townwatch_redaction::Redactor;

use crate::agents::parse;
use crate::agents::runs::moment;
use crate::rig::posting::{checked, data_of};
use crate::rig::rig_log::Kept;
use crate::rig::rig_outbox::{OutboxState, Waiting};
use crate::schema;
use crate::store::{LIST, Row, Store, Value, atomically, atomically_with_room, list};

/// A rig that exists.
pub struct Rig {
    pub(crate) store: Rc<dyn Store>,
    event_cap: u64,
    /// The finder of secrets in posts; `None` where posts are stored unchanged.
    redactor: Option<Rc<Redactor>>,
    /// The rig's id.
    pub rig_id: RigId,
    /// The rig's town.
    pub town_id: TownId,
    pub(crate) epoch: Epoch,
    /// The newest id that was erased with a deleted agent, as the rig's row has it. Each reading of the head needs it.
    pub(crate) erased_head: Cell<SourceId>,
    /// The positions of log and outbox as this instance has committed them last; `None` where they are to be read.
    outbox: Cell<Option<OutboxState>>,
}

impl Rig {
    /// Makes the tables of a new rig. A second creation changes nothing.
    pub fn create(store: &dyn Store, rig_id: &RigId, town_id: &TownId, epoch: &Epoch) -> Result<()> {
        schema::migrate(store, schema::RIG)?;
        store.query(
            "INSERT OR IGNORE INTO rig (one, rig_id, town_id, epoch) VALUES (1, ?, ?, ?)",
            &[rig_id.as_str().into(), town_id.as_str().into(), epoch.as_str().into()],
        )?;
        Ok(())
    }

    /// Opens the rig in the tables. Without a rig it gives `None`, and writes nothing.
    pub fn open(store: Rc<dyn Store>, event_cap: u64) -> Result<Option<Self>> {
        if !schema::open(store.as_ref(), schema::RIG)? {
            return Ok(None);
        }
        let rows = store.query("SELECT rig_id, town_id, epoch, erased_head FROM rig", &[])?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(Self {
            rig_id: parse(RigId::parse(row.text(0)?))?,
            town_id: parse(TownId::parse(row.text(1)?))?,
            epoch: parse(Epoch::parse(row.text(2)?))?,
            erased_head: Cell::new(parse(SourceId::new(row.number(3)?))?),
            outbox: Cell::new(None),
            event_cap,
            redactor: None,
            store,
        }))
    }

    /// The rig with a finder of secrets, which redacts posts.
    #[must_use]
    pub fn redacting(self, redactor: Option<Rc<Redactor>>) -> Self {
        Self { redactor, ..self }
    }

    /// Registers an agent, after the town has registered it. A second registration takes over name and role, and an
    /// agent that was stopped or archived may post again.
    pub fn register(&self, agent_id: &AgentId, name: &str, role: Role, now: Timestamp) -> Result<()> {
        self.store.query(
            "INSERT INTO agents (agent_id, name, role, created_at_ms) VALUES (?, ?, ?, ?) \
             ON CONFLICT (agent_id) DO UPDATE SET name = excluded.name, role = excluded.role, \
             is_stopped = 0, is_archived = 0",
            &[agent_id.as_str().into(), name.into(), role.as_str().into(), now.millis().into()],
        )?;
        Ok(())
    }

    /// The rig's agents, the oldest first.
    pub fn agents(&self) -> Result<Vec<AgentId>> {
        let rows = self.store.query("SELECT agent_id FROM agents ORDER BY created_at_ms, agent_id", &[])?;
        rows.iter().map(|row| parse(AgentId::parse(row.text(0)?))).collect()
    }

    /// Refuses an agent that is not registered here with `not_found`.
    pub fn check_agent(&self, agent_id: &AgentId) -> Result<()> {
        let found = self.store.query("SELECT 1 FROM agents WHERE agent_id = ?", &[agent_id.as_str().into()])?;
        if found.is_empty() { Err(self.no_such_agent(agent_id)) } else { Ok(()) }
    }

    pub(crate) fn no_such_agent(&self, agent_id: &AgentId) -> Error {
        let message =
            format!("no such agent in this rig; register {agent_id} with POST /api/rigs/{}/agents", self.rig_id);
        Error::new(Code::NotFound, message)
    }

    /// Ends an agent's registration, so that nothing more is taken from it.
    pub fn unregister(&self, agent_id: &AgentId) -> Result<()> {
        self.store.query("DELETE FROM agents WHERE agent_id = ?", &[agent_id.as_str().into()])?;
        Ok(())
    }

    /// Forgets an agent, once the town has all of its events. The newest id is kept, because the number of waiting
    /// events follows from ids.
    pub fn forget(&self, agent_id: &AgentId) -> Result<()> {
        let head = self.outbox()?.head;
        atomically(self.store.as_ref(), || {
            self.store.query("UPDATE rig SET erased_head = ?", &[head.into()])?;
            for table in ["agent_events", "agent_tokens", "ended_runs", "posted_runs", "agents"] {
                self.store.query(&format!("DELETE FROM {table} WHERE agent_id = ?"), &[agent_id.as_str().into()])?;
            }
            Ok(())
        })?;
        self.erased_head.set(head);
        self.outbox.set(None);
        Ok(())
    }

    /// Stores an agent's post, as a whole or not at all. An event whose `event_id` is stored already is counted as a
    /// duplicate and left out.
    ///
    /// # Errors
    /// `not_found`: the agent is not registered here. `invalid` or `too_large`: an event or the batch is not valid.
    /// `town_unavailable`: the outbox is full. `conflict`: the agent is archived or was stopped, or a run of the post
    /// has ended. `rate_limited` or `too_large`: the post begins too many runs. Otherwise the tables cannot be read or
    /// written.
    pub fn post(&self, request: PostEvents, now: Timestamp) -> Result<PostReceipt> {
        let agent_id = request.agent_id.clone();
        let events = checked(request, self.redactor.as_deref())?;
        let taken = atomically_with_room(self.store.as_ref(), || {
            let poster = self.poster(&agent_id)?;
            let outbox = self.outbox()?;
            let Waiting { events: waiting, bytes: waiting_bytes } = outbox.waiting();
            let posted_bytes: u64 = events.iter().map(|event| data_of(event).len() as u64).sum();
            if waiting + events.len() as u64 > OUTBOX_EVENTS_MAX || waiting_bytes + posted_bytes > OUTBOX_BYTES_MAX {
                let message = format!(
                    "{waiting} events of {waiting_bytes} bytes wait for the town, which does not take them; try again in a minute"
                );
                return Err(Error::new(Code::TownUnavailable, message));
            }
            let fresh = self.without_duplicates(&agent_id, &events)?;
            if poster.is_archived && !fresh.is_empty() {
                return Err(self.archived(&agent_id));
            }
            self.check_open(&agent_id, poster.is_stopped, &fresh)?;
            self.count_runs(&agent_id, poster.has_open_run, &fresh, now)?;
            let appended = fresh.len() as u64;
            let outbox = self.append(&agent_id, &fresh, poster.kept, outbox, now)?;
            let receipt = PostReceipt { appended, duplicates: events.len() as u64 - appended, last_id: outbox.head };
            Ok((receipt, outbox))
        });
        match &taken {
            Ok((_, outbox)) => self.outbox.set(Some(*outbox)),
            // After a failure the tables say what was stored, not this instance. A refusal has stored nothing.
            Err(Error { code: Code::Internal | Code::StoreFull, .. }) => self.outbox.set(None),
            Err(_) => {}
        }
        taken.map(|(receipt, _)| receipt)
    }

    /// The events whose `event_id` is neither stored nor given twice.
    fn without_duplicates<'e>(&self, agent_id: &AgentId, events: &'e [PostEvent]) -> Result<Vec<&'e PostEvent>> {
        let given: Vec<&str> =
            events.iter().filter_map(|event| event.event_id.as_ref()).map(EventKey::as_str).collect();
        let mut keys: BTreeSet<String> = BTreeSet::new();
        if !given.is_empty() {
            let sql = format!("SELECT event_key FROM agent_events WHERE agent_id = ? AND event_key IN {LIST}");
            for row in self.store.query(&sql, &[agent_id.as_str().into(), list(&given)?])? {
                keys.insert(row.text(0)?.to_owned());
            }
        }
        let is_fresh =
            |event: &&PostEvent| event.event_id.as_ref().is_none_or(|key| keys.insert(key.as_str().to_owned()));
        Ok(events.iter().filter(is_fresh).collect())
    }

    /// Reads the rig's own log of an agent, ascending: at most `limit` events and [`PAGE_BYTES_MAX`].
    ///
    /// # Errors
    /// `not_found`: the agent is not registered here. Otherwise the tables cannot be read.
    pub fn events(&self, agent_id: &AgentId, after: SourceId, limit: u64) -> Result<Vec<RigEvent>> {
        self.check_agent(agent_id)?;
        let parameters = [agent_id.as_str().into(), after.into()];
        self.read("agent_id = ? AND id > ?", &parameters, limit, PAGE_BYTES_MAX as u64)
    }

    /// Reads events, ascending: at most `limit`, and of these the first ones that together have at most `bytes_max`,
    /// but at least one. Their lengths are read before their data, because 500 events of 1 MiB are more than an
    /// object's memory.
    pub(crate) fn read(
        &self,
        condition: &str,
        parameters: &[Value],
        limit: u64,
        bytes_max: u64,
    ) -> Result<Vec<RigEvent>> {
        let sql = format!(
            "SELECT id, length(CAST(data AS BLOB)) FROM agent_events WHERE {condition} ORDER BY id LIMIT {limit}"
        );
        let (mut last, mut bytes) = (None, 0);
        for row in self.store.query(&sql, parameters)? {
            bytes += row.number(1)?;
            if last.is_some() && bytes > bytes_max {
                break;
            }
            last = Some(row.number(0)?);
        }
        let Some(last) = last else { return Ok(Vec::new()) };
        let parameters: Vec<Value> = parameters.iter().cloned().chain([last.into()]).collect();
        self.read_whole(&format!("{condition} AND id <= ?"), &parameters, limit)
    }

    /// Reads events, ascending, whatever their bytes: at most `limit`.
    fn read_whole(&self, condition: &str, parameters: &[Value], limit: u64) -> Result<Vec<RigEvent>> {
        let sql = format!(
            "SELECT id, agent_id, run_id, event, data, at_ms FROM agent_events WHERE {condition} ORDER BY id LIMIT {limit}"
        );
        self.store.query(&sql, parameters)?.iter().map(event_of).collect()
    }

    /// The facts of the agent's row that a post needs, by one statement.
    fn poster(&self, agent_id: &AgentId) -> Result<PostingAgent> {
        let sql = "SELECT is_archived, is_stopped, event_count, event_bytes, has_ended_run = 0 AND coalesce((SELECT event \
             FROM agent_events WHERE agent_events.agent_id = agents.agent_id ORDER BY id DESC LIMIT 1), 'agent.exited') \
             <> 'agent.exited' FROM agents WHERE agent_id = ?";
        let rows = self.store.query(sql, &[agent_id.as_str().into()])?;
        let row = rows.first().ok_or_else(|| self.no_such_agent(agent_id))?;
        let kept = Kept { count: row.number(2)?, bytes: row.number(3)? };
        let flag = |index| Ok::<_, Error>(row.number(index)? == 1);
        Ok(PostingAgent { is_archived: flag(0)?, is_stopped: flag(1)?, kept, has_open_run: flag(4)? })
    }
}

/// An agent that posts.
struct PostingAgent {
    is_archived: bool,
    is_stopped: bool,
    kept: Kept,
    /// Whether an event without a `run_id` continues an open run, as far as the rig knows: the agent's newest event is
    /// not the end of a run.
    has_open_run: bool,
}

pub(crate) fn position(stored: u64) -> Result<SourceId> {
    SourceId::new(stored).ok_or_else(|| Error::internal("a stored position is beyond 2^53"))
}

fn event_of(row: &Row) -> Result<RigEvent> {
    Ok(RigEvent {
        id: position(row.number(0)?)?,
        agent_id: parse(AgentId::parse(row.text(1)?))?,
        run_id: row.maybe_text(2).and_then(RunId::parse),
        event: parse(EventName::parse(row.text(3)?))?,
        data: RawValue::from_string(row.text(4)?.to_owned()).map_err(Error::internal)?,
        at: moment(row, 5)?,
    })
}

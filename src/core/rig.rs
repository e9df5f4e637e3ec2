//! A rig: the durable receipt of what its agents post, and the outbox to its town.

use std::rc::Rc;

use serde_json::value::RawValue;

use crate::core::agents::parse;
use crate::core::body::is_deeper_than;
use crate::core::runs::moment;
use crate::core::schema;
use crate::core::store::{Row, Store, Value, atomically};
use crate::error::{Code, Error, Result};
use crate::event::{AgentExited, FRAME_NAMES, Role};
use crate::id::{AgentId, Epoch, EventKey, EventName, RigId, RunId, SourceId, TownId};
use crate::limits::{
    BATCH_EVENTS_MAX, EVENT_BYTES_MAX, EVENT_BYTES_PER_AGENT_MAX, JSON_DEPTH_MAX, OUTBOX_BYTES_MAX, OUTBOX_EVENTS_MAX,
    PAGE_BYTES_MAX,
};
use crate::protocol::{PostEvent, PostEvents, PostReceipt, RigBatch, RigEvent};
use crate::time::Timestamp;

/// The text of one batch to the town, 2 MiB; a batch is closed before the event that would exceed it.
const FORWARD_BYTES_MAX: u64 = 2 << 20;

/// A rig that exists.
pub struct Rig {
    store: Rc<dyn Store>,
    event_cap: u64,
    /// Its name on the wire.
    pub rig_id: RigId,
    /// Its town.
    pub town_id: TownId,
    epoch: Epoch,
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

    /// Opens the rig that lies in the tables; none where there is none, and then nothing is written.
    pub fn open(store: Rc<dyn Store>, event_cap: u64) -> Result<Option<Self>> {
        if !schema::exists(store.as_ref())? {
            return Ok(None);
        }
        schema::migrate(store.as_ref(), schema::RIG)?;
        let rows = store.query("SELECT rig_id, town_id, epoch FROM rig", &[])?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(Self {
            rig_id: parse(RigId::parse(row.text(0)?))?,
            town_id: parse(TownId::parse(row.text(1)?))?,
            epoch: parse(Epoch::parse(row.text(2)?))?,
            event_cap,
            store,
        }))
    }

    /// Takes an agent in that the town has taken in before. Again: takes over name and role.
    pub fn register(&self, agent_id: &AgentId, name: &str, role: Role, now: Timestamp) -> Result<()> {
        self.store.query(
            "INSERT INTO agents (agent_id, name, role, created_at_ms) VALUES (?, ?, ?, ?) \
             ON CONFLICT (agent_id) DO UPDATE SET name = excluded.name, role = excluded.role",
            &[agent_id.as_str().into(), name.into(), role.as_str().into(), now.millis().into()],
        )?;
        Ok(())
    }

    /// Its agents, oldest first.
    pub fn agents(&self) -> Result<Vec<AgentId>> {
        let rows = self.store.query("SELECT agent_id FROM agents ORDER BY created_at_ms, agent_id", &[])?;
        rows.iter().map(|row| parse(AgentId::parse(row.text(0)?))).collect()
    }

    /// Whether the agent is registered here.
    pub fn check_agent(&self, agent_id: &AgentId) -> Result<()> {
        let found = self.store.query("SELECT 1 FROM agents WHERE agent_id = ?", &[agent_id.as_str().into()])?;
        if found.is_empty() {
            let message =
                format!("no such agent in this rig; register {agent_id} with POST /api/rigs/{}/agents", self.rig_id);
            return Err(Error::new(Code::NotFound, message));
        }
        Ok(())
    }

    /// Stores what an agent posts: all of it or nothing. An `event_id` seen before is counted and left out.
    pub fn post(&self, request: PostEvents, now: Timestamp) -> Result<PostReceipt> {
        let agent_id = request.agent_id.clone();
        let events = events_of(request)?;
        for (index, event) in events.iter().enumerate() {
            check_event(index, event, events.len() == 1)?;
        }
        self.check_agent(&agent_id)?;
        let store = self.store.as_ref();
        atomically(store, || {
            let head = self.head()?;
            let waiting = head.get() - self.forwarded()?.get();
            let posted_bytes: u64 =
                events.iter().map(|event| event.data.as_deref().map_or(4, |data| data.get().len() as u64)).sum();
            let waiting_bytes = self.number("SELECT waiting_bytes FROM rig")?;
            if waiting + events.len() as u64 > OUTBOX_EVENTS_MAX || waiting_bytes + posted_bytes > OUTBOX_BYTES_MAX {
                let message = format!(
                    "{waiting} events of {waiting_bytes} bytes wait for the town, which does not take them; try again in a minute"
                );
                return Err(Error::new(Code::TownUnavailable, message));
            }
            let (mut last_id, mut appended, mut bytes) = (head, 0, 0);
            for event in &events {
                if let Some(key) = &event.event_id
                    && self.has(&agent_id, key)?
                {
                    continue;
                }
                last_id = last_id.next();
                self.insert(last_id, &agent_id, event, now)?;
                appended += 1;
                bytes += data_of(event).len() as u64;
            }
            if appended > 0 {
                let parameters = [appended.into(), bytes.into(), agent_id.as_str().into()];
                store.query(
                    "UPDATE agents SET event_count = event_count + ?, event_bytes = event_bytes + ? WHERE agent_id = ?",
                    &parameters,
                )?;
                store.query("UPDATE rig SET waiting_bytes = waiting_bytes + ?", &[bytes.into()])?;
                self.prune(&agent_id)?;
            }
            Ok(PostReceipt { appended, duplicates: events.len() as u64 - appended, last_id })
        })
    }

    fn has(&self, agent_id: &AgentId, key: &EventKey) -> Result<bool> {
        let found = self.store.query(
            "SELECT 1 FROM agent_events WHERE agent_id = ? AND event_key = ?",
            &[agent_id.as_str().into(), key.as_str().into()],
        )?;
        Ok(!found.is_empty())
    }

    fn insert(&self, id: SourceId, agent_id: &AgentId, event: &PostEvent, now: Timestamp) -> Result<()> {
        self.store.query(
            "INSERT INTO agent_events (id, agent_id, event_key, run_id, event, data, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
            &[
                id.into(),
                agent_id.as_str().into(),
                event.event_id.as_ref().map(EventKey::as_str).into(),
                event.run_id.as_ref().map(RunId::as_str).into(),
                event.event_type.as_str().into(),
                data_of(event).into(),
                event.at.unwrap_or(now).millis().into(),
            ],
        )?;
        Ok(())
    }

    /// Deletes what an agent has beyond its cap, oldest first, but nothing that the town has not stored, and never the
    /// newest: ids are never given twice.
    fn prune(&self, agent_id: &AgentId) -> Result<()> {
        let store = self.store.as_ref();
        let forwarded = self.forwarded()?;
        let sql = "SELECT event_count, event_bytes FROM agents WHERE agent_id = ?";
        let rows = store.query(sql, &[agent_id.as_str().into()])?;
        let Some(row) = rows.first() else { return Ok(()) };
        let (mut count, mut bytes) = (row.number(0)?, row.number(1)?);
        let before = count;
        while count > 1 && (count > self.event_cap || bytes > EVENT_BYTES_PER_AGENT_MAX) {
            let gone = store.query(
                "DELETE FROM agent_events WHERE id = (SELECT min(id) FROM agent_events WHERE agent_id = ?) AND id <= ? \
                 RETURNING length(CAST(data AS BLOB))",
                &[agent_id.as_str().into(), forwarded.into()],
            )?;
            let Some(row) = gone.first() else { break };
            count -= 1;
            bytes = bytes.saturating_sub(row.number(0)?);
        }
        if count < before {
            let parameters = [count.into(), bytes.into(), agent_id.as_str().into()];
            store.query("UPDATE agents SET event_count = ?, event_bytes = ? WHERE agent_id = ?", &parameters)?;
        }
        Ok(())
    }

    /// The rig's own log of an agent, ascending: at most `limit` events and [`PAGE_BYTES_MAX`].
    pub fn events(&self, agent_id: &AgentId, after: SourceId, limit: u64) -> Result<Vec<RigEvent>> {
        self.check_agent(agent_id)?;
        let parameters = [agent_id.as_str().into(), after.into()];
        self.read("agent_id = ? AND id > ?", &parameters, limit, PAGE_BYTES_MAX as u64)
    }

    /// What the town has to be given next; none where it has all.
    pub fn next_batch(&self) -> Result<Option<RigBatch>> {
        let after = self.forwarded()?;
        let events = self.read("id > ?", &[after.into()], BATCH_EVENTS_MAX as u64, FORWARD_BYTES_MAX)?;
        let batch = RigBatch { rig_id: self.rig_id.clone(), rig_epoch: self.epoch.clone(), after, events };
        Ok((!batch.events.is_empty()).then_some(batch))
    }

    /// Reads events, ascending: at most `limit`, and of these the first that take `bytes_max` together, or one. Their
    /// lengths are read before them: 500 events of 1 MiB are more than an object's memory.
    fn read(&self, condition: &str, parameters: &[Value], limit: u64, bytes_max: u64) -> Result<Vec<RigEvent>> {
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
        let sql = format!(
            "SELECT id, agent_id, run_id, event, data, at_ms FROM agent_events WHERE {condition} AND id <= {last} \
             ORDER BY id"
        );
        self.store.query(&sql, parameters)?.iter().map(event_of).collect()
    }

    /// Takes over where the town's cursor stands.
    pub fn adopt(&self, cursor: SourceId) -> Result<()> {
        let cursor = cursor.min(self.head()?);
        if cursor != self.forwarded()? {
            self.store.query(
                "UPDATE rig SET forwarded_id = ?, waiting_bytes = \
                 (SELECT coalesce(sum(octet_length(data)), 0) FROM agent_events WHERE id > ?)",
                &[cursor.into(), cursor.into()],
            )?;
        }
        Ok(())
    }

    fn head(&self) -> Result<SourceId> {
        self.position("SELECT coalesce(max(id), 0) FROM agent_events")
    }

    fn forwarded(&self) -> Result<SourceId> {
        self.position("SELECT forwarded_id FROM rig")
    }

    fn position(&self, sql: &str) -> Result<SourceId> {
        SourceId::new(self.number(sql)?).ok_or_else(|| Error::internal("a stored position is beyond 2^53"))
    }

    fn number(&self, sql: &str) -> Result<u64> {
        self.store.query(sql, &[])?.first().map_or(Ok(0), |row| row.number(0))
    }
}

fn event_of(row: &Row) -> Result<RigEvent> {
    Ok(RigEvent {
        id: SourceId::new(row.number(0)?).ok_or_else(|| Error::internal("a stored position is beyond 2^53"))?,
        agent_id: parse(AgentId::parse(row.text(1)?))?,
        run_id: row.maybe_text(2).and_then(RunId::parse),
        event: parse(EventName::parse(row.text(3)?))?,
        data: RawValue::from_string(row.text(4)?.to_owned()).map_err(Error::internal)?,
        at: moment(row, 5)?,
    })
}

/// The batch, or the single event as a batch of one.
fn events_of(request: PostEvents) -> Result<Vec<PostEvent>> {
    let PostEvents { events, event_type, data, at, event_id, run_id, .. } = request;
    match (events, event_type) {
        (Some(_), Some(_)) => Err(Error::invalid("events", "not together with event_type; post one event or a batch")),
        (Some(events), None) if events.is_empty() => Err(Error::invalid("events", "expected at least one event")),
        (Some(events), None) if events.len() > BATCH_EVENTS_MAX => {
            let message = format!("events: {} in one batch; post at most {BATCH_EVENTS_MAX}", events.len());
            Err(Error::new(Code::TooLarge, message))
        }
        (Some(events), None) => Ok(events.into_iter().map(|event| event.0).collect()),
        (None, Some(event_type)) => Ok(vec![PostEvent { event_type, data, at, event_id, run_id }]),
        (None, None) => Err(Error::invalid("event_type", "missing; name the event, or post a batch in events")),
    }
}

fn data_of(event: &PostEvent) -> &str {
    event.data.as_deref().map_or("null", RawValue::get)
}

fn check_event(index: usize, event: &PostEvent, single: bool) -> Result<()> {
    let field = |name: &str| if single { name.to_owned() } else { format!("events[{index}].{name}") };
    let name = event.event_type.as_str();
    if FRAME_NAMES.contains(&name) {
        return Err(Error::invalid(
            &field("event_type"),
            format!("{name} is the name of a stream frame; choose another"),
        ));
    }
    let data = data_of(event);
    if data.len() > EVENT_BYTES_MAX {
        let message = format!("{}: {} bytes; an event may have {EVENT_BYTES_MAX}", field("data"), data.len());
        return Err(Error::new(Code::TooLarge, message));
    }
    if is_deeper_than(data.as_bytes(), JSON_DEPTH_MAX) {
        return Err(Error::invalid(&field("data"), format!("nested deeper than {JSON_DEPTH_MAX} levels")));
    }
    // Its reason ends a run, so it has to be readable.
    if name == "agent.exited" && serde_json::from_str::<AgentExited>(data).is_err() {
        let problem = "expected {\"reason\": \"completed\", \"failed\", \"stopped\", \"timeout\" or \"lost\"}";
        return Err(Error::invalid(&field("data.reason"), problem));
    }
    Ok(())
}

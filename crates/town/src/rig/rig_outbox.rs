//! A rig's outbox: the events that the town has not taken yet, and the town's cursor.

use serde_json::value::RawValue;
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::{AgentId, EventName, RunId, SourceId};
use townwatch_protocol::limits::BATCH_EVENTS_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{RigBatch, RigEvent};

use crate::agents::parse;
use crate::joined_rows::{JOINED_BYTES_MAX, NAMES_BYTES_MAX, joined, rows_of};
use crate::rig::{Rig, position};

/// The text of one batch to the town, 2 MiB; a batch is closed before the event that would exceed it.
const FORWARD_BYTES_MAX: u64 = 2 << 20;
/// The data of events that are read as one text, 1 MiB. Beside each event's data stand short names.
const JOINED_DATA_BYTES_MAX: u64 = 1 << 20;
const _: () = assert!(JOINED_DATA_BYTES_MAX + BATCH_EVENTS_MAX as u64 * NAMES_BYTES_MAX <= JOINED_BYTES_MAX);

/// The events that wait in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The number of events.
    pub events: u64,
    /// The bytes of their data.
    pub bytes: u64,
}

/// The positions of log and outbox.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutboxState {
    pub(crate) head: SourceId,
    pub(crate) forwarded: SourceId,
    pub(crate) waiting_bytes: u64,
}

impl OutboxState {
    pub(crate) fn waiting(&self) -> Waiting {
        Waiting { events: self.head.get() - self.forwarded.get(), bytes: self.waiting_bytes }
    }
}

impl Rig {
    /// The next batch for the town; `None` where the town has all events.
    pub fn next_batch(&self) -> Result<Option<RigBatch>> {
        let OutboxState { head, forwarded: after, waiting_bytes } = self.outbox()?;
        if head == after {
            return Ok(None);
        }
        let limit = BATCH_EVENTS_MAX as u64;
        let events = if waiting_bytes <= JOINED_DATA_BYTES_MAX {
            self.read_joined(after, limit)?
        } else {
            self.read("id > ?", &[after.into()], limit, FORWARD_BYTES_MAX)?
        };
        if events.is_empty() {
            // What has these ids was deleted with its agent, and nothing of it waits.
            self.adopt(head)?;
            return Ok(None);
        }
        Ok(Some(RigBatch { rig_id: self.rig_id.clone(), rig_epoch: self.epoch.clone(), after, events }))
    }

    /// Reads the events after a position, ascending: at most `limit`.
    fn read_joined(&self, after: SourceId, limit: u64) -> Result<Vec<RigEvent>> {
        let sql = format!(
            "SELECT {} FROM (SELECT id, agent_id, coalesce(run_id, '') AS run_id, event, at_ms, data FROM agent_events \
             WHERE id > ? ORDER BY id LIMIT {limit})",
            joined(&["id", "agent_id", "run_id", "event", "at_ms", "data"])
        );
        let mut events = Vec::new();
        if let Some(text) = self.store.query(&sql, &[after.into()])?.first().and_then(|row| row.maybe_text(0)) {
            for row in rows_of(text) {
                let [id, agent_id, run_id, event, at_ms, data] = row?;
                events.push(RigEvent {
                    id: parse(id.parse().ok().and_then(SourceId::new))?,
                    agent_id: parse(AgentId::parse(agent_id))?,
                    run_id: RunId::parse(run_id),
                    event: parse(EventName::parse(event))?,
                    data: RawValue::from_string(data.to_owned()).map_err(Error::internal)?,
                    at: parse(at_ms.parse().ok().map(Timestamp::from_millis))?,
                });
            }
        }
        events.sort_unstable_by_key(|event| event.id);
        Ok(events)
    }

    /// Takes over the town's cursor, and gives what waits behind it.
    pub fn adopt(&self, cursor: SourceId) -> Result<Waiting> {
        let mut outbox = self.outbox()?;
        let (before, cursor) = (outbox.forwarded, cursor.min(outbox.head));
        if cursor != before {
            let between = || self.bytes_between(before.min(cursor), before.max(cursor));
            outbox.waiting_bytes = if cursor == outbox.head {
                0
            } else if cursor > before {
                outbox.waiting_bytes.saturating_sub(between()?)
            } else {
                outbox.waiting_bytes + between()?
            };
            outbox.forwarded = cursor;
            self.store.query("UPDATE rig SET forwarded_id = ?", &[cursor.into()])?;
            self.outbox.set(Some(outbox));
        }
        Ok(outbox.waiting())
    }

    /// The events that the town has not taken yet.
    pub fn waiting(&self) -> Result<Waiting> {
        Ok(self.outbox()?.waiting())
    }

    /// The positions of log and outbox. They are read once in the life of an instance, and then follow what it commits.
    pub(crate) fn outbox(&self) -> Result<OutboxState> {
        if let Some(known) = self.outbox.get() {
            return Ok(known);
        }
        let sql = "SELECT (SELECT coalesce(max(id), 0) FROM agent_events), forwarded_id FROM rig";
        let rows = self.store.query(sql, &[])?;
        let row = rows.first().ok_or_else(|| Error::not_found("rig"))?;
        let head = position(row.number(0)?)?.max(self.erased_head.get());
        let forwarded = position(row.number(1)?)?;
        let outbox = OutboxState { head, forwarded, waiting_bytes: self.bytes_between(forwarded, head)? };
        self.outbox.set(Some(outbox));
        Ok(outbox)
    }

    /// The bytes of the events after one position, up to another.
    fn bytes_between(&self, after: SourceId, through: SourceId) -> Result<u64> {
        let sql = "SELECT coalesce(sum(octet_length(data)), 0) FROM agent_events WHERE id > ? AND id <= ?";
        self.store.query(sql, &[after.into(), through.into()])?.first().map_or(Ok(0), |row| row.number(0))
    }
}

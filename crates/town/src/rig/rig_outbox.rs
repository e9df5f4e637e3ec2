//! A rig's outbox: the events that the town has not taken yet, and the town's cursor.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::SourceId;
use townwatch_protocol::limits::BATCH_EVENTS_MAX;
use townwatch_protocol::wire::RigBatch;

use crate::rig::{Rig, position};

/// The text of one batch to the town, 2 MiB; a batch is closed before the event that would exceed it.
const FORWARD_BYTES_MAX: u64 = 2 << 20;

/// The events that wait in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The number of events.
    pub events: u64,
    /// The bytes of their data.
    pub bytes: u64,
}

/// The positions of log and outbox.
pub(crate) struct OutboxState {
    pub(crate) head: SourceId,
    pub(crate) forwarded: SourceId,
    waiting_bytes: u64,
}

impl OutboxState {
    pub(crate) fn waiting(&self) -> Waiting {
        Waiting { events: self.head.get() - self.forwarded.get(), bytes: self.waiting_bytes }
    }
}

impl Rig {
    /// The next batch for the town; `None` where the town has all events.
    pub fn next_batch(&self) -> Result<Option<RigBatch>> {
        let after = self.forwarded()?;
        let events = self.read("id > ?", &[after.into()], BATCH_EVENTS_MAX as u64, FORWARD_BYTES_MAX)?;
        let batch = RigBatch { rig_id: self.rig_id.clone(), rig_epoch: self.epoch.clone(), after, events };
        Ok((!batch.events.is_empty()).then_some(batch))
    }

    /// Takes over the town's cursor.
    pub fn adopt(&self, cursor: SourceId) -> Result<()> {
        let standing = self.standing()?;
        let cursor = cursor.min(standing.head);
        if cursor != standing.forwarded {
            // If the cursor moves forwards, the first sum is of the events that the town has taken, and the second is
            // 0. If it moves backwards it is the other way round.
            let sql = "UPDATE rig SET forwarded_id = ?1, waiting_bytes = max(0, waiting_bytes \
                 - (SELECT coalesce(sum(octet_length(data)), 0) FROM agent_events WHERE id > forwarded_id AND id <= ?1) \
                 + (SELECT coalesce(sum(octet_length(data)), 0) FROM agent_events WHERE id > ?1 AND id <= forwarded_id))";
            self.store.query(sql, &[cursor.into()])?;
        }
        Ok(())
    }

    /// The events that the town has not taken yet.
    pub fn waiting(&self) -> Result<Waiting> {
        Ok(self.standing()?.waiting())
    }

    /// The positions of log and outbox, by one statement, because each statement costs a small post more than its rows.
    pub(crate) fn standing(&self) -> Result<OutboxState> {
        let sql = "SELECT (SELECT coalesce(max(id), 0) FROM agent_events), forwarded_id, waiting_bytes FROM rig";
        let rows = self.store.query(sql, &[])?;
        let row = rows.first().ok_or_else(|| Error::not_found("rig"))?;
        let head = position(row.number(0)?)?.max(self.erased_head.get());
        Ok(OutboxState { head, forwarded: position(row.number(1)?)?, waiting_bytes: row.number(2)? })
    }
}

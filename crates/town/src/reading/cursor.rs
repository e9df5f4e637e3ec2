//! Where a reader's history begins: every rule of the contract's "Resuming" about that.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::{Epoch, EventId};
use townwatch_protocol::limits::EVENTS_PER_AGENT_MAX;
use townwatch_protocol::wire::{AgentSelection, Gap, GapReason};

use crate::agents;
use crate::log::{self, Selection};
use crate::store::Store;

/// What a reader says of where it stands.
#[derive(Debug, Clone, Default)]
pub struct CursorRequest {
    /// The life of the log that its cursor belongs to.
    pub epoch: Option<Epoch>,
    /// The last event that it has.
    pub after_id: Option<u64>,
    /// The first event that it wants: one more than the last that it has. Sketch's way, whose clients number what they get
    /// and ask for the next number. 0 and below is the start; beyond the head is what comes next.
    pub from: Option<i64>,
    /// How many of the newest events it wants.
    pub tail: Option<u64>,
}

/// Where its history begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begin {
    /// The last event that it is taken to have.
    pub cursor: EventId,
    /// Whether its own cursor meant nothing here.
    pub reset: bool,
    /// Whether what lies before is not wanted, rather than missed.
    pub tail: bool,
}

impl CursorRequest {
    /// Refuses what does not go together.
    pub fn check(&self) -> Result<()> {
        match self.tail {
            Some(_) if self.after_id.is_some() || self.from.is_some() => {
                Err(Error::invalid("tail", "not together with after_id or from; name one of them"))
            }
            Some(tail) if tail > EVENTS_PER_AGENT_MAX => {
                Err(Error::invalid("tail", format!("expected an integer from 0 to {EVENTS_PER_AGENT_MAX}")))
            }
            _ => Ok(()),
        }
    }
}

/// Decides where history begins; from its start where the reader says nothing.
pub fn resolve(store: &dyn Store, selection: &Selection, epoch: &Epoch, asked: &CursorRequest) -> Result<Begin> {
    asked.check()?;
    if let Some(tail) = asked.tail {
        let cursor = log::tail_position(store, &selection.agents, tail)?;
        return Ok(Begin { cursor, reset: false, tail: true });
    }
    let head = log::head(store)?;
    if asked.epoch.as_ref().is_some_and(|asked| asked != epoch) {
        return Ok(Begin { cursor: EventId::START, reset: true, tail: false });
    }
    let wanted = match (asked.from, asked.after_id) {
        (Some(from), _) => u64::try_from(from).unwrap_or(0).saturating_sub(1).min(head.get()),
        (None, Some(after_id)) => after_id,
        (None, None) => 0,
    };
    match EventId::new(wanted).filter(|wanted| *wanted <= head) {
        Some(cursor) => Ok(Begin { cursor, reset: false, tail: false }),
        None => Ok(Begin { cursor: EventId::START, reset: true, tail: false }),
    }
}

/// What a reader at `cursor` misses for good, an entry for each agent. `known_at` is the head at the time when it was
/// last told: what was pruned before that is known to it.
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
        // Of archived agents, which may be ten times as many, only those are looked at that have something to tell.
        AgentSelection::All => format!(
            "{columns} {} AND {condition} UNION ALL {columns} agents INDEXED BY agents_archived_pruned \
             WHERE archived_at_ms IS NOT NULL AND {condition} ORDER BY agent_id",
            agents::PRESENT
        ),
        AgentSelection::Only(agents) => {
            parameters.push(log::list(agents)?);
            format!("{columns} agents WHERE {condition} AND agent_id IN {} ORDER BY agent_id", log::LIST)
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

//! The town's end of a rig's outbox: each posted event is taken over exactly once.

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::Draft;
use townwatch_protocol::id::{Epoch, SourceId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{AgentState, RigBatch, RigCursor};

use crate::agents::holds::Subject;
use crate::agents::parse;
use crate::agents::runs::{self, Source};
use crate::decision::{Decide, Decision};
use crate::log;
use crate::log::ingest::Outcome;
use crate::relay::{Position, retire, set_position};
use crate::store::{Store, atomically_with_room};
use crate::town::Town;

/// A batch of a rig. The answer has the cursor as it stands afterwards. A batch that does not begin at the cursor
/// changes nothing, and the rig goes on from the cursor in the answer.
impl Decide for &RigBatch {
    type Answer = RigCursor;

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<RigCursor>> {
        town.take_batch(self, now).map(|(cursor, outcome)| Decision::seen(cursor, outcome))
    }
}

impl Town {
    fn take_batch(&mut self, batch: &RigBatch, now: Timestamp) -> Result<(RigCursor, Outcome)> {
        // During a deletion of this rig, an agent of it may be erased already, and another rig may have a new agent
        // under the same id.
        self.holds.check_stays(&Subject::Rig(batch.rig_id.clone()))?;
        let store = self.store.as_ref();
        let source = Source::Rig(batch.rig_id.clone());
        let (cursor, outcome, posting) = atomically_with_room(store, || {
            let RigStanding { position: stored, is_retired } = standing(store, batch, &source)?;
            let head = log::head(store)?;
            if is_retired {
                return Err(Error::new(Code::Conflict, "this life of the rig's log is over"));
            }
            let mut cursor = match &stored.epoch {
                Some(epoch) if *epoch == batch.rig_epoch => stored.cursor,
                Some(old) => {
                    retire(store, &source, old)?;
                    SourceId::START
                }
                None => SourceId::START,
            };
            let mut ingest = self.ingest_behind(head, source.clone(), None, now).posted().with_space()?;
            if batch.after == cursor {
                ingest.expect(batch.events.iter().map(|event| &event.agent_id));
                for event in batch.events.iter().filter(|event| event.id > batch.after) {
                    ingest.take(&Draft {
                        agent_id: event.agent_id.clone(),
                        run_id: event.run_id.clone(),
                        event: event.event.clone(),
                        data: event.data.clone(),
                        at: event.at,
                    })?;
                    cursor = event.id;
                }
            }
            if stored.epoch.as_ref() != Some(&batch.rig_epoch) || cursor != stored.cursor {
                set_position(store, &source, &batch.rig_epoch, cursor)?;
            }
            let outcome = ingest.finish()?;
            let mut posting = Vec::new();
            for (_, AgentState { agent_id, .. }) in &outcome.states {
                // Where each event belonged to an open run, and none ended, all is as it was heard of last.
                let is_as_before = outcome.dropped == 0 && outcome.ended.is_empty();
                let stays_open = is_as_before && self.deadlines.knows(agent_id);
                let is_open = stays_open || !runs::open_of_agent(store, &source, agent_id)?.is_empty();
                posting.push((agent_id.clone(), is_open));
            }
            Ok((cursor, outcome, posting))
        })?;
        for (agent_id, is_open) in posting {
            self.deadlines.heard(agent_id, is_open, now);
        }
        Ok((RigCursor { cursor }, outcome))
    }
}

/// The facts that a batch depends on.
struct RigStanding {
    position: Position,
    is_retired: bool,
}

/// Reads the facts by one statement, because each statement costs a small batch more than its rows.
fn standing(store: &dyn Store, batch: &RigBatch, source: &Source) -> Result<RigStanding> {
    let sql = "SELECT EXISTS (SELECT 1 FROM retired_epochs WHERE source = ?2 AND epoch = ?3), epoch, cursor \
         FROM rigs LEFT JOIN sources ON source = ?2 WHERE rig_id = ?1";
    let key = [batch.rig_id.as_str().into(), source.key().into(), batch.rig_epoch.as_str().into()];
    let rows = store.query(sql, &key)?;
    let row = rows.first().ok_or_else(|| Error::not_found("rig in this town"))?;
    Ok(RigStanding {
        position: Position {
            epoch: row.maybe_text(1).map(|epoch| parse(Epoch::parse(epoch))).transpose()?,
            cursor: parse(SourceId::new(row.maybe_number(2).unwrap_or(0)))?,
        },
        is_retired: row.number(0)? == 1,
    })
}

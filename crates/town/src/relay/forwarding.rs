//! The town's end of a rig's outbox: each posted event is taken over exactly once.

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::Draft;
use townwatch_protocol::id::SourceId;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{AgentState, RigBatch, RigCursor};

use crate::agents::holds::Subject;
use crate::agents::runs::{self, Source};
use crate::decision::{Decide, Decision};
use crate::log::ingest::Outcome;
use crate::relay::{is_retired, position, retire, set_position};
use crate::store::atomically_with_room;
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
        if !self.has_rig(&batch.rig_id)? {
            return Err(Error::not_found("rig in this town"));
        }
        // During a deletion of this rig, an agent of it may be erased already, and another rig may have a new agent
        // under the same id.
        self.holds.check_stays(&Subject::Rig(batch.rig_id.clone()))?;
        let store = self.store.as_ref();
        let source = Source::Rig(batch.rig_id.clone());
        let (cursor, outcome, posting) = atomically_with_room(store, || {
            let stored = position(store, &source)?;
            if is_retired(store, &source, &batch.rig_epoch)? {
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
            let mut ingest = self.ingest(source.clone(), None, now)?.posted().with_space()?;
            if batch.after == cursor {
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
                posting.push((agent_id.clone(), !runs::open_of_agent(store, &source, agent_id)?.is_empty()));
            }
            Ok((cursor, outcome, posting))
        })?;
        for (agent_id, is_open) in posting {
            self.deadlines.heard(agent_id, is_open, now);
        }
        Ok((RigCursor { cursor }, outcome))
    }
}

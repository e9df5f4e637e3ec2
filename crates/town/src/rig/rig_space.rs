//! Pruning of a rig whose tables use more than they may: the oldest events of the agents that use most go, if the town
//! has them. Events that wait for the town have their own bounds, and stay.

use townwatch_protocol::error::Result;
use townwatch_protocol::id::{AgentId, SourceId};

use crate::agents::parse;
use crate::log::space::{Excess, LARGEST_AGENTS_MAX};
use crate::rig::Rig;
use crate::rig::rig_log::Kept;

impl Rig {
    /// Removes events before a post is stored; true if the tables used too much.
    pub(crate) fn make_space(&self, forwarded: SourceId) -> Result<bool> {
        let store = self.store.as_ref();
        let Some(mut wanted) = Excess::of(store.fill()) else { return Ok(false) };
        let sql = "SELECT agent_id, event_count, event_bytes FROM agents ORDER BY event_bytes DESC LIMIT ?";
        for row in store.query(sql, &[LARGEST_AGENTS_MAX.into()])? {
            let agent_id = parse(AgentId::parse(row.text(0)?))?;
            let mut kept = Kept { count: row.number(1)?, bytes: row.number(2)? };
            // The newest event always stays, because ids are never given twice.
            while !wanted.is_met() && kept.count > 1 {
                let Some(oldest) = self.oldest(&agent_id, forwarded, 1)?.pop() else { break };
                store.query("DELETE FROM agent_events WHERE id = ?", &[oldest.id.into()])?;
                kept.lose(Some(&oldest));
                wanted.lose(oldest.bytes);
            }
            self.save_kept(&agent_id, kept)?;
            if wanted.is_met() {
                break;
            }
        }
        Ok(true)
    }
}

//! Agents that post and begin ever new runs, which they never end: how many of them are open, and that their rig is told of
//! those that the town has ended.

use serde_json::{Value, json};
use townwatch_protocol::calls::EndedRuns;
use townwatch_town::agents::stop_orders::{StopAnswered, StopOrder, StopPlace};
use townwatch_town::relay::control_response::StopAnswer;
use townwatch_town::store::Store;

use super::faults::Fault;
use super::world::World;

impl World {
    /// Events of an agent that has forgotten which run it is in: each is the first of one.
    pub(super) fn first_events(&mut self) -> Vec<Value> {
        self.fire(Fault::RunPerEvent);
        let count = self.rng.u32(1..self.begun_at_once);
        let events = (0..count).map(|_| {
            let token = self.fresh_token("rig");
            let (key, run_id) = (format!("key-{token}"), format!("outside-{token}"));
            json!({"event_type": "note", "data": format!("#{token} note"), "event_id": key, "run_id": run_id})
        });
        events.collect()
    }

    /// Tells the rig of a run that has ended. The town may not hear that it was told.
    pub(super) fn tell_rig(&mut self, StopOrder { run_id, agent_id, place }: StopOrder) {
        let StopPlace::Rig(rig_id, reason) = place else { return };
        assert_eq!(rig_id, self.rig_id);
        let ends = EndedRuns { agent_id, run_ids: vec![run_id.clone()], reason };
        self.rig.note_ends(&ends, self.now).unwrap();
        if self.goes_wrong(3) {
            self.fire(Fault::StopAnswerLost);
        } else {
            self.handle(StopAnswered { run_id: &run_id, answer: &StopAnswer::Heard });
        }
    }

    /// However many runs begin, only so many of them are open.
    pub(super) fn check_open_runs(&mut self) {
        let sql = "SELECT agent_id, source, count(*) FROM runs WHERE exit IS NULL GROUP BY agent_id, source";
        for row in self.store.query(sql, &[]).unwrap() {
            assert!(row.number(2).unwrap() <= 16, "more runs are open than may be: {row:?}");
        }
        let sql = "SELECT 1 FROM runs WHERE json_extract(exit, '$.message') LIKE '%as many as there may be%' LIMIT 1";
        if !self.store.query(sql, &[]).unwrap().is_empty() {
            self.fire(Fault::RunTooMany);
        }
    }
}

//! Runs that spend more than they may: what orders their stop, who hears it late or twice, and what is true of them
//! whatever breaks.

use std::collections::BTreeMap;

use serde_json::Value;
use townwatch_protocol::event::{AgentExited, EventData, ExitReason};
use townwatch_town::agents::stop_orders::{StopAnswered, StopOrder, StopPlace};
use townwatch_town::relay::control_response::StopAnswer;
use townwatch_town::store::Store;

use super::faults::Fault;
use super::oracle::Stored;
use super::world::World;

impl World {
    /// Does with ordered stops what the edge does. The container may not hear one, or its word that it did is lost.
    pub(super) fn perform_stops(&mut self) {
        for order in self.town.stop_orders().unwrap() {
            if self.goes_wrong(3) {
                self.fire(Fault::StopUnheard);
                continue;
            }
            if order.place != StopPlace::Container {
                self.tell_rig(order);
                continue;
            }
            let StopOrder { run_id, agent_id, .. } = order;
            if self.container.runs.contains_key(&run_id) {
                self.fire(Fault::StoppedByBudget);
                let exit = AgentExited { reason: ExitReason::Stopped, exit_code: None, signal: None, message: None };
                self.container.emit(&run_id, &EventData::Exited(exit), self.now);
            }
            // Who does not know the agent confirms nothing.
            if self.container.knows(&agent_id, &run_id) {
                if self.goes_wrong(3) {
                    self.fire(Fault::StopAnswerLost);
                } else {
                    self.handle(StopAnswered { run_id: &run_id, answer: &StopAnswer::Heard });
                }
            }
        }
    }

    /// A budget warns once; who has used it up is being stopped; and who was stopped by it had used it up.
    pub(super) fn check_budgets(&self) {
        let mut warned: BTreeMap<String, u64> = BTreeMap::new();
        // The other notice says at a start that a command tells nothing.
        let is_warning = |stored: &&Stored| stored.event == "agent_notice" && stored.frame.contains("nearly used up");
        for stored in self.oracle.log.values().filter(is_warning) {
            let event: Value = serde_json::from_str(&stored.frame).unwrap();
            *warned.entry(event["run_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        assert!(warned.values().all(|count| *count == 1), "warned more than once: {warned:?}");
        let sql = "SELECT state, budgets, exit, stop_message, runs.run_id FROM agents JOIN runs \
             ON runs.run_id = json_extract(budgets, '$.run.run_id') AND runs.run_id = json_extract(state, '$.state.run_id')";
        for row in self.store.query(sql, &[]).unwrap() {
            let json = |column| serde_json::from_str::<Value>(row.text(column).unwrap()).unwrap();
            let (usage, max) =
                (json(0)["state"]["usage"].clone(), json(1)["run"]["meter"]["budget"]["max_tokens"].clone());
            let kinds = ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
            let tokens: u64 = kinds.iter().map(|kind| usage[kind].as_u64().unwrap()).sum();
            let (run_id, is_stopped) = (row.text(4).unwrap(), row.maybe_text(3).is_some());
            assert!(
                is_stopped || tokens < max.as_u64().unwrap(),
                "{run_id} has used up {max} tokens and goes on: {usage}"
            );
            assert!(!is_stopped || warned.contains_key(run_id), "{run_id} is stopped without a word before");
            let is_over = row.maybe_text(2).is_some_and(|exit| exit.contains("budget_exceeded"));
            assert!(!is_over || is_stopped, "{run_id} was ended by a budget that it had not used up");
        }
    }

    /// At the end, when all was heard: nobody goes on who was to be stopped. Of one whose end was lost at its source that is
    /// not known here, as of any run.
    pub(super) fn check_stopped(&self) {
        let sql = "SELECT run_id FROM runs WHERE stop_message IS NOT NULL AND exit IS NULL";
        let open = self.store.query(sql, &[]).unwrap();
        let open = open.iter().map(|row| row.text(0).unwrap()).filter(|run_id| !self.container.has_lost_end_of(run_id));
        assert_eq!(open.collect::<Vec<_>>(), [""; 0], "ordered to stop, and never stopped");
        assert_eq!(self.town.stop_orders().unwrap(), [], "heard, and still asked for");
    }
}

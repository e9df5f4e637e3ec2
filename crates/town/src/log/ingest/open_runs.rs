//! The bound on an agent's open runs. Where an agent begins runs and never ends them, those without an event for the
//! longest time are ended, so that neither the runs nor the work over the open ones grows.

use townwatch_protocol::error::Result;
use townwatch_protocol::event::{AgentExited, Draft, ExitReason};
use townwatch_protocol::id::AgentId;
use townwatch_protocol::limits::OPEN_RUNS_MAX;

use super::Ingest;
use crate::agents::runs::{self, Source};
use crate::agents::stop_orders;

impl Ingest<'_> {
    /// Makes room for a new run: while the agent has as many open runs from this source as it may, the run without an
    /// event for the longest time ends as lost.
    ///
    /// If a rig is the source, the rig gets a stop order, because it has to refuse what is posted to the ended run.
    /// If the container is the source, nobody is told. Our control server opens one run per agent at a time. A
    /// container that opens several is not ours, and could not be told.
    pub(super) fn make_room_for_run(&mut self, agent_id: &AgentId) -> Result<()> {
        let message = format!(
            "its agent began another run with {OPEN_RUNS_MAX} open, as many as there may be, and of these it was not heard of \
             for longest; end each run with agent.exited, and tell the events of one run under one run_id"
        );
        self.writer.flush()?;
        for run in runs::quietest_open(self.store, &self.source, agent_id, OPEN_RUNS_MAX - 1)? {
            if let Source::Rig(_) = self.source {
                self.outcome.orders_stops |= stop_orders::order(self.store, &run.run_id, &message)?;
            }
            let exit = AgentExited::because(ExitReason::Lost, &message);
            self.take_own_word(&Draft::new(agent_id.clone(), run.run_id, exit, self.now))?;
        }
        Ok(())
    }
}

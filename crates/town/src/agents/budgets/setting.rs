//! Setting the budgets of a day.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::AgentId;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::BudgetChange;

use crate::agents;
use crate::agents::budgets;
use crate::agents::runs::Source;
use crate::log::ingest::{Ingest, Outcome, RunIdSource, Scope};
use crate::store::atomically;
use crate::town::Town;

impl Town {
    /// Sets what an agent may take in a day. Where it has taken that already its runs are stopped.
    pub fn change_agent(
        &mut self,
        agent_id: &AgentId,
        change: &BudgetChange,
        now: Timestamp,
        fresh_run: RunIdSource<'_>,
    ) -> Result<Outcome> {
        let store = self.store.as_ref();
        let outcome = atomically(store, || {
            let mut agent = agents::load(store, agent_id)?.ok_or_else(|| Error::not_found("agent"))?;
            let (before, day) = (agent.now.state.clone(), &mut agent.budgets.day);
            let is_exceeded = day.set(change.of(day.budget())?, now);
            let message = Scope::AgentDay.exceeded(&day.words());
            let mut ingest = Ingest::new(store, Source::Container, None, self.config.event_cap, &mut *fresh_run, now)?;
            ingest.put_agent(before, agent);
            if is_exceeded {
                ingest.stop_open(Some(agent_id), &message)?;
            }
            ingest.finish()
        })?;
        self.states.mark(agent_id.clone());
        Ok(outcome)
    }

    /// Sets what all agents of the town together may take in a day.
    pub fn change_budget(
        &mut self,
        change: &BudgetChange,
        now: Timestamp,
        fresh_run: RunIdSource<'_>,
    ) -> Result<Outcome> {
        let store = self.store.as_ref();
        atomically(store, || {
            let mut day = budgets::of_town(store)?;
            let is_exceeded = day.set(change.of(day.budget())?, now);
            budgets::save_of_town(store, &day)?;
            let mut ingest = Ingest::new(store, Source::Container, None, self.config.event_cap, &mut *fresh_run, now)?;
            if is_exceeded {
                ingest.stop_open(None, &Scope::TownDay.exceeded(&day.words()))?;
            }
            ingest.finish()
        })
    }
}

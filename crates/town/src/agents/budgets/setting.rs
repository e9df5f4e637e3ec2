//! Changes of the budgets of a day.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::AgentId;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::BudgetChange;

use crate::agents;
use crate::agents::budgets;
use crate::agents::runs::Source;
use crate::decision::{Decide, Decision};
use crate::log::ingest::BudgetScope;
use crate::store::atomically;
use crate::town::Town;

/// A change of an agent's budget of each day. If today's use has reached the new budget already, the agent's runs are
/// stopped.
#[derive(Debug)]
pub struct ChangeAgentBudget<'a> {
    /// The agent.
    pub agent_id: &'a AgentId,
    /// The change.
    pub change: &'a BudgetChange,
}

impl Decide for ChangeAgentBudget<'_> {
    type Answer = ();

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<()>> {
        let Self { agent_id, change } = self;
        let store = town.store.as_ref();
        let outcome = atomically(store, || {
            let mut agent = agents::load(store, agent_id)?.ok_or_else(|| Error::not_found("agent"))?;
            let (before, day) = (agent.now.state.clone(), &mut agent.budgets.day);
            let is_exceeded = day.set(change.of(day.budget())?, now);
            let message = BudgetScope::AgentDay.exceeded(&day.words());
            let mut ingest = town.ingest(Source::Container, None, now)?;
            ingest.put_agent(before, agent);
            if is_exceeded {
                ingest.stop_open(Some(agent_id), &message)?;
            }
            ingest.finish()
        })?;
        town.states.mark(agent_id.clone());
        Ok(Decision::seen((), outcome))
    }
}

/// A change of the budget of each day that all agents of the town share. If today's use has reached the new budget
/// already, all their runs are stopped.
#[derive(Debug)]
pub struct ChangeTownBudget<'a> {
    /// The change.
    pub change: &'a BudgetChange,
}

impl Decide for ChangeTownBudget<'_> {
    type Answer = ();

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<()>> {
        let store = town.store.as_ref();
        let outcome = atomically(store, || {
            let mut day = budgets::of_town(store)?;
            let is_exceeded = day.set(self.change.of(day.budget())?, now);
            budgets::save_of_town(store, &day)?;
            let mut ingest = town.ingest(Source::Container, None, now)?;
            if is_exceeded {
                ingest.stop_open(None, &BudgetScope::TownDay.exceeded(&day.words()))?;
            }
            ingest.finish()
        })?;
        Ok(Decision::seen((), outcome))
    }
}

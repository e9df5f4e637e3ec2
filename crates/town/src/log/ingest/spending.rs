//! The spending of a usage event, in the transaction that stores it: the warning, and the runs to stop.

use townwatch_protocol::error::Result;
use townwatch_protocol::event::{AgentExited, AgentNotice, AgentNoticeKind, Draft, EventData, ExitReason, NoticeLevel};
use townwatch_protocol::id::AgentId;

use super::Ingest;
use crate::agents::budgets::{self, Crossing, DayMeter, IsNew, Spent};
use crate::agents::runs::{self, Run, Source};
use crate::agents::stop_orders;

/// The owner of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BudgetScope {
    Run,
    AgentDay,
    TownDay,
}

impl BudgetScope {
    fn words(self) -> &'static str {
        match self {
            Self::Run => "the run's budget",
            Self::AgentDay => "the agent's budget of the day (UTC)",
            Self::TownDay => "the town's budget of the day (UTC)",
        }
    }

    fn is_day(self) -> bool {
        self != Self::Run
    }

    /// `figures`: `10,400 of 10,000 tokens`, say.
    pub(crate) fn exceeded(self, figures: &str) -> String {
        let remedy = if self.is_day() { "; raise it, or start again tomorrow" } else { "" };
        format!("{} is used up: {figures}{remedy}", self.words())
    }

    fn warning(self, figures: &str) -> String {
        let what = match self {
            Self::Run => "the run is",
            Self::AgentDay => "the agent's runs are",
            Self::TownDay => "all of the town's runs are",
        };
        format!("{} is nearly used up: {figures}. At 100 % {what} stopped", self.words())
    }
}

impl Ingest<'_> {
    /// A run's usage is another than it was `before`. Warnings come first: nothing follows a run's end.
    pub(super) fn spend(&mut self, run: &Run, before: Spent) -> Result<()> {
        let Some((_, agent)) = self.agents.get_mut(&run.agent_id).and_then(Option::as_mut) else { return Ok(()) };
        let after = Spent::by(&agent.now.state, &run.run_id);
        if before == after {
            return Ok(());
        }
        let mut town = self.town_budget.map_or_else(|| budgets::of_town(self.store), Ok)?;
        let of_day = |day: &mut DayMeter| day.spend(before, after, self.now).map(|crossing| (crossing, day.words()));
        let looks = [
            (BudgetScope::Run, agent.budgets.spend_in_run(&run.run_id, after)),
            (BudgetScope::AgentDay, of_day(&mut agent.budgets.day)),
            (BudgetScope::TownDay, of_day(&mut town)),
        ];
        self.town_budget = Some(town);
        let crossed: Vec<(BudgetScope, Crossing, String)> = looks
            .into_iter()
            .filter_map(|(scope, look)| look.map(|(crossing, words)| (scope, crossing, words)))
            .collect();
        for (scope, _, figures) in crossed.iter().filter(|(_, crossing, _)| crossing.warns) {
            self.notice(run, scope.warning(figures))?;
        }
        for (scope, crossing, figures) in crossed {
            let Some(IsNew(is_new)) = crossing.exceeded else { continue };
            let mut open =
                runs::open_with_source(self.store, (scope != BudgetScope::TownDay).then_some(&run.agent_id))?;
            // Of a budget that was used up before, others were stopped then.
            open.retain(|(one, _)| one.run_id == run.run_id || (scope.is_day() && is_new));
            self.stop(&open, &scope.exceeded(&figures))?;
        }
        Ok(())
    }

    /// Says something of a budget in the log of a run.
    fn notice(&mut self, run: &Run, message: String) -> Result<()> {
        let notice = AgentNotice::new(AgentNoticeKind::Budget, NoticeLevel::Warning, message);
        self.append(run, &Draft::new(run.agent_id.clone(), run.run_id.clone(), notice, self.now))
    }

    /// A budget that was just set is used up already: all that is open is stopped.
    pub(crate) fn stop_open(&mut self, of: Option<&AgentId>, message: &str) -> Result<()> {
        let open = runs::open_with_source(self.store, of)?;
        self.stop(&open, message)
    }

    /// Stops runs. A run in the container is stopped by its control server, which then reports its end. A posted run
    /// ends here, and its rig is told.
    fn stop(&mut self, open: &[(Run, Source)], message: &str) -> Result<()> {
        for (run, source) in open {
            self.outcome.orders_stops |= stop_orders::order(self.store, &run.run_id, message)?;
            if let Source::Rig(_) = source {
                let exit = AgentExited::because(ExitReason::BudgetExceeded, message);
                self.take_own_word(&Draft::new(run.agent_id.clone(), run.run_id.clone(), exit, self.now))?;
            }
        }
        Ok(())
    }

    /// The end of a container's run with the budget as its reason; `None` where the end stays as it was told. The
    /// control server knows only that it was told to stop the run, so it gives the reason `stopped`. If a budget
    /// ordered that stop, the reason becomes `budget_exceeded`. Any other reason stays.
    pub(super) fn end_by_budget(&self, run: &Run, draft: &Draft) -> Result<Option<Draft>> {
        let Some(message) = stop_orders::fulfilled(self.store, &run.run_id)? else { return Ok(None) };
        let EventData::Exited(exit) = EventData::read(&draft.event, &draft.data) else { return Ok(None) };
        if exit.reason != ExitReason::Stopped {
            return Ok(None);
        }
        let exit = AgentExited { reason: ExitReason::BudgetExceeded, message: Some(message), ..exit };
        Ok(Some(Draft::new(draft.agent_id.clone(), run.run_id.clone(), exit, draft.at)))
    }
}

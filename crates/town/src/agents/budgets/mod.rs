//! Budgets: the bounds on what a run, an agent in a day, and a town in a day may spend. The amount spent is the usage
//! of an agent's current run as the reducer counts it. So a correction of the usage corrects the amount here, too, and
//! nothing counts twice. A day is a day of UTC by the town's clock: a source's own time decides nothing.

pub mod setting;
mod spent;
mod told;

use serde::{Deserialize, Serialize};

pub use self::spent::Spent;
pub(crate) use self::told::cannot_hold;
use crate::store::Store;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::RunId;
use townwatch_protocol::limits::BUDGET_WARNING_PERCENT;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{AgentState, Budget, DayBudget};

/// The last reported level of a budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum BudgetLevel {
    /// Nothing was reported.
    #[default]
    Within,
    /// The budget's one warning was given.
    Warned,
    /// The budget was used up, and runs were stopped.
    Exceeded,
}

/// A budget, with its last reported level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Meter {
    budget: Budget,
    #[serde(default)]
    standing: BudgetLevel,
}

/// The limits of a budget that an agent's spending has reached: its warning level, or its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Crossing {
    /// Whether the budget's warning is due, because none was given yet.
    pub(crate) warns: bool,
    /// The state of a used-up budget, with whether that is new; `None` while something is left.
    pub(crate) exceeded: Option<IsNew>,
}

/// Whether a state was different before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IsNew(pub(crate) bool);

impl Meter {
    /// Checks the amount spent by now; `None` where nothing follows from it.
    fn look(&mut self, spent: Spent) -> Option<Crossing> {
        let percent = spent.percent_of(&self.budget)?;
        let stands = match percent {
            100.. => BudgetLevel::Exceeded,
            BUDGET_WARNING_PERCENT.. => BudgetLevel::Warned,
            _ => BudgetLevel::Within,
        };
        let before = self.standing;
        // A correction may lower the amount. A level that was reported stays reported.
        self.standing = before.max(stands);
        let crossing = Crossing {
            warns: before == BudgetLevel::Within && stands > BudgetLevel::Within,
            exceeded: (stands == BudgetLevel::Exceeded).then_some(IsNew(before < BudgetLevel::Exceeded)),
        };
        (crossing.warns || crossing.exceeded.is_some()).then_some(crossing)
    }
}

/// A budget of each day, with the amount spent on the present day. A past day is forgotten when the next one begins, so
/// the record never grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DayMeter {
    #[serde(skip_serializing_if = "is_unset")]
    meter: Meter,
    /// The present day, as days since 1970.
    #[serde(skip_serializing_if = "is_zero")]
    day: i64,
    #[serde(skip_serializing_if = "Spent::is_nothing")]
    spent: Spent,
}

fn is_unset(meter: &Meter) -> bool {
    *meter == Meter::default()
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks
fn is_zero(day: &i64) -> bool {
    *day == 0
}

const DAY_MS: i64 = 24 * 3_600_000;

impl DayMeter {
    /// Begins another day if it is one. A day to which the clock goes back begins anew as well.
    fn turn(&mut self, now: Timestamp) {
        let day = now.millis().div_euclid(DAY_MS);
        if day != self.day {
            (self.day, self.spent, self.meter.standing) = (day, Spent::default(), BudgetLevel::Within);
        }
    }

    /// Takes the change of a run's sum.
    pub(crate) fn spend(&mut self, before: Spent, after: Spent, now: Timestamp) -> Option<Crossing> {
        self.turn(now);
        self.spent = self.spent.moved(before, after);
        self.meter.look(self.spent)
    }

    /// Sets the budget; true where it is used up already. The new budget has a warning of its own, which comes with the
    /// next usage.
    pub(crate) fn set(&mut self, budget: Budget, now: Timestamp) -> bool {
        self.turn(now);
        let is_exceeded = self.spent.percent_of(&budget).is_some_and(|percent| percent >= 100);
        let standing = if is_exceeded { BudgetLevel::Exceeded } else { BudgetLevel::Within };
        self.meter = Meter { budget, standing };
        is_exceeded
    }

    /// The budget.
    pub(crate) fn budget(&self) -> Budget {
        self.meter.budget
    }

    /// The amount spent in words, for example `8,200 of 10,000 tokens`.
    pub(crate) fn words(&self) -> String {
        self.spent.words(&self.meter.budget)
    }

    /// Refuses a start with `budget_exceeded` where nothing is left. `whose` is `the town`, for example. `path` is the
    /// path where the budget can be set.
    pub(crate) fn check_left(&self, whose: &str, path: &str, now: Timestamp) -> Result<()> {
        let mut today = *self;
        today.turn(now);
        if today.spent.percent_of(&today.meter.budget).is_none_or(|percent| percent < 100) {
            return Ok(());
        }
        let message = format!(
            "{whose}'s budget of the day is used up, {}; raise it by `PATCH {path}`, or start again tomorrow: a day ends at \
             00:00 UTC",
            today.words()
        );
        Err(Error::new(Code::BudgetExceeded, message))
    }

    /// The view for people; `None` where no budget is set.
    pub(crate) fn view(&self) -> Option<DayBudget> {
        let budget = self.meter.budget;
        (!budget.is_none()).then(|| DayBudget {
            budget,
            day: Timestamp::from_millis(self.day * DAY_MS).to_string().chars().take("2026-11-29".len()).collect(),
            cost_usd: self.spent.cost_usd(),
            tokens: self.spent.tokens(),
        })
    }
}

/// The budget of the run that was started last for the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct RunMeter {
    run_id: RunId,
    meter: Meter,
}

/// An agent's budgets, as its row has them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentBudgets {
    /// The budget of each day.
    #[serde(skip_serializing_if = "is_idle")]
    pub(crate) day: DayMeter,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunMeter>,
}

fn is_idle(day: &DayMeter) -> bool {
    *day == DayMeter::default()
}

impl AgentBudgets {
    /// Begins a run, with a budget or without.
    pub(crate) fn begin_run(&mut self, run_id: &RunId, budget: Budget) {
        let meter = Meter { budget, standing: BudgetLevel::Within };
        self.run = (!budget.is_none()).then(|| RunMeter { run_id: run_id.clone(), meter });
    }

    /// Takes the sum that a run has spent by now. Gives the consequence, if there is one, and the figures in words.
    pub(crate) fn spend_in_run(&mut self, run_id: &RunId, spent: Spent) -> Option<(Crossing, String)> {
        let run = self.run.as_mut().filter(|run| run.run_id == *run_id)?;
        let crossing = run.meter.look(spent)?;
        Some((crossing, spent.words(&run.meter.budget)))
    }

    /// Writes the budgets into the agent's state.
    pub(crate) fn present(&self, state: &mut AgentState) {
        let current = self.run.as_ref().filter(|run| state.run_id.as_ref() == Some(&run.run_id));
        state.run_budget = current.map(|run| run.meter.budget);
        state.day_budget = self.day.view();
    }
}

/// The town's budget of each day.
pub(crate) fn of_town(store: &dyn Store) -> Result<DayMeter> {
    let rows = store.query("SELECT budget FROM town", &[])?;
    let text = rows.first().map_or(Ok("{}"), |row| row.text(0))?;
    serde_json::from_str(text).map_err(Error::internal)
}

/// Writes the town's budget of each day: one row.
pub(crate) fn save_of_town(store: &dyn Store, meter: &DayMeter) -> Result<()> {
    let text = serde_json::to_string(meter).map_err(Error::internal)?;
    store.query("UPDATE town SET budget = ?", &[text.into()])?;
    Ok(())
}

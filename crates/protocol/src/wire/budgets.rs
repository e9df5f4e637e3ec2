//! Budgets, and the spending against them.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
#[cfg(feature = "schema")]
use ts_rs::TS;

#[cfg(feature = "schema")]
use super::requests::NAME_PATTERN;
use crate::error::{Error, Result};
use crate::integer;
#[cfg(feature = "schema")]
use crate::limits::NAME_CHARS_MAX;
use crate::limits::{BUDGET_COST_USD_MAX, BUDGET_COST_USD_MIN, BUDGET_TOKENS_MAX};

/// At least one of these fields.
#[cfg(feature = "schema")]
fn one_of(fields: &[&str]) -> serde_json::Value {
    fields.iter().map(|field| serde_json::json!({"required": [field]})).collect()
}

wire! {
    /// A budget. An absent field has no bound.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
    Budget {
        /// US dollars.
        max_cost_usd: Option<f64>,
        /// Tokens: read, written and of the cache, together.
        max_tokens: Option<u64>,
    }
    /// The budget of a day, and the spending of that day.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    DayBudget {
        /// The budget.
        #[serde(flatten)] #[cfg_attr(feature = "schema", ts(flatten))]
        budget: Budget,
        /// The day, in UTC, in which the rest was spent: `2026-11-29`. On another one nothing has been spent yet.
        day: String,
        /// US dollars, as far as the agents have told.
        cost_usd: f64,
        /// Tokens.
        tokens: u64,
    }
}

/// `PATCH /api/towns/:town/agents/:agent`: what the agent may take in a day (UTC).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(TS, JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("anyOf" = one_of(&["max_cost_usd", "max_tokens"]))))]
pub struct BudgetChange {
    /// US dollars; null: no bound; absent: as before.
    #[serde(default, skip_serializing_if = "Change::is_none", deserialize_with = "changed_number")]
    #[cfg_attr(feature = "schema", ts(optional, type = "number | null"))]
    #[cfg_attr(feature = "schema", schemars(with = "Option<f64>", range(min = BUDGET_COST_USD_MIN, max = BUDGET_COST_USD_MAX)))]
    pub max_cost_usd: Change<f64>,
    /// Tokens; null: no bound; absent: as before.
    #[serde(default, skip_serializing_if = "Change::is_none", deserialize_with = "changed_integer")]
    #[cfg_attr(feature = "schema", ts(optional, type = "number | null"))]
    #[cfg_attr(feature = "schema", schemars(with = "Option<u64>", range(min = 1, max = BUDGET_TOKENS_MAX)))]
    pub max_tokens: Change<u64>,
}

/// `PATCH /api/towns/:town`: another name, and what all its agents together may take in a day (UTC).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(TS, JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("anyOf" = one_of(&["name", "max_cost_usd", "max_tokens"]))))]
pub struct TownChange {
    /// The name for people; absent: as before.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given_text")]
    #[cfg_attr(feature = "schema", ts(optional))]
    #[cfg_attr(feature = "schema", schemars(with = "String", length(min = 1, max = NAME_CHARS_MAX), extend("pattern" = NAME_PATTERN)))]
    pub name: Option<String>,
    /// US dollars; null: no bound; absent: as before.
    #[serde(default, skip_serializing_if = "Change::is_none", deserialize_with = "changed_number")]
    #[cfg_attr(feature = "schema", ts(optional, type = "number | null"))]
    #[cfg_attr(feature = "schema", schemars(with = "Option<f64>", range(min = BUDGET_COST_USD_MIN, max = BUDGET_COST_USD_MAX)))]
    pub max_cost_usd: Change<f64>,
    /// Tokens; null: no bound; absent: as before.
    #[serde(default, skip_serializing_if = "Change::is_none", deserialize_with = "changed_integer")]
    #[cfg_attr(feature = "schema", ts(optional, type = "number | null"))]
    #[cfg_attr(feature = "schema", schemars(with = "Option<u64>", range(min = 1, max = BUDGET_TOKENS_MAX)))]
    pub max_tokens: Change<u64>,
}

impl Budget {
    /// Refuses what is no budget, naming the field.
    pub fn check(&self) -> Result<()> {
        let costs = BUDGET_COST_USD_MIN..=BUDGET_COST_USD_MAX;
        if self.max_cost_usd.is_some_and(|cost| !costs.contains(&cost)) {
            let problem = format!("expected US dollars from {BUDGET_COST_USD_MIN} to {BUDGET_COST_USD_MAX}");
            return Err(Error::invalid("max_cost_usd", problem));
        }
        if self.max_tokens.is_some_and(|tokens| !(1..=BUDGET_TOKENS_MAX).contains(&tokens)) {
            return Err(Error::invalid("max_tokens", format!("expected an integer from 1 to {BUDGET_TOKENS_MAX}")));
        }
        Ok(())
    }

    /// Whether the budget has no bound at all.
    pub fn is_none(&self) -> bool {
        self.max_cost_usd.is_none() && self.max_tokens.is_none()
    }
}

impl TownChange {
    /// The part of the change that concerns the budget.
    pub fn budget(&self) -> BudgetChange {
        BudgetChange { max_cost_usd: self.max_cost_usd, max_tokens: self.max_tokens }
    }
}

impl BudgetChange {
    /// Whether the change has no budget field.
    pub fn is_empty(&self) -> bool {
        self.max_cost_usd.is_none() && self.max_tokens.is_none()
    }

    /// The budget after the change.
    pub fn of(&self, before: Budget) -> Result<Budget> {
        let after = Budget {
            max_cost_usd: self.max_cost_usd.of(before.max_cost_usd),
            max_tokens: self.max_tokens.of(before.max_tokens),
        };
        after.check().map(|()| after)
    }
}

/// A change of one bound.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(untagged)]
pub enum Change<T> {
    /// No change: the field was absent.
    #[default]
    None,
    /// A new bound, or none where the field was null.
    To(Option<T>),
}

impl<T> Change<T> {
    /// Whether the bound stays as before.
    fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    fn of(self, before: Option<T>) -> Option<T> {
        match self {
            Self::None => before,
            Self::To(after) => after,
        }
    }
}

fn changed_number<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Change<f64>, D::Error> {
    Option::<f64>::deserialize(deserializer).map(Change::To)
}

fn changed_integer<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Change<u64>, D::Error> {
    integer::optional(deserializer).map(Change::To)
}

/// A reader for a name that may be absent but not null.
fn given_text<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

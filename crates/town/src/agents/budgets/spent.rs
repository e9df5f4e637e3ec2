//! Amounts spent, in whole numbers, because sums of whole numbers do not drift.

use serde::{Deserialize, Serialize};
use townwatch_protocol::id::RunId;
use townwatch_protocol::wire::{AgentState, Budget, UsageTotals};

const MICROS: f64 = 1_000_000.0;
/// The largest sum, 2^53 - 1: beyond it JavaScript does not have every integer. A larger sum stays at this value.
const SUM_MAX: u64 = (1 << 53) - 1;

/// An amount of tokens, and of millionths of a US dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    tokens: u64,
    micro_usd: u64,
}

impl Spent {
    /// The amount that a run has spent, by its agent's state. A state counts only its current run: for an older run the
    /// amount is nothing.
    pub fn by(state: &AgentState, run_id: &RunId) -> Self {
        if state.run_id.as_ref() == Some(run_id) { Self::of(&state.usage) } else { Self::default() }
    }

    /// The amount of a usage. All reported tokens count: read, written, read from the cache, and written to the cache.
    fn of(totals: &UsageTotals) -> Self {
        let UsageTotals { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens, cost_usd } =
            totals;
        let counts = [input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens];
        let tokens = counts.into_iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        Self { tokens: tokens.min(SUM_MAX), micro_usd: micros(cost_usd.unwrap_or(0.0)) }
    }

    /// This sum, with the part `before` replaced by the part `after`.
    #[must_use]
    pub(super) fn moved(self, before: Self, after: Self) -> Self {
        // A correction downwards takes away no more than the sum has.
        let moved = |sum: u64, before: u64, after: u64| (sum + after).saturating_sub(before).min(SUM_MAX);
        Self {
            tokens: moved(self.tokens, before.tokens, after.tokens),
            micro_usd: moved(self.micro_usd, before.micro_usd, after.micro_usd),
        }
    }

    /// The used part of a budget in whole percent, by the bound that is nearer; `None` where the budget has no bound.
    pub(super) fn percent_of(self, budget: &Budget) -> Option<u64> {
        let tokens = budget.max_tokens.map(|max| percent(self.tokens, max));
        let cost = budget.max_cost_usd.map(|max| percent(self.micro_usd, micros(max)));
        tokens.max(cost)
    }

    /// The amount beside a budget's nearer bound: `8,200 of 10,000 tokens`, `$4.10 of $5.00`.
    pub(super) fn words(self, budget: &Budget) -> String {
        let tokens = budget.max_tokens.map(|max| (percent(self.tokens, max), max));
        let cost = budget.max_cost_usd.map(|max| (percent(self.micro_usd, micros(max)), max));
        match (tokens, cost) {
            (Some((_, max)), None) => self.token_words(max),
            (Some((tokens, max)), Some((cost, _))) if tokens >= cost => self.token_words(max),
            (_, Some((_, max))) => format!("{} of {}", dollars(self.micro_usd), dollars(micros(max))),
            (None, None) => format!("{} tokens, {}", grouped(self.tokens), dollars(self.micro_usd)),
        }
    }

    fn token_words(self, max: u64) -> String {
        format!("{} of {} tokens", grouped(self.tokens), grouped(max))
    }

    pub(super) fn tokens(self) -> u64 {
        self.tokens
    }

    #[allow(clippy::cast_precision_loss)] // at most 2^53
    pub(super) fn cost_usd(self) -> f64 {
        self.micro_usd as f64 / MICROS
    }

    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // clamped before
fn micros(usd: f64) -> u64 {
    (usd * MICROS).round().clamp(0.0, SUM_MAX as f64) as u64
}

fn percent(part: u64, whole: u64) -> u64 {
    u64::try_from(u128::from(part) * 100 / u128::from(whole.max(1))).unwrap_or(u64::MAX)
}

/// Writes a number with groups of three digits: `12,345`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes an amount of money, with at least two digits of cents: `$4.10`. A smaller part has as many digits as it
/// needs: `$0.000012`.
fn dollars(micro_usd: u64) -> String {
    let (whole, rest) = (micro_usd / 1_000_000, format!("{:06}", micro_usd % 1_000_000));
    let cents = rest.trim_end_matches('0');
    format!("${}.{cents:0<2}", grouped(whole))
}

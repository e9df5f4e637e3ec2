//! What a run takes: tokens and cost, each message counted once.

use super::reducer::remember;
use crate::event::AgentUsage;
use crate::protocol::UsageTotals;

/// Counts what a message or a run took. A run's cumulative total replaces what was counted, and `counted` remembers the
/// latest messages.
pub fn count(totals: &mut UsageTotals, counted: &mut Vec<String>, usage: &AgentUsage) {
    let (read, created) = (usage.cache_read_input_tokens.unwrap_or(0), usage.cache_creation_input_tokens.unwrap_or(0));
    if usage.cumulative {
        *totals = UsageTotals {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cache_read_input_tokens: read,
            cache_creation_input_tokens: created,
            cost_usd: usage.cost_usd.or(totals.cost_usd),
        };
    } else if remember(counted, &usage.message_id) {
        totals.input_tokens = totals.input_tokens.saturating_add(usage.input_tokens);
        totals.output_tokens = totals.output_tokens.saturating_add(usage.output_tokens);
        totals.cache_read_input_tokens = totals.cache_read_input_tokens.saturating_add(read);
        totals.cache_creation_input_tokens = totals.cache_creation_input_tokens.saturating_add(created);
        if let Some(cost) = usage.cost_usd {
            // JSON has no infinity: a sum that is none stays what it was.
            let sum = totals.cost_usd.unwrap_or(0.0) + cost;
            totals.cost_usd = if sum.is_finite() { Some(sum) } else { totals.cost_usd };
        }
    }
}

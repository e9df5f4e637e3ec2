//! The usage of a run: tokens and cost. Of each message only the last counts are added, once, however often they are
//! repeated.

use serde::de::{self, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use townwatch_protocol::event::AgentUsage;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::UsageTotals;

use super::texts::{clip, hash};
use super::{Memory, Snapshot};

/// Messages whose figures are remembered, so that later ones take their place. Of an older one only its name is known.
const FIGURES_MAX: usize = 32;
/// The older messages of which only the name is known. Repeated figures of such a message change nothing. Figures of
/// a message that is older still would be counted once more.
const TOLD_MAX: usize = 256;

/// A message's figures: stored as `[hash, is its author the agent itself, four counts of tokens, cost?]`.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    message: u32,
    is_own: bool,
    tokens: [u64; 4],
    cost_usd: Option<f64>,
}

impl Figures {
    fn of(usage: &AgentUsage) -> Self {
        let (read, created) = (usage.cache_read_input_tokens, usage.cache_creation_input_tokens);
        Self {
            message: hash(&[&clip(&usage.message_id)]),
            is_own: usage.parent_tool_use_id.is_none(),
            tokens: [usage.input_tokens, usage.output_tokens, read.unwrap_or(0), created.unwrap_or(0)],
            cost_usd: usage.cost_usd,
        }
    }

    fn of_totals(totals: &UsageTotals) -> Self {
        let UsageTotals { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens, cost_usd } =
            totals;
        let tokens = [*input_tokens, *output_tokens, *cache_read_input_tokens, *cache_creation_input_tokens];
        Self { message: 0, is_own: false, tokens, cost_usd: *cost_usd }
    }

    /// The counts as totals. A cost that is absent here keeps its value before.
    fn totals(&self, cost_before: Option<f64>) -> UsageTotals {
        let [input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens] = self.tokens;
        let cost_usd = self.cost_usd.or(cost_before);
        UsageTotals { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens, cost_usd }
    }
}

impl Memory {
    /// Remembers a message's figures, and gives the figures that they replace: zeros for a new message. `None` where
    /// the message's figures are final and nothing is to be counted.
    fn take_figures(&mut self, figures: &Figures) -> Option<Figures> {
        if self.priced.contains(figures.message) {
            return None;
        }
        if let Some(known) = self.figures.iter_mut().find(|known| known.message == figures.message) {
            return Some(std::mem::replace(known, figures.clone()));
        }
        if self.figures.len() == FIGURES_MAX {
            let oldest = self.figures.remove(0);
            self.priced.remember(oldest.message, TOLD_MAX);
        }
        self.figures.push(figures.clone());
        Some(Figures::default())
    }

    /// Makes the figures of the agent's own messages final, because a total includes them. A sub-agent in the
    /// background may be in the middle of a message whose figures still grow, so its figures stay open.
    fn seal_own(&mut self) {
        for own in self.figures.extract_if(.., |figures| figures.is_own) {
            self.priced.remember(own.message, TOLD_MAX);
        }
    }
}

impl Snapshot {
    /// Counts what a message took, or a total. A sub-agent's counts for the run and for itself.
    pub(super) fn used(&mut self, usage: &AgentUsage, at: Timestamp) {
        let figures = Figures::of(usage);
        let before = match (&usage.parent_tool_use_id, usage.cumulative) {
            (None, true) => {
                self.memory.seal_own();
                self.state.usage = figures.totals(self.state.usage.cost_usd);
                return;
            }
            (Some(parent), true) => {
                let Some(sub_agent) = self.sub_agent(parent, at) else { return };
                let before = Figures::of_totals(&sub_agent.usage);
                sub_agent.usage = figures.totals(sub_agent.usage.cost_usd);
                before
            }
            (parent, false) => {
                let Some(before) = self.memory.take_figures(&figures) else { return };
                if let Some(sub_agent) = parent.as_ref().and_then(|parent| self.sub_agent(parent, at)) {
                    replace(&mut sub_agent.usage, &before, &figures);
                }
                before
            }
        };
        replace(&mut self.state.usage, &before, &figures);
    }
}

/// Counts the tokens and the cost of a run by the same rules as the reducer, but as one sum for the agent and its
/// sub-agents. The total of a sub-agent is ignored, because the messages of the sub-agent are counted already.
#[derive(Debug, Clone, Default)]
pub struct Counted(Memory);

impl Counted {
    /// Takes what is told into the totals.
    pub fn count(&mut self, totals: &mut UsageTotals, usage: &AgentUsage) {
        let figures = Figures::of(usage);
        if !usage.cumulative {
            if let Some(before) = self.0.take_figures(&figures) {
                replace(totals, &before, &figures);
            }
        } else if usage.parent_tool_use_id.is_none() {
            self.0.seal_own();
            *totals = figures.totals(totals.cost_usd);
        }
    }
}

/// Lets figures in a sum take the place of others.
fn replace(totals: &mut UsageTotals, before: &Figures, after: &Figures) {
    let counts = [
        &mut totals.input_tokens,
        &mut totals.output_tokens,
        &mut totals.cache_read_input_tokens,
        &mut totals.cache_creation_input_tokens,
    ];
    for (count, (before, after)) in counts.into_iter().zip(before.tokens.iter().zip(after.tokens)) {
        *count = count.saturating_sub(*before).saturating_add(after);
    }
    if let Some(cost) = after.cost_usd {
        // JSON has no infinity: a sum that is none stays what it was.
        let sum = (totals.cost_usd.unwrap_or(0.0) - before.cost_usd.unwrap_or(0.0)).max(0.0) + cost;
        totals.cost_usd = if sum.is_finite() { Some(sum) } else { totals.cost_usd };
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_seq(None)?;
        parts.serialize_element(&self.message)?;
        parts.serialize_element(&u8::from(self.is_own))?;
        for tokens in self.tokens {
            parts.serialize_element(&tokens)?;
        }
        if let Some(cost) = self.cost_usd {
            parts.serialize_element(&cost)?;
        }
        parts.end()
    }
}

impl<'de> Deserialize<'de> for Figures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FiguresVisitor)
    }
}

struct FiguresVisitor;

impl<'de> Visitor<'de> for FiguresVisitor {
    type Value = Figures;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a message's figures")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Figures, A::Error> {
        let mut figures = Figures::default();
        let short = || de::Error::custom("a message's figures are too few");
        figures.message = parts.next_element()?.ok_or_else(short)?;
        figures.is_own = parts.next_element::<u8>()?.ok_or_else(short)? == 1;
        for tokens in &mut figures.tokens {
            *tokens = parts.next_element()?.ok_or_else(short)?;
        }
        figures.cost_usd = parts.next_element()?;
        Ok(figures)
    }
}

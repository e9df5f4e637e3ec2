//! The usage of messages and turns.
//!
//! The `assistant` lines of a message repeat the counts from its beginning. A later line can have higher ones, and with
//! partial messages only `message_delta` has the last ones. Counts of a message never fall, so a late repetition takes
//! nothing back.

use std::collections::BTreeMap;

use townwatch_protocol::event::AgentUsage;

use crate::normalise::recent::Recent;
use crate::normalise::wire::{TurnEnd, Usage};

/// The usage of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct RunUsage {
    messages: Recent<Usage>,
    /// The usage of the agent's own messages.
    own: Usage,
    /// The usage of its sub-agents' messages.
    sub_agents: Usage,
    turns: Usage,
    /// The models of the messages.
    models: Vec<String>,
    /// Whether tokens were used outside the agent's own messages: by a sub-agent, another try, a summary.
    aside: bool,
    /// The session's usage before this run, known from the end of the first turn on.
    before: Option<Usage>,
}

/// Models of one run that are counted.
const MODELS_MAX: usize = 16;

impl RunUsage {
    /// The event with the usage of a message so far; `None` where it was reported.
    pub(super) fn message(&mut self, id: &str, usage: &Usage, parent: Option<&str>) -> Option<AgentUsage> {
        self.aside |= parent.is_some();
        if usage.is_nothing() {
            return None;
        }
        let before = self.messages.get(id).cloned().unwrap_or_default();
        let grown = match self.messages.get_mut(id) {
            Some(known) => known.grow(usage).then(|| known.clone())?,
            // A name that is too long to be remembered would be counted with each line.
            None => self.messages.insert(id, usage.clone()).then(|| usage.clone())?,
        };
        let sum = if parent.is_some() { &mut self.sub_agents } else { &mut self.own };
        sum.add(&grown.beyond(&before));
        let event = grown.event(id.to_owned(), None, false);
        Some(AgentUsage { parent_tool_use_id: parent.map(str::to_owned), ..event })
    }

    /// Notes the model of a message.
    pub(super) fn of_model(&mut self, model: &str) {
        if self.models.len() < MODELS_MAX && !self.models.iter().any(|known| known == model) {
            self.models.push(model.to_owned());
        }
    }

    /// Notes that tokens are used outside messages.
    pub(super) fn aside(&mut self) {
        self.aside = true;
    }

    /// The run's totals at the end of a turn, and the run's cost where it is known.
    ///
    /// The totals are the sum of `modelUsage`, where the program gives it. Otherwise they are two sums together: the
    /// usage of all turns so far, and the usage of the sub-agents' messages. A turn that was broken off can report 0
    /// tokens, although its messages used some. So the turns count at least as much as the agent's own messages.
    ///
    /// In a session that was continued with `--resume`, `modelUsage` and the cost include the earlier runs. No line
    /// says so. The earlier part is what `modelUsage` has beyond the turns' own usage at the first end of a turn;
    /// only models of known messages are compared. It is subtracted from this and all later totals, and no cost is
    /// given, because the cost of the earlier part is not known. Nothing is subtracted where the session was not
    /// `begun_elsewhere`, or where tokens that were used outside the agent's
    /// own messages ([`Self::aside`]) can be the reason of the difference.
    pub(super) fn totals(&mut self, end: &TurnEnd, begun_elsewhere: bool) -> Option<(Usage, Option<f64>)> {
        self.turns.add(end.usage.as_ref().unwrap_or(&Usage::default()));
        let is_something = |models: &&BTreeMap<_, _>| models.values().any(|model| !Usage::from(model).is_nothing());
        let Some(models) = end.model_usage.as_ref().filter(is_something) else {
            end.usage.as_ref()?;
            let mut known = self.turns.clone();
            known.grow(&self.own);
            known.add(&self.sub_agents);
            return Some((known, end.total_cost_usd));
        };
        let (mut totals, mut of_messages) = (Usage::default(), Usage::default());
        for (name, model) in models {
            totals.add(&model.into());
            if self.models.contains(name) {
                of_messages.add(&model.into());
            }
        }
        let (turns, aside) = (&self.turns, self.aside);
        let before = self.before.get_or_insert_with(|| {
            let more = of_messages.beyond(turns);
            if begun_elsewhere && !aside { more } else { Usage::default() }
        });
        let cost_usd = end.total_cost_usd.filter(|_| before.is_nothing());
        Some((totals.beyond(before), cost_usd))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: u64, output: u64) -> Usage {
        Usage { input_tokens: Some(input), output_tokens: Some(output), ..Usage::default() }
    }

    #[test]
    fn a_message_is_told_when_it_grew_and_never_again_as_it_was() {
        let mut spent = RunUsage::default();
        let mut told = |id: &str, input, output| {
            spent.message(id, &usage(input, output), None).map(|told| (told.input_tokens, told.output_tokens))
        };
        assert_eq!(told("a", 10, 1), Some((10, 1)));
        assert_eq!(told("a", 10, 1), None);
        assert_eq!(told("a", 10, 80), Some((10, 80)));
        for number in 0..4_000 {
            assert_eq!(told(&number.to_string(), 1, 1), Some((1, 1)));
        }
        assert_eq!(told("a", 10, 1), None);
        assert_eq!(told("none", 0, 0), None);
    }

    fn end(input: u64, models: u64) -> TurnEnd {
        let end = serde_json::json!({
            "usage": {"input_tokens": input, "output_tokens": 1},
            "modelUsage": {"big": {"inputTokens": models, "outputTokens": models / 10}, "small": {"inputTokens": 3}},
            "total_cost_usd": 0.5,
        });
        crate::json::read(&end.to_string()).unwrap()
    }

    #[test]
    fn a_turn_that_says_nothing_takes_nothing_back() {
        let none = || crate::json::read::<TurnEnd>(r#"{"usage":{"input_tokens":0},"modelUsage":{}}"#).unwrap();
        let told = |spent: &mut RunUsage, end: &TurnEnd| spent.totals(end, false).unwrap().0.output_tokens;
        let mut spent = RunUsage::default();
        spent.message("a", &usage(10, 1), None);
        spent.message("a", &usage(10, 80), None);
        spent.message("s", &usage(3, 20), Some("t"));
        assert_eq!(told(&mut spent, &none()), Some(100));
        let turn: TurnEnd = crate::json::read(r#"{"usage":{"input_tokens":20,"output_tokens":95}}"#).unwrap();
        assert_eq!(told(&mut spent, &turn), Some(115));
        let zero: TurnEnd = crate::json::read(r#"{"usage":{},"modelUsage":{"m":{"inputTokens":0}}}"#).unwrap();
        assert_eq!(told(&mut spent, &zero), Some(115));
    }

    #[test]
    fn a_session_that_is_gone_on_with_has_taken_what_it_took_before() {
        let told = |spent: &mut RunUsage, end: &TurnEnd, elsewhere| {
            let (usage, cost) = spent.totals(end, elsewhere).unwrap();
            (usage.input_tokens.unwrap(), usage.output_tokens.unwrap(), cost)
        };
        let mut resumed = RunUsage::default();
        resumed.of_model("big");
        assert_eq!(told(&mut resumed, &end(10, 1010), true), (13, 1, None));
        assert_eq!(told(&mut resumed, &end(20, 1030), true), (33, 3, None));
        let mut own = RunUsage::default();
        own.of_model("big");
        assert_eq!(told(&mut own, &end(10, 1010), false), (1013, 101, Some(0.5)));
        let mut with_sub_agent = RunUsage::default();
        with_sub_agent.of_model("big");
        with_sub_agent.message("m", &usage(1000, 1), Some("t"));
        assert_eq!(told(&mut with_sub_agent, &end(10, 1010), true), (1013, 101, Some(0.5)));
    }
}

//! The front door of a town. Each change from outside is a [`TownInput`], which [`Town::handle`] takes. The actions that
//! have to follow are data, [`Effect`]s. The edge takes them by [`Town::take_effects`], and performs them in their
//! order.
//!
//! A decision returns its changes of the log, and only `handle` calls a decision. So viewers get every change of the
//! log.

use townwatch_protocol::error::Result;
use townwatch_protocol::id::AgentId;
use townwatch_protocol::time::Timestamp;

use crate::decision::{Decide, DecidedChange, Decision};
use crate::town::Town;
use crate::viewers::Effect;
use crate::viewers::frames::Occasion;
use townwatch_protocol::calls::EndedRuns;

/// An event from outside that changes a town: an answer of the control server, a batch of a rig, a start, a message of
/// a viewer, the passing of time. The inputs are closed: only this crate can decide.
pub trait TownInput: Decide {}

impl<I: Decide> TownInput for I {}

/// A notice to a rig about one of its agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RigNotice {
    /// These runs have ended: the rig is to refuse their posts.
    Ended(EndedRuns),
    /// The agent is back from the archive: its posts are to be taken again.
    BroughtBack(AgentId),
}

impl Town {
    /// Takes an input, and shows viewers the changes.
    ///
    /// # Errors
    /// The input was refused, or the tables could not take it; then nothing has changed. A change that is stored but
    /// cannot be shown is no error of the input. It becomes [`Effect::LetGo`].
    pub fn handle<I: TownInput>(&mut self, input: I, now: Timestamp) -> Result<I::Answer> {
        let Decision { answer, change } = input.decide(self, now)?;
        self.show_change(change, now);
        Ok(answer)
    }

    /// The effects that are due, in their order.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    fn show_change(&mut self, change: DecidedChange, now: Timestamp) {
        let DecidedChange { outcome, previews, notices } = change;
        self.effects.extend(notices.into_iter().map(|(rig_id, notice)| Effect::TellRig(rig_id, notice)));
        if let Some(mut outcome) = outcome {
            for (rig_id, agent_id) in &outcome.returned {
                self.effects.push(Effect::TellRig(rig_id.clone(), RigNotice::BroughtBack(agent_id.clone())));
            }
            if outcome.orders_stops {
                self.effects.push(Effect::PerformStops);
            }
            if outcome.wants_images {
                self.effects.push(Effect::FetchImages);
            }
            let states = std::mem::take(&mut outcome.states);
            let (head, recent) = (outcome.head, outcome.recent.take());
            self.show(|town, effects| {
                town.viewers.take_recent(recent);
                town.pump(Occasion { now, pruned_id: outcome.pruned_id, head }, effects)?;
                for (before, after) in &states {
                    town.states.moved(before, after);
                    town.previews.forget(&after.agent_id);
                }
                for agent_id in outcome.roused.iter().chain(outcome.returned.iter().map(|(_, agent_id)| agent_id)) {
                    town.states.mark(agent_id.clone());
                }
                town.send_states(now, effects)
            });
            if outcome.stored > 0 {
                self.effects.push(Effect::Announce);
            }
            if outcome.has_news() {
                self.effects.push(Effect::Report(Box::new(outcome)));
            }
        }
        if !previews.is_empty() {
            self.show(|town, effects| town.preview(previews, now, effects));
            self.effects.push(Effect::Announce);
        }
    }

    /// Collects effects for viewers. If that fails, all viewers are let go, because they would miss the change without
    /// a notice.
    pub(crate) fn show(&mut self, say: impl FnOnce(&mut Self, &mut Vec<Effect>) -> Result<()>) {
        let mut effects = Vec::new();
        match say(self, &mut effects) {
            Ok(()) => self.effects.append(&mut effects),
            Err(error) => self.effects.push(Effect::LetGo(error)),
        }
    }
}

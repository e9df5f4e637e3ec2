//! The container of a story: its runs begin and end, and its events are relayed.

use serde_json::{Value as Json, json};
use townwatch_protocol::error::Result;
use townwatch_protocol::event::Role;
use townwatch_protocol::id::{EventName, RigId};
use townwatch_protocol::wire::{
    AgentState, BudgetChange, ControlEvent, ControlEvents, ControlStart, ControlStarted, Preview, StartAgent,
};
use townwatch_town::agents::archive::AgentRegistration;
use townwatch_town::agents::budgets::setting::{ChangeAgentBudget, ChangeTownBudget};
use townwatch_town::agents::runs::Source;
use townwatch_town::agents::starting::{StartConfirmed, StartRefused, StartRun};
use townwatch_town::agents::stop_orders::StopAnswered;
use townwatch_town::log::ingest::Outcome;
use townwatch_town::relay::control_response::StopAnswer;
use townwatch_town::relay::taking::{AnswerEffect, RelayAnswer};
use townwatch_town::relay::{self, Position, Reach};
use townwatch_town::viewers::Effect;

use super::{Story, agent, position, raw, run};

impl Story {
    pub fn order(agent_id: &str) -> StartAgent {
        let order = json!({
            "agent_id": agent_id, "rig_id": "rig", "name": agent_id, "role": "polecat", "runtime": "process",
            "command": ["true"],
        });
        serde_json::from_value(order).unwrap()
    }

    /// Begins a run as the edge does, up to the call of the control server.
    pub fn begin(&mut self, agent_id: &str, run_id: &str) -> ControlStart {
        self.start(Self::order(agent_id), run_id).unwrap().0
    }

    /// Stores the start of a run, as the edge does before it calls the control server.
    pub fn start(&mut self, order: StartAgent, run_id: &str) -> Result<(ControlStart, AgentState)> {
        self.handle(StartRun { order, fresh_agent: agent("minted"), run_id: run(run_id) })
    }

    /// Registers an agent in a rig.
    pub fn register_in(&mut self, rig_id: &str, name: &str, role: Role) -> Result<AgentState> {
        let (rig_id, agent_id) = (RigId::parse(rig_id).unwrap(), agent(name));
        self.handle(AgentRegistration { rig_id: &rig_id, agent_id: &agent_id, name, role })
    }

    /// The control server confirms a start.
    pub fn confirm(&mut self, started: &ControlStarted) -> Outcome {
        self.reported(StartConfirmed { started }).unwrap().1
    }

    /// The control server refuses a start.
    pub fn refuse(&mut self, run_id: &str, why: &str) -> Outcome {
        self.reported(StartRefused { run_id: &run(run_id), why }).unwrap().1
    }

    /// The one who has to know of a run's stop answers; gives whether the order is done, and what the log got.
    pub fn stop_answered(&mut self, run_id: &str, answer: &StopAnswer) -> (bool, Outcome) {
        self.reported(StopAnswered { run_id: &run(run_id), answer }).unwrap()
    }

    /// Sets the budget of a day: of an agent, or of the town where no name is given.
    pub fn set_budget(&mut self, name: &str, change: &BudgetChange) -> Result<Outcome> {
        let ((), outcome) = if name.is_empty() {
            self.reported(ChangeTownBudget { change })?
        } else {
            self.reported(ChangeAgentBudget { agent_id: &agent(name), change })?
        };
        Ok(outcome)
    }

    /// The container tells what is being typed.
    pub fn preview(&mut self, previews: Vec<Preview>) -> Vec<Effect> {
        let answer = ControlEvents { previews, ..self.answer(&[]) };
        self.shown();
        while !matches!(self.apply(&answer).0, AnswerEffect::Taken { .. }) {}
        let mut effects = self.shown();
        effects.retain(|effect| !matches!(effect, Effect::Announce));
        effects
    }

    /// An answer of the container with the next events: `(agent, run, name, data)` each.
    pub fn answer(&mut self, events: &[(&str, &str, &str, Json)]) -> ControlEvents {
        let events: Vec<ControlEvent> = events
            .iter()
            .map(|(agent_id, run_id, event, data)| {
                self.emitted += 1;
                ControlEvent {
                    id: position(self.emitted),
                    agent_id: agent(agent_id),
                    run_id: run(run_id),
                    event: EventName::parse(event).unwrap(),
                    data: raw(data),
                    timestamp: self.now,
                }
            })
            .collect();
        let (head, oldest) = (position(self.emitted), position(1));
        ControlEvents { epoch: self.epoch.clone(), head, oldest, events, previews: Vec::new() }
    }

    /// Hands an answer to the relay at the present position.
    pub fn apply(&mut self, answer: &ControlEvents) -> (AnswerEffect, Outcome) {
        let position = relay::position(self.store.as_ref(), &Source::Container).unwrap();
        self.apply_at(&position, answer).unwrap()
    }

    /// Hands an answer to the relay that was asked for at this position.
    pub fn apply_at(&mut self, position: &Position, answer: &ControlEvents) -> Result<(AnswerEffect, Outcome)> {
        self.reported(RelayAnswer { position, reach: Reach::New, answer: answer.clone().into() })
    }

    /// Lets the container's events be relayed, also its first ones.
    pub fn relay(&mut self, events: &[(&str, &str, &str, Json)]) -> Outcome {
        let answer = self.answer(events);
        loop {
            match self.apply(&answer) {
                (AnswerEffect::Taken { .. }, outcome) => return outcome,
                (AnswerEffect::NewEpoch, _) => {}
                (AnswerEffect::Stale | AnswerEffect::Unrecognised | AnswerEffect::Doubted, _) => {
                    panic!("the answer is stale")
                }
            }
        }
    }
}

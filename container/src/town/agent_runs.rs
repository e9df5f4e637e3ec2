//! The runs of one agent: the ids of those that were begun, and the state of the newest one.

use std::collections::VecDeque;

use townwatch_protocol::event::{AgentExited, AgentQuestionAnswered, EventData, ExitReason, Status};
use townwatch_protocol::id::RunId;

use crate::command::CommandSender;
use crate::outcome::RunOutcome;
use crate::stop::StopSender;

/// Runs of an agent whose start is still recognised as a repeat, 16 with the newest one.
const RUNS_REMEMBERED: usize = 16;
/// Answered questions of a run that are remembered, 64. A person who answers an older one is told only that it is not
/// open.
const ANSWERED_REMEMBERED: usize = 64;

#[derive(Debug)]
pub(super) struct AgentRuns {
    pub(super) run_ids: VecDeque<RunId>,
    pub(super) status: Status,
    pub(super) exit: Option<AgentExited>,
    pub(super) outcome: RunOutcome,
    /// The sender of orders to stop the open run.
    pub(super) stop: StopSender,
    /// The sender of commands to the open run, if it takes any.
    pub(super) commands: Option<CommandSender>,
    /// The answers to the run's latest questions, for people who answer too late.
    pub(super) answered: VecDeque<AgentQuestionAnswered>,
}

impl AgentRuns {
    /// Begins the first run of an agent.
    pub(super) fn begin(run_id: RunId, stop: StopSender) -> Self {
        Self {
            run_ids: VecDeque::from([run_id]),
            status: Status::Starting,
            exit: None,
            outcome: RunOutcome::default(),
            stop,
            commands: None,
            answered: VecDeque::new(),
        }
    }

    /// Begins the next run.
    pub(super) fn begin_next(&mut self, run_id: RunId, stop: StopSender) {
        if self.run_ids.len() >= RUNS_REMEMBERED {
            self.run_ids.pop_front();
        }
        self.run_ids.push_back(run_id);
        (self.status, self.exit, self.outcome) = (Status::Starting, None, RunOutcome::default());
        (self.stop, self.commands) = (stop, None);
        self.answered.clear();
    }

    pub(super) fn newest(&self) -> Option<&RunId> {
        self.run_ids.back()
    }

    /// Takes an event of the newest run into the run's state.
    pub(super) fn take(&mut self, event: EventData) {
        match event {
            EventData::Status(changed) => self.status = changed.status,
            EventData::QuestionAnswered(answered) => {
                if self.answered.len() >= ANSWERED_REMEMBERED {
                    self.answered.pop_front();
                }
                self.answered.push_back(AgentQuestionAnswered { text: None, answers: Vec::new(), ..answered });
            }
            EventData::Exited(exit) => {
                self.status = match exit.reason {
                    ExitReason::Completed | ExitReason::Stopped => Status::Exited,
                    ExitReason::Failed | ExitReason::Timeout | ExitReason::BudgetExceeded | ExitReason::Lost => {
                        Status::Failed
                    }
                };
                self.exit = Some(exit);
            }
            _ => {}
        }
    }
}

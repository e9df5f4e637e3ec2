//! The runs of one agent: which were begun, and how the newest one stands.

use std::collections::VecDeque;

use townwatch_protocol::event::{AgentExited, AgentQuestionAnswered, EventData, ExitReason, Status};
use townwatch_protocol::id::RunId;

use crate::command::CommandSender;
use crate::outcome::Outcome;
use crate::stop::StopSender;

/// Runs of an agent whose start is still recognised as a repeat, the newest included.
const RUNS_REMEMBERED: usize = 16;
/// Answered questions of a run that are remembered; who comes even later is only told that theirs is not open.
const ANSWERED_REMEMBERED: usize = 64;

#[derive(Debug)]
pub(super) struct AgentRuns {
    pub(super) run_ids: VecDeque<RunId>,
    pub(super) status: Status,
    pub(super) exit: Option<AgentExited>,
    pub(super) outcome: Outcome,
    /// The orders to stop its open run.
    pub(super) stop: StopSender,
    /// The way of commands to its open run, if it takes any.
    pub(super) commands: Option<CommandSender>,
    /// The answers to its run's latest questions, for people who come too late.
    pub(super) answered: VecDeque<AgentQuestionAnswered>,
}

impl AgentRuns {
    /// The first run of an agent begins.
    pub(super) fn begin(run_id: RunId, stop: StopSender) -> Self {
        Self {
            run_ids: VecDeque::from([run_id]),
            status: Status::Starting,
            exit: None,
            outcome: Outcome::default(),
            stop,
            commands: None,
            answered: VecDeque::new(),
        }
    }

    /// The next run begins.
    pub(super) fn begin_next(&mut self, run_id: RunId, stop: StopSender) {
        if self.run_ids.len() >= RUNS_REMEMBERED {
            self.run_ids.pop_front();
        }
        self.run_ids.push_back(run_id);
        (self.status, self.exit, self.outcome) = (Status::Starting, None, Outcome::default());
        (self.stop, self.commands) = (stop, None);
        self.answered.clear();
    }

    pub(super) fn newest(&self) -> Option<&RunId> {
        self.run_ids.back()
    }

    /// An event of the newest run changes how it stands.
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

//! Commands of people to a running agent that takes them: a message, or the answer to a question of the agent.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::wire::AnswerAgent;

/// Commands that wait for an agent, 16; one more is refused with `conflict`.
const WAITING_MAX: usize = 16;
/// The time limit of a command, 8 s: less than the 10 s after which the Worker gives up.
const LIMIT: Duration = Duration::from_secs(8);

/// The name of the only person who may start, stop and message agents.
pub const OPERATOR: &str = "operator";

/// A command to an agent.
#[derive(Debug)]
pub enum AgentCommand {
    /// A message to the agent.
    Message(String),
    /// The answer to a question of the agent.
    Answer {
        /// The answer.
        answer: AnswerAgent,
        /// The person's name.
        by: String,
    },
}

/// A command on its way, with the sender for its outcome.
#[derive(Debug)]
pub struct QueuedCommand {
    command: AgentCommand,
    outcome: oneshot::Sender<Result<()>>,
}

impl QueuedCommand {
    /// Takes the command, unless its sender waits no longer. Such a person was told that the command had no effect, so
    /// it must have none.
    pub fn take(self) -> Option<(AgentCommand, oneshot::Sender<Result<()>>)> {
        (!self.outcome.is_closed()).then_some((self.command, self.outcome))
    }
}

/// The commands of one agent, in the order in which they came.
pub type CommandReceiver = mpsc::Receiver<QueuedCommand>;

/// The inbox of an agent that takes commands.
#[derive(Debug)]
pub struct CommandInbox {
    /// The commands.
    pub commands: CommandReceiver,
    /// The time for which an agent with nothing to do waits for commands.
    pub waiting_max: Duration,
}

/// The sending end of an agent's commands.
#[derive(Debug, Clone)]
pub struct CommandSender(mpsc::Sender<QueuedCommand>);

/// Makes both ends for the commands of an agent.
pub fn channel() -> (CommandSender, CommandReceiver) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (CommandSender(sender), receiver)
}

impl CommandSender {
    /// Sends a command, and waits for its outcome.
    ///
    /// # Errors
    /// `conflict`: the run has ended, too many commands wait, or the agent did not take this one in time. Otherwise the
    /// agent's own refusal.
    pub async fn send(&self, command: AgentCommand) -> Result<()> {
        let (outcome, became) = oneshot::channel();
        let busy = || Error::new(Code::Conflict, "the agent is not up yet, or has no time; try again");
        self.0.try_send(QueuedCommand { command, outcome }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => busy(),
            mpsc::error::TrySendError::Closed(_) => ended(),
        })?;
        match tokio::time::timeout(LIMIT, became).await {
            Ok(outcome) => outcome.unwrap_or_else(|_| Err(ended())),
            Err(_) => Err(busy()),
        }
    }
}

/// The error of a command to an agent whose run has ended.
pub fn ended() -> Error {
    Error::new(Code::Conflict, "the agent's run has ended; start a new one")
}

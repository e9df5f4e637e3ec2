//! Commands of people to a running agent that takes them: a message, or the answer to its question.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::wire::AnswerAgent;

/// Commands that wait for an agent; one more is refused.
const WAITING_MAX: usize = 16;
/// Nobody waits longer for a command: the Worker gives up after 10 s.
const LIMIT: Duration = Duration::from_secs(8);

/// The name of the person who gives orders and tells agents things: nobody else may.
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

/// A command on its way, with where its outcome is waited for.
#[derive(Debug)]
pub struct QueuedCommand {
    command: AgentCommand,
    outcome: oneshot::Sender<Result<()>>,
}

impl QueuedCommand {
    /// The command, unless nobody waits for it any more: they were told that it came to nothing, and so it has to.
    pub fn take(self) -> Option<(AgentCommand, oneshot::Sender<Result<()>>)> {
        (!self.outcome.is_closed()).then_some((self.command, self.outcome))
    }
}

/// The commands of one agent, in the order in which they came.
pub type CommandReceiver = mpsc::Receiver<QueuedCommand>;

/// The inbox of an agent that takes commands.
#[derive(Debug)]
pub struct Inbox {
    /// The commands.
    pub commands: CommandReceiver,
    /// The time for which it is waited for when it has nothing to do.
    pub waiting_max: Duration,
}

/// The way of commands to an agent.
#[derive(Debug, Clone)]
pub struct CommandSender(mpsc::Sender<QueuedCommand>);

/// A new pair.
pub fn channel() -> (CommandSender, CommandReceiver) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (CommandSender(sender), receiver)
}

impl CommandSender {
    /// Sends a command, and waits for what becomes of it.
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

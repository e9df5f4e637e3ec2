//! What people want of a running agent that takes it: to be told something, or an answer to its question.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::wire::AnswerAgent;

/// Wishes that wait for an agent; one more is refused.
const WAITING_MAX: usize = 16;
/// Nobody waits longer for a wish: the Worker gives up after 10 s.
const LIMIT: Duration = Duration::from_secs(8);

/// Who gives orders and tells agents things: nobody else may.
pub const OPERATOR: &str = "operator";

/// What is wished.
#[derive(Debug)]
pub enum Wish {
    /// The agent is to be told this.
    Message(String),
    /// Its question is to be answered.
    Answer {
        /// How.
        answer: AnswerAgent,
        /// By whom.
        by: String,
    },
}

/// A wish on its way, with whoever waits for what becomes of it.
#[derive(Debug)]
pub struct Wished {
    wish: Wish,
    outcome: oneshot::Sender<Result<()>>,
}

impl Wished {
    /// The wish, unless nobody waits for it any more: they were told that it came to nothing, and so it has to.
    pub fn take(self) -> Option<(Wish, oneshot::Sender<Result<()>>)> {
        (!self.outcome.is_closed()).then_some((self.wish, self.outcome))
    }
}

/// Where an agent hears wishes.
pub type Ear = mpsc::Receiver<Wished>;

/// An agent that is spoken to.
#[derive(Debug)]
pub struct Hearing {
    /// Where it hears wishes.
    pub ear: Ear,
    /// How long it is waited for when it has nothing to do.
    pub waiting_max: Duration,
}

/// Where wishes of an agent go.
#[derive(Debug, Clone)]
pub struct Mouth(mpsc::Sender<Wished>);

/// A new pair.
pub fn channel() -> (Mouth, Ear) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (Mouth(sender), receiver)
}

impl Mouth {
    /// Wishes, and waits for what becomes of it.
    pub async fn say(&self, wish: Wish) -> Result<()> {
        let (outcome, became) = oneshot::channel();
        let busy = || Error::new(Code::Conflict, "the agent is not up yet, or has no time; try again");
        self.0.try_send(Wished { wish, outcome }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => busy(),
            mpsc::error::TrySendError::Closed(_) => ended(),
        })?;
        match tokio::time::timeout(LIMIT, became).await {
            Ok(outcome) => outcome.unwrap_or_else(|_| Err(ended())),
            Err(_) => Err(busy()),
        }
    }
}

/// There is nobody to hear it any more.
pub fn ended() -> Error {
    Error::new(Code::Conflict, "the agent's run has ended; start a new one")
}

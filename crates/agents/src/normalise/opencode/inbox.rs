//! Messages to the agent: their sessions, and whether the agent has begun to answer.

use townwatch_protocol::event::MessageSource;

use crate::normalise::recent::Recent;

#[derive(Debug, Default, Clone)]
pub(super) struct Inbox {
    /// The messages, each with its source; `None` for a message that is in the log already.
    messages: Recent<Option<MessageSource>>,
    /// The sessions that got a message.
    sessions: Recent<()>,
    /// The number of messages that are in the log and that the stream has not repeated yet.
    repeats: u64,
    /// Whether the latest message of the run's own session is one to the agent.
    unanswered: bool,
}

impl Inbox {
    /// Notes a message that was sent to the server and is in the log: the stream will repeat it.
    pub(super) fn told(&mut self) {
        self.repeats += 1;
    }

    /// Notes a message to a session. The stream sends it again at each change.
    pub(super) fn message(&mut self, id: &str, session_id: &str, main: bool) {
        if self.messages.get(id).is_none() {
            let said_as = self.said_as(session_id, main);
            self.messages.insert(id, said_as);
            self.unanswered |= main;
        }
    }

    /// Notes that the agent has begun its own message.
    pub(super) fn answered(&mut self) {
        self.unanswered = false;
    }

    /// Whether a message waits for its turn to begin.
    pub(super) fn owes_answer(&self) -> bool {
        self.repeats > 0 || self.unanswered
    }

    /// The source of a message, if it was one to the agent.
    pub(super) fn get(&self, id: &str) -> Option<&Option<MessageSource>> {
        self.messages.get(id)
    }

    fn said_as(&mut self, session_id: &str, main: bool) -> Option<MessageSource> {
        let first = self.sessions.insert(session_id, ());
        if main && self.repeats > 0 {
            self.repeats -= 1;
            return None;
        }
        Some(if first { MessageSource::Prompt } else { MessageSource::Message })
    }
}

//! What was said to the agent: which messages, to which sessions, and whether the agent has begun to answer.

use townwatch_protocol::event::MessageSource;

use crate::normalise::recent::Recent;

#[derive(Debug, Default, Clone)]
pub(super) struct Inbox {
    /// Messages to the agent, with what they were said as; `None` is one that is in the log already.
    messages: Recent<Option<MessageSource>>,
    /// Sessions that were told something.
    sessions: Recent<()>,
    /// Messages that are in the log already, and that the stream has not repeated yet.
    repeats: u64,
    /// The latest message of the run's own session was said to the agent.
    unanswered: bool,
}

impl Inbox {
    /// A message was given to the server and stands in the log: the stream will repeat it.
    pub(super) fn told(&mut self) {
        self.repeats += 1;
    }

    /// A message to a session, of which the stream tells each time that it changes.
    pub(super) fn message(&mut self, id: &str, session_id: &str, main: bool) {
        if self.messages.get(id).is_none() {
            let said_as = self.said_as(session_id, main);
            self.messages.insert(id, said_as);
            self.unanswered |= main;
        }
    }

    /// The agent has begun a message of its own.
    pub(super) fn answered(&mut self) {
        self.unanswered = false;
    }

    /// Whether a message waits for the turn that it begins.
    pub(super) fn owes_answer(&self) -> bool {
        self.repeats > 0 || self.unanswered
    }

    /// What a message was said as, if it was said to the agent.
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

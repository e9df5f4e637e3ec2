//! The author of a frame: the run's own session, or the session of a sub-agent.

use townwatch_protocol::event::EventData;

use super::Opencode;
use super::wire::{Session, Whose, model_name};
use crate::json::read;

/// The author, by its session.
pub(super) enum Author {
    /// The run's own session.
    Main,
    /// A sub-agent's session, with the call that it works for once that is known.
    SubAgent(Option<String>),
}

impl Author {
    /// The call that the sub-agent works for.
    pub(super) fn call(&self) -> Option<String> {
        match self {
            Self::Main => None,
            Self::SubAgent(call) => call.clone(),
        }
    }
}

impl Opencode {
    /// The author of a frame; `None` for another session's. A frame without a session is the server's, which counts as
    /// the run's.
    pub(super) fn author(&self, properties: &str) -> Option<Author> {
        let whose: Whose = read(properties).unwrap_or_default();
        let inner = || whose.info.and_then(|info| info.session_id).or(whose.part.and_then(|part| part.session_id));
        let Some(session_id) = whose.session_id.or_else(inner) else { return Some(Author::Main) };
        if self.session_id.as_ref() == Some(&session_id) {
            return Some(Author::Main);
        }
        self.children.get(&session_id).map(|call| Author::SubAgent(call.clone()))
    }

    pub(super) fn session(&mut self, session: Session, events: &mut Vec<EventData>) {
        let Some(id) = session.id else { return };
        if let Some(parent_id) = session.parent_id {
            let ours = self.session_id.as_ref() == Some(&parent_id) || self.children.get(&parent_id).is_some();
            if ours {
                self.children.insert(&id, None);
            }
            return;
        }
        if *self.session_id.get_or_insert_with(|| id.clone()) != id {
            return;
        }
        self.working_dir = session.directory.or(self.working_dir.take());
        self.agent_version = session.version.or(self.agent_version.take());
        if let Some(model) = session.model {
            self.tell_session(model_name(model.provider_id.as_deref(), model.id.as_deref()), events);
        }
    }

    /// Reports the session once, as soon as its model is known.
    pub(super) fn tell_session(&mut self, model: Option<String>, events: &mut Vec<EventData>) {
        let Some(session_id) = self.session_id.clone().filter(|_| !self.session_told) else { return };
        self.session_told = true;
        let mut session = self.context.session(session_id);
        session.model = model;
        session.working_dir.clone_from(&self.working_dir);
        session.agent_version.clone_from(&self.agent_version);
        events.push(session.into());
    }
}

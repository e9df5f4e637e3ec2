//! Sessions whose end a town was told of. A request by one of them may still be under way, let in by the Worker a moment
//! before; it opens nothing here any more.

use std::collections::VecDeque;

use townwatch_protocol::limits::SESSIONS_MAX;

use crate::access::grantor::Grantor;

/// The grantors' names of the ended sessions. There are as many as there can be sessions; beyond it the oldest go,
/// because a request takes a minute at most.
#[derive(Debug, Default)]
pub(crate) struct EndedSessions(VecDeque<String>);

impl EndedSessions {
    pub(crate) fn note(&mut self, name: &str) {
        if self.0.len() as u64 >= SESSIONS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(name.to_owned());
    }

    pub(crate) fn has(&self, grantor: &Grantor) -> bool {
        self.0.contains(&grantor.name)
    }
}

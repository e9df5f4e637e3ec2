//! The newest events as they were stored, so that live frames are made without reading them back.

use std::collections::VecDeque;

use townwatch_protocol::id::{AgentId, EventId};

use crate::git_url;
use crate::log::Entry;

/// The frames' bytes that are kept, 1 MiB. Older ones go first, and are read from the log where they are needed.
const BYTES_MAX: usize = 1 << 20;

/// All events after one place in the log.
#[derive(Debug)]
pub(crate) struct RecentEvents {
    after: EventId,
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl RecentEvents {
    /// No events, after this one.
    pub(crate) fn new(after: EventId) -> Self {
        Self { after, entries: VecDeque::new(), bytes: 0 }
    }

    /// Adds the next event of the log.
    pub(crate) fn push(&mut self, id: EventId, agent_id: &AgentId, event: &str, frame: &str) {
        let (agent_id, event) = (agent_id.clone(), event.to_owned());
        let frame = git_url::event_shown(&event, frame.to_owned());
        self.add(Entry { id, agent_id, event, frame });
    }

    fn add(&mut self, entry: Entry) {
        self.bytes += entry.frame.len();
        self.entries.push_back(entry);
        while self.bytes > BYTES_MAX
            && let Some(oldest) = self.entries.pop_front()
        {
            self.bytes -= oldest.frame.len();
            self.after = oldest.id;
        }
    }

    /// Joins the events of two times, each of which may have none. Later ones that do not go on from the first replace them.
    pub(crate) fn join(recent: &mut Option<Self>, later: Option<Self>) {
        match (recent.as_mut(), later) {
            (Some(recent), Some(later)) => recent.extend(later),
            (None, Some(later)) => *recent = Some(later),
            (_, None) => {}
        }
    }

    /// Goes on with later events. Where there are others in between, only the later ones are kept.
    fn extend(&mut self, later: Self) {
        if later.after == self.newest() {
            later.entries.into_iter().for_each(|entry| self.add(entry));
        } else {
            *self = later;
        }
    }

    /// The newest event's id.
    pub(crate) fn newest(&self) -> EventId {
        self.entries.back().map_or(self.after, |entry| entry.id)
    }

    /// Whether they reach back before this event.
    pub(crate) fn begins_before(&self, id: EventId) -> bool {
        self.after < id
    }

    /// All events after this one; `None` where some of them are not kept.
    pub(crate) fn all_after(&self, after: EventId) -> Option<impl Iterator<Item = &Entry>> {
        let known = self.entries.partition_point(|entry| entry.id <= after);
        (after >= self.after).then(|| self.entries.range(known..))
    }
}

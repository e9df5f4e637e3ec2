//! The pump brings viewers to the head: what is left for them, and when they are due again.

use townwatch_protocol::error::Result;
use townwatch_protocol::id::EventId;
use townwatch_protocol::time::Timestamp;

use super::{Effect, ViewerId, Viewers};
use crate::log;
use crate::log::recent::RecentEvents;
use crate::log::states::StateFrames;
use crate::store::Store;
use crate::viewers::frames::{Frames, Occasion};
use crate::viewers::viewer::{NextAction, Viewer};

impl Viewers {
    /// Takes the events that were just stored. The next [`Viewers::pump`] shows them.
    pub(crate) fn take_recent(&mut self, later: Option<RecentEvents>) {
        RecentEvents::join(&mut self.recent, later);
    }

    /// Brings every viewer as near to the head as its flow and its audience's pace allow. The work is done once for all
    /// viewers that want the same from the same place.
    pub(crate) fn pump(
        &mut self,
        store: &dyn Store,
        states: &StateFrames,
        occasion: Occasion,
        effects: &mut Vec<Effect>,
    ) -> Result<()> {
        self.end_rights(occasion.now, effects);
        let head = occasion.head.map_or_else(|| log::head(store), Ok)?;
        self.pruned_id = self.pruned_id.max(occasion.pruned_id);
        self.history.forget_before(occasion.pruned_id);
        // Where one of them may be gone again, or others came without them, the log is read.
        self.recent.take_if(|recent| recent.newest() != head || recent.begins_before(occasion.pruned_id));
        let due = self.due(head, occasion.now);
        let occasion = Occasion { pruned_id: self.pruned_id, ..occasion };
        let (history, recent) = (&mut self.history, self.recent.as_ref());
        let mut frames = Frames::new(store, states, occasion, head, self.pace, history, recent);
        let mut ended = Vec::new();
        self.waiting.clear();
        for id in due {
            let Some(viewer) = self.all.get_mut(&id) else { continue };
            match viewer.advance(&mut frames, effects)? {
                NextAction::Stay if viewer.waits() => self.waiting.push(id),
                NextAction::Stay => {}
                NextAction::End(ending) => {
                    ended.push(id);
                    effects.push(Effect::Close(id, ending));
                }
            }
        }
        for id in ended {
            self.remove(id);
        }
        Ok(())
    }

    /// Whether an event after this id may have been pruned.
    pub(crate) fn may_be_pruned(&self, cursor: EventId) -> bool {
        cursor < self.pruned_id
    }

    /// The viewers that are behind and not held back by the pace of their audience.
    fn due(&mut self, head: EventId, now: Timestamp) -> Vec<ViewerId> {
        self.next_frame_at = None;
        let mut due = Vec::new();
        for viewer in self.all.values() {
            if !viewer.waits() && viewer.state.position.cursor == head {
                continue;
            }
            let rest = viewer.audience.rests_until(now, self.pace.frame_interval_ms);
            match rest.filter(|_| viewer.state.live) {
                Some(end) => self.next_frame_at = self.next_frame_at.into_iter().chain([end]).min(),
                None => due.push(viewer.id),
            }
        }
        due
    }

    /// Whether something is left for a stream that may not be sent yet.
    pub(crate) fn waits(&self, id: ViewerId) -> bool {
        self.all.get(&id).is_some_and(Viewer::waits)
    }

    /// The next time at which a waiting viewer is checked, a held-back frame leaves, or a viewer's right ends.
    pub fn due_at(&self, now: Timestamp) -> Option<Timestamp> {
        let waiting = self.waiting.iter().filter_map(|id| self.all.get(id));
        let next_end = self.ends.first().map(|(ends_at, _)| *ends_at);
        waiting.map(|viewer| viewer.due_at(now)).chain(self.next_frame_at).chain(next_end).min()
    }
}

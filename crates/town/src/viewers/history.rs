//! Frames of history that were made lately. After a deploy all viewers come at once. Their frames end at the same
//! places in the log, wherever they began, and so are made once.

use std::collections::HashMap;
use std::rc::Rc;

use townwatch_protocol::id::EventId;
use townwatch_protocol::limits::HISTORY_BYTES_MAX;

use crate::viewers::frames::FrameRun;

/// Runs of frames by their audience's number and the event that they come after.
#[derive(Debug, Default)]
pub(crate) struct History {
    known: HashMap<(u64, EventId), Rc<FrameRun>>,
    bytes: u64,
}

impl History {
    pub(crate) fn find(&self, audience: u64, after: EventId) -> Option<Rc<FrameRun>> {
        self.known.get(&(audience, after)).cloned()
    }

    /// Keeps frames that end before the head, because no more events come into them. Beyond [`HISTORY_BYTES_MAX`] all
    /// kept frames are forgotten, and are made again when they are needed.
    pub(crate) fn keep(&mut self, audience: u64, after: EventId, frame_run: &Rc<FrameRun>) {
        if frame_run.last.is_none() {
            return;
        }
        if self.bytes + frame_run.bytes > HISTORY_BYTES_MAX {
            *self = Self::default();
        }
        self.bytes += frame_run.bytes;
        self.known.insert((audience, after), Rc::clone(frame_run));
    }

    /// Forgets the frames that began before a pruned event, because they may have events that are gone.
    pub(crate) fn forget_before(&mut self, pruned_id: EventId) {
        if pruned_id == EventId::START {
            return;
        }
        self.known.retain(|(_, after), _| *after >= pruned_id);
        self.bytes = self.known.values().map(|frame_run| frame_run.bytes).sum();
    }
}

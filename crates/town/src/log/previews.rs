//! Texts that agents are typing: shown but never stored, and removed by the message's event.

use std::collections::VecDeque;
use std::rc::Rc;

use townwatch_protocol::error::Result;
use townwatch_protocol::id::AgentId;
use townwatch_protocol::limits::{FRAME_BYTES_MAX, PREVIEWS_KEPT_MAX};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{Preview, ServerFrame};

use crate::agents::runs::{self, Source};
use crate::log;
use crate::town::Town;
use crate::viewers::{Effect, text_of};

/// The latest previews, for readers who pull: who comes too late for one waits for the next that begins anew.
#[derive(Debug, Default)]
pub(crate) struct Previews {
    latest: VecDeque<ShownPreview>,
    /// Counts them; by it a reader knows which it has not had.
    count: u64,
}

#[derive(Debug)]
pub(crate) struct ShownPreview {
    number: u64,
    pub(crate) agent_id: AgentId,
    pub(crate) text: Rc<str>,
}

impl Previews {
    /// The number of the newest.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The previews after this number.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = &ShownPreview> {
        self.latest.iter().filter(move |shown| shown.number > number)
    }

    /// An agent's events have come: what it was typing is behind it.
    pub(crate) fn forget(&mut self, agent_id: &AgentId) {
        self.latest.retain(|shown| shown.agent_id != *agent_id);
    }

    fn keep(&mut self, agent_id: AgentId, text: Rc<str>) {
        self.count += 1;
        self.latest.push_back(ShownPreview { number: self.count, agent_id, text });
        if self.latest.len() > PREVIEWS_KEPT_MAX {
            self.latest.pop_front();
        }
    }
}

impl Town {
    /// Shows what agents of the container are typing. Those whose run is not open there any more type nothing.
    pub(crate) fn preview(&mut self, previews: Vec<Preview>, now: Timestamp, effects: &mut Vec<Effect>) -> Result<()> {
        let head = log::head(self.store.as_ref())?;
        let open = runs::open_of(self.store.as_ref(), &Source::Container)?;
        for preview in previews {
            let is_open = open.iter().any(|run| run.run_id == preview.run_id && run.agent_id == preview.agent_id);
            let agent_id = preview.agent_id.clone();
            let text: Rc<str> = text_of(&ServerFrame::Preview(preview)).into();
            if is_open && text.len() <= FRAME_BYTES_MAX {
                self.viewers.preview(&agent_id, &text, head, now, effects);
                self.previews.keep(agent_id, text);
            }
        }
        Ok(())
    }
}

//! What a viewer is not sent that does not keep up and does not say so: the least important first, and it is told.

use std::collections::BTreeMap;
use townwatch_protocol::event::EventKind;

use townwatch_protocol::id::AgentId;
use townwatch_protocol::wire::{Gap, GapReason};

use crate::log::Entry;

/// How dear an event is, from what is left out first to what never is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Importance {
    Output,
    Progress,
    File,
    ToolResult,
    Essential,
}

impl Importance {
    /// What may be spared step by step: everything below it.
    pub(crate) const STEPS: [Self; 4] = [Self::Progress, Self::File, Self::ToolResult, Self::Essential];

    fn of(event: &str) -> Self {
        match EventKind::parse(event) {
            Some(EventKind::Output) => Self::Output,
            Some(EventKind::Progress) => Self::Progress,
            Some(EventKind::FileChanged) => Self::File,
            Some(EventKind::ToolResult) => Self::ToolResult,
            _ => Self::Essential,
        }
    }
}

/// What has been left out and not been told yet: a gap for each agent.
pub(crate) struct Elided {
    least: Importance,
    gaps: BTreeMap<AgentId, Gap>,
}

impl Elided {
    /// Leaves out what is less important than `least`.
    pub(crate) fn below(least: Importance) -> Self {
        Self { least, gaps: BTreeMap::new() }
    }

    /// Whether it leaves the event out; then it is in its agent's gap.
    pub(crate) fn takes(&mut self, entry: &Entry) -> bool {
        if Importance::of(&entry.event) >= self.least {
            return false;
        }
        let fresh = || Gap {
            agent_id: entry.agent_id.clone(),
            from: entry.id,
            to: entry.id,
            count: Some(0),
            reason: GapReason::Elided,
        };
        let gap = self.gaps.entry(entry.agent_id.clone()).or_insert_with(fresh);
        gap.to = entry.id;
        gap.count = gap.count.map(|count| count + 1);
        true
    }

    /// What has to be told before the next event, whosever it is: who is cut after that event goes on behind it.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Gap> + use<> {
        std::mem::take(&mut self.gaps).into_values()
    }
}

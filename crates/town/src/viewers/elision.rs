//! Elision: a viewer that neither keeps up nor acknowledges is not sent all events. The least important ones are left
//! out first, and the viewer is told of each gap.

use std::collections::BTreeMap;
use townwatch_protocol::event::EventKind;

use townwatch_protocol::id::AgentId;
use townwatch_protocol::wire::{Gap, GapReason};

use crate::log::Entry;

/// The importance of an event, in rising order: `Output` is left out first, `Essential` never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Importance {
    Output,
    Progress,
    File,
    ToolResult,
    Essential,
}

impl Importance {
    /// The steps of leaving out: at each step every event below this importance is left out.
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

/// The events that were left out and not told of yet: one gap for each agent.
pub(crate) struct Elided {
    least: Importance,
    gaps: BTreeMap<AgentId, Gap>,
}

impl Elided {
    /// Leaves out every event that is less important than `least`.
    pub(crate) fn below(least: Importance) -> Self {
        Self { least, gaps: BTreeMap::new() }
    }

    /// Whether the event is left out. If so, it is counted in its agent's gap.
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

    /// Takes the gaps, which have to be told before the next event, even one of another agent. A viewer that is cut off
    /// after that event would go on behind it, and would miss a later gap.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Gap> + use<> {
        std::mem::take(&mut self.gaps).into_values()
    }
}

//! The authors of changes to files: a change is the open call's, if only one was open. Some agents tell of their changes
//! themselves, and each change is told once. Pure; the time comes in.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;
use townwatch_protocol::event::{EventData, FileChanged, ToolCategory};

/// A call's result is read from one pipe and its changes come by another way, so either may be a little early.
const SLACK: Duration = Duration::from_millis(150);
/// The time within which the other side may tell what one side has told: OpenCode sums up each step of its model.
const TOLD_AGAIN: Duration = Duration::from_secs(30);
/// Calls that are remembered; the oldest go.
const CALLS_MAX: usize = 256;
/// Paths that are remembered on either side; then all are forgotten, and a change may be told twice.
const PATHS_MAX: usize = 4_096;

/// The calls and changes of one run, as its agent and the watcher tell them.
#[derive(Debug, Default)]
pub(crate) struct Attribution {
    calls: VecDeque<Call>,
    /// Changes that the agent told, and when.
    by_agent: HashMap<String, Instant>,
    /// Changes that were seen and told, and when.
    by_watcher: HashMap<String, Instant>,
}

#[derive(Debug)]
struct Call {
    tool_use_id: String,
    opened: Instant,
    closed: Option<Instant>,
}

impl Attribution {
    /// An event of the agent. False for a change that was told already.
    pub(crate) fn says(&mut self, event: &EventData, now: Instant) -> bool {
        match event {
            EventData::ToolCall(call)
                if matches!(call.category, ToolCategory::Edit | ToolCategory::Write | ToolCategory::Bash) =>
            {
                if self.calls.len() >= CALLS_MAX {
                    self.calls.pop_front();
                }
                self.calls.push_back(Call { tool_use_id: call.tool_use_id.clone(), opened: now, closed: None });
            }
            EventData::ToolResult(result) => {
                for call in self.calls.iter_mut().filter(|call| call.tool_use_id == result.tool_use_id) {
                    call.closed.get_or_insert(now);
                }
                let done = |call: &Call| call.closed.is_some_and(|closed| now - closed > TOLD_AGAIN);
                while self.calls.front().is_some_and(done) {
                    self.calls.pop_front();
                }
            }
            EventData::FileChanged(change) => {
                let told = self.by_watcher.remove(&change.path).is_some_and(|at| now - at < TOLD_AGAIN);
                remember(&mut self.by_agent, &change.path, now);
                return !told;
            }
            _ => {}
        }
        true
    }

    /// A change that was seen between two moments: with the call that made it. `None` for one that the agent told itself.
    pub(crate) fn attribute(
        &mut self,
        mut change: FileChanged,
        from: Instant,
        to: Instant,
        now: Instant,
    ) -> Option<FileChanged> {
        if self.by_agent.get(&change.path).is_some_and(|told| *told + SLACK >= to) {
            return None;
        }
        let open = |call: &&Call| call.opened <= to + SLACK && call.closed.is_none_or(|closed| closed + SLACK >= from);
        let mut open = self.calls.iter().filter(open);
        if let (Some(call), None) = (open.next(), open.next()) {
            change.tool_use_id = Some(call.tool_use_id.clone());
        }
        remember(&mut self.by_watcher, &change.path, now);
        Some(change)
    }
}

fn remember(told: &mut HashMap<String, Instant>, path: &str, now: Instant) {
    if told.len() >= PATHS_MAX {
        told.clear();
    }
    told.insert(path.to_owned(), now);
}

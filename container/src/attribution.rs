//! The authors of changes to files. A change belongs to the open call, if only one was open. Some agents report their
//! changes themselves, and each change is reported once. The module is pure: the time comes in.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;
use townwatch_protocol::event::{EventData, FileChanged, ToolCategory};

/// The time by which a call's result or its change may be early, 150 ms. The result comes by a pipe and the change by
/// another way.
const SLACK: Duration = Duration::from_millis(150);
/// The time within which a change counts as the same if both sides report it, 30 s. OpenCode reports its changes only
/// after each step of its model.
const TOLD_AGAIN: Duration = Duration::from_secs(30);
/// Calls that are remembered, 256; the oldest go.
const CALLS_MAX: usize = 256;
/// Paths that are remembered for each side, 4,096. With one more all of them are forgotten, and a change may be
/// reported twice.
const PATHS_MAX: usize = 4_096;

/// The calls and changes of one run, as the agent and the watch report them.
#[derive(Debug, Default)]
pub(crate) struct Attribution {
    calls: VecDeque<ObservedCall>,
    /// The changes that the agent has reported, with their times.
    by_agent: HashMap<String, Instant>,
    /// The changes that the watch has reported, with their times.
    by_watcher: HashMap<String, Instant>,
}

#[derive(Debug)]
struct ObservedCall {
    tool_use_id: String,
    opened: Instant,
    closed: Option<Instant>,
}

impl Attribution {
    /// Takes an event of the agent; false for a change that was reported already.
    pub(crate) fn says(&mut self, event: &EventData, now: Instant) -> bool {
        match event {
            EventData::ToolCall(call)
                if matches!(call.category, ToolCategory::Edit | ToolCategory::Write | ToolCategory::Bash) =>
            {
                if self.calls.len() >= CALLS_MAX {
                    self.calls.pop_front();
                }
                self.calls.push_back(ObservedCall { tool_use_id: call.tool_use_id.clone(), opened: now, closed: None });
            }
            EventData::ToolResult(result) => {
                for call in self.calls.iter_mut().filter(|call| call.tool_use_id == result.tool_use_id) {
                    call.closed.get_or_insert(now);
                }
                let done = |call: &ObservedCall| call.closed.is_some_and(|closed| now - closed > TOLD_AGAIN);
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

    /// Adds the call that made a change to a change that was seen between two moments; `None` for a change that the
    /// agent has reported itself.
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
        let open =
            |call: &&ObservedCall| call.opened <= to + SLACK && call.closed.is_none_or(|closed| closed + SLACK >= from);
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

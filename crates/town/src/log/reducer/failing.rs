//! The same call, failing again and again: an agent that does not get on.

use serde::{Deserialize, Serialize};
use townwatch_protocol::wire::FailingLoop;

use super::Snapshot;

/// The number of failures from which a loop is shown.
const FAILURES_SHOWN_MIN: u64 = 3;
/// The other calls in a row that count as other work. The failures before them are forgotten.
const OTHER_CALLS_MAX: u8 = 10;
/// Calls that fail are told apart, the latest of them; one more takes the place of the oldest.
const FAILING_MAX: usize = 4;

/// A call whose last outcome was a failure: stored as `[hash, failures, other calls since]`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Failing(u32, u64, u8);

impl Snapshot {
    /// A call begins: to all others that have failed it is other work.
    pub(super) fn count_other_work(&mut self, what: u32) {
        for Failing(failing, _, others) in &mut self.memory.failing {
            *others = if *failing == what { 0 } else { *others + 1 };
        }
        self.memory.failing.retain(|failing| failing.2 < OTHER_CALLS_MAX);
        self.forget_loop();
    }

    /// A call ended well or badly.
    pub(super) fn count_outcome(&mut self, what: u32, success: bool, summary: &str) {
        let failing = &mut self.memory.failing;
        let known = failing.iter().position(|failing| failing.0 == what).map(|index| failing.remove(index));
        if !success {
            if failing.len() == FAILING_MAX {
                failing.remove(0);
            }
            let count = known.map_or(0, |failing| failing.1) + 1;
            failing.push(Failing(what, count, 0));
            if count >= FAILURES_SHOWN_MIN {
                self.memory.shown_loop = Some(what);
                self.state.failing_loop = Some(FailingLoop { summary: summary.to_owned(), count });
            }
        }
        self.forget_loop();
    }

    /// Ends the shown loop.
    fn forget_loop(&mut self) {
        let memory = &mut self.memory;
        if memory.shown_loop.is_some_and(|shown| memory.failing.iter().all(|failing| failing.0 != shown)) {
            memory.shown_loop = None;
            self.state.failing_loop = None;
        }
    }
}

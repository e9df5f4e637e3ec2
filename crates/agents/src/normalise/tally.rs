//! Tokens of one run, from totals of threads.
//!
//! A program reports the total of a thread so far. A run can continue a thread of an earlier run, whose tokens the
//! total includes. One stream can have several threads, or one thread from several processes, which continue the count
//! or begin again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use townwatch_protocol::event::AgentUsage;

/// Threads of one run that are counted separately. The tokens of older ones stay in the sum.
const THREADS_MAX: usize = 64;
/// Threads of earlier runs that are kept.
const REMEMBERED_MAX: usize = 1_000;

/// Tokens, with those of the cache separate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tokens {
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) cache_read: Option<u64>,
    pub(super) cache_creation: Option<u64>,
}

impl Tokens {
    /// Whether no count is lower than in `earlier`, so that this may be the same total at a later time.
    fn continues(&self, earlier: &Self) -> bool {
        let parts = |tokens: &Self| {
            [tokens.input, tokens.output, tokens.cache_read.unwrap_or(0), tokens.cache_creation.unwrap_or(0)]
        };
        parts(self).iter().zip(parts(earlier)).all(|(now, before)| *now >= before)
    }

    fn with(self, other: Self, each: fn(u64, u64) -> u64) -> Self {
        let maybe = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(each(a.unwrap_or(0), b.unwrap_or(0))),
        };
        Self {
            input: each(self.input, other.input),
            output: each(self.output, other.output),
            cache_read: maybe(self.cache_read, other.cache_read),
            cache_creation: maybe(self.cache_creation, other.cache_creation),
        }
    }

    /// The sum of both.
    pub(super) fn plus(self, other: Self) -> Self {
        self.with(other, u64::saturating_add)
    }

    /// The event with a run's total.
    pub(super) fn of_run(self, message_id: String) -> AgentUsage {
        AgentUsage {
            message_id,
            input_tokens: self.input,
            output_tokens: self.output,
            cache_read_input_tokens: self.cache_read,
            cache_creation_input_tokens: self.cache_creation,
            cost_usd: None,
            cumulative: true,
            parent_tool_use_id: None,
        }
    }
}

/// The totals of threads, shared by all runs of a town.
#[derive(Debug, Clone, Default)]
pub struct Threads(Arc<Mutex<Vec<(String, Tokens)>>>);

impl Threads {
    /// The totals from their JSON text.
    pub fn read(json: &str) -> Self {
        Self(Arc::new(Mutex::new(serde_json::from_str(json).unwrap_or_default())))
    }

    /// The totals as JSON text, for [`Threads::read`].
    pub fn write(&self) -> String {
        serde_json::to_string(&*self.0.lock().unwrap_or_else(PoisonError::into_inner)).unwrap_or_default()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn find(&self, thread: &str) -> Option<Tokens> {
        let threads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        threads.iter().find(|(known, _)| known == thread).map(|(_, tokens)| *tokens)
    }

    fn set(&self, thread: &str, tokens: Tokens) {
        let mut threads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|(known, _)| known != thread);
        if threads.len() >= REMEMBERED_MAX {
            threads.remove(0);
        }
        threads.push((thread.to_owned(), tokens));
    }
}

/// The tokens of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// The tokens of threads that are no longer separate, and of counts that have begun again.
    past: Tokens,
    threads: BTreeMap<String, ThreadCount>,
    earlier: Threads,
}

/// The count of one thread: its total when the run began, and now.
#[derive(Debug, Clone, Copy)]
struct ThreadCount {
    before: Tokens,
    now: Tokens,
}

impl ThreadCount {
    fn of_run(&self) -> Tokens {
        self.now.with(self.before, u64::saturating_sub)
    }
}

impl Tally {
    /// Takes the totals of earlier runs, and shares those of this run with later ones.
    pub(super) fn remember(&mut self, threads: &Threads) {
        self.earlier = threads.clone();
    }

    /// Notes the total of a thread, and gives the total of the run.
    pub(super) fn total(&mut self, thread: &str, total: Tokens) -> Tokens {
        let known = self.threads.get(thread).copied();
        let count = known.unwrap_or_else(|| {
            // The very same total again is a repeat of what was printed, not a turn that took nothing.
            let earlier = self.earlier.find(thread).filter(|earlier| total.continues(earlier) && total != *earlier);
            let before = earlier.unwrap_or_default();
            ThreadCount { before, now: before }
        });
        let count = if total.continues(&count.now) {
            ThreadCount { now: total, ..count }
        } else {
            self.past = self.past.plus(count.of_run());
            ThreadCount { before: Tokens::default(), now: total }
        };
        if known.is_none()
            && self.threads.len() >= THREADS_MAX
            && let Some((_, gone)) = self.threads.pop_first()
        {
            self.past = self.past.plus(gone.of_run());
        }
        self.threads.insert(thread.to_owned(), count);
        self.earlier.set(thread, total);
        self.threads.values().fold(self.past, |sum, count| sum.plus(count.of_run()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(input: u64, output: u64) -> Tokens {
        Tokens { input, output, cache_read: Some(input / 2), cache_creation: None }
    }

    #[test]
    fn a_thread_that_goes_on_counts_only_what_is_new() {
        let threads = Threads::default();
        let run = |totals: &[Tokens]| {
            let mut tally = Tally::default();
            tally.remember(&threads);
            totals.iter().map(|total| tally.total("t", *total)).collect::<Vec<_>>()
        };
        assert_eq!(run(&[tokens(100, 10), tokens(300, 30)]), [tokens(100, 10), tokens(300, 30)]);
        assert_eq!(run(&[tokens(500, 40), tokens(600, 41)]), [tokens(200, 10), tokens(300, 11)]);
        // Printed once more, as a recording is.
        assert_eq!(run(&[tokens(600, 41)]), [tokens(600, 41)]);
        // Another one of this name, or one that was set back.
        assert_eq!(run(&[tokens(50, 5)]), [tokens(50, 5)]);
        let read = Threads::read(&threads.write());
        assert_eq!(read.find("t"), Some(tokens(50, 5)));
        assert_eq!(Threads::read("no JSON").find("t"), None);
    }

    #[test]
    fn several_threads_of_a_run_are_added() {
        let mut tally = Tally::default();
        assert_eq!(tally.total("a", tokens(100, 1)), tokens(100, 1));
        assert_eq!(tally.total("b", tokens(10, 1)), tokens(110, 2));
        assert_eq!(tally.total("b", tokens(30, 2)), tokens(130, 3));
        // The same thread in a process that counts anew.
        assert_eq!(tally.total("a", tokens(20, 1)), tokens(150, 4));
        for number in 0..1000_u64 {
            tally.total(&format!("t{number}"), tokens(2, 1));
            assert!(tally.threads.len() <= THREADS_MAX);
        }
        assert_eq!(tally.total("last", tokens(0, 0)), tokens(150 + 2 * 1000, 4 + 1000));
    }
}

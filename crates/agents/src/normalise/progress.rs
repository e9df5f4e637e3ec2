//! The progress of a run, from its to-do list and its tool calls. The agent and each sub-agent have their own, because
//! a sub-agent's list says nothing about the whole.

use townwatch_protocol::event::{ProgressUpdate, Todo, TodoStatus};
use townwatch_protocol::limits::STATE_TODOS_MAX;
use townwatch_protocol::time::Timestamp;

/// The calls between two reports of progress, for an author without a to-do list.
const CALLS_A_STEP: u64 = 10;
/// Sub-agents whose progress is kept. Beyond it the oldest is forgotten, and begins again if it continues.
const SUB_AGENTS_MAX: usize = 64;
/// The least progress, in percent, from which the rest is estimated.
const ESTIMATE_PERCENTAGE_MIN: f64 = 10.0;

/// The progress of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    clock: WorkClock,
    own: AuthorProgress,
    /// The sub-agents by the call that each works for, the oldest first.
    sub_agents: Vec<(String, AuthorProgress)>,
}

/// The progress of the agent itself, or of one sub-agent.
#[derive(Debug, Clone, Default)]
struct AuthorProgress {
    /// The run's time at work when the author began.
    began_ms: u64,
    calls: u64,
    phase: String,
    percentage: Option<f64>,
    todos: Option<Vec<Todo>>,
}

/// A counter of the time at work: from the first line on, without the time between two turns.
#[derive(Debug, Clone, Copy, Default)]
struct WorkClock {
    began: bool,
    worked_ms: u64,
    /// The time since which the agent is at work, if it is.
    since: Option<Timestamp>,
}

impl WorkClock {
    fn worked_ms(&self, at: Timestamp) -> u64 {
        self.worked_ms.saturating_add(self.since.map_or(0, |since| at.millis_since(since)))
    }
}

impl Progress {
    /// Starts the clock, at the first line.
    pub(super) fn seen(&mut self, at: Timestamp) {
        if !std::mem::replace(&mut self.clock.began, true) {
            self.clock.since = Some(at);
        }
    }

    /// Stops the clock, because nothing is done until the next message.
    pub(super) fn turn_ended(&mut self, at: Timestamp) {
        self.clock.worked_ms = self.clock.worked_ms(at);
        self.clock.since = None;
    }

    /// Starts the clock again.
    pub(super) fn turn_began(&mut self, at: Timestamp) {
        self.clock.began = true;
        self.clock.since.get_or_insert(at);
    }

    /// Counts a call of the agent itself, or of the sub-agent of the call `author`.
    pub(super) fn call(&mut self, author: Option<&str>, summary: &str, at: Timestamp) -> Option<ProgressUpdate> {
        let caller = self.author(author, at);
        caller.calls += 1;
        summary.clone_into(&mut caller.phase);
        caller.calls.is_multiple_of(CALLS_A_STEP).then(|| self.update(author, at))
    }

    /// Takes a new to-do list of an author.
    pub(super) fn todos(
        &mut self,
        author: Option<&str>,
        mut todos: Vec<Todo>,
        at: Timestamp,
    ) -> Option<ProgressUpdate> {
        todos.truncate(STATE_TODOS_MAX);
        let same = |old: &Vec<Todo>| {
            old.len() == todos.len()
                && old.iter().zip(&todos).all(|(a, b)| a.content == b.content && a.status == b.status)
        };
        let writer = self.author(author, at);
        if writer.todos.as_ref().is_some_and(same) {
            return None;
        }
        let done = todos.iter().filter(|todo| todo.status == TodoStatus::Completed).count();
        if !todos.is_empty() {
            // All done is not the end yet, and a longer list must not take back what was said.
            #[allow(clippy::cast_precision_loss)] // at most 100
            let percentage = (100.0 * done as f64 / todos.len() as f64).floor().min(99.0);
            writer.percentage = Some(writer.percentage.map_or(percentage, |before| before.max(percentage)));
        }
        if let Some(doing) = todos.iter().find(|todo| todo.status == TodoStatus::InProgress) {
            doing.content.clone_into(&mut writer.phase);
        }
        writer.todos = Some(todos);
        Some(self.update(author, at))
    }

    /// The progress of a run that has ended successfully.
    pub(super) fn done(&mut self, at: Timestamp) -> ProgressUpdate {
        self.own.percentage = Some(100.0);
        "Done".clone_into(&mut self.own.phase);
        self.update(None, at)
    }

    fn author(&mut self, author: Option<&str>, at: Timestamp) -> &mut AuthorProgress {
        let Some(name) = author else { return &mut self.own };
        let index = self.sub_agents.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            if self.sub_agents.len() >= SUB_AGENTS_MAX {
                self.sub_agents.remove(0);
            }
            let began_ms = self.clock.worked_ms(at);
            self.sub_agents.push((name.to_owned(), AuthorProgress { began_ms, ..AuthorProgress::default() }));
            self.sub_agents.len() - 1
        });
        &mut self.sub_agents[index].1
    }

    fn update(&mut self, author: Option<&str>, at: Timestamp) -> ProgressUpdate {
        let worked_ms = self.clock.worked_ms(at);
        let of = self.author(author, at);
        ProgressUpdate {
            percentage: of.percentage,
            current_phase: of.phase.clone(),
            tool_call_count: of.calls,
            elapsed_seconds: worked_ms / 1000,
            estimated_remaining_seconds: of
                .percentage
                .and_then(|done| remaining_seconds(done, worked_ms.saturating_sub(of.began_ms))),
            todos: of.todos.clone(),
            parent_tool_use_id: author.map(str::to_owned),
        }
    }
}

/// The estimate of the remaining time, at the same speed; none for an author that is done.
fn remaining_seconds(percentage: f64, worked_ms: u64) -> Option<u64> {
    if percentage <= ESTIMATE_PERCENTAGE_MIN || percentage >= 100.0 {
        return None;
    }
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a rough number
    let seconds = (worked_ms as f64 / 1000.0 * (100.0 - percentage) / percentage).round() as u64;
    Some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(done: usize, all: usize) -> Vec<Todo> {
        let status = |index| if index < done { TodoStatus::Completed } else { TodoStatus::Pending };
        (0..all).map(|index| Todo { content: index.to_string(), status: status(index) }).collect()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn the_percentage_never_falls_and_is_100_only_at_the_end() {
        let mut progress = Progress::default();
        let mut told = |done, all| progress.todos(None, list(done, all), at(0)).map(|update| update.percentage);
        assert_eq!(told(0, 0), Some(None));
        assert_eq!(told(1, 2), Some(Some(50.0)));
        assert_eq!(told(1, 2), None);
        assert_eq!(told(1, 4), Some(Some(50.0)));
        assert_eq!(told(4, 4), Some(Some(99.0)));
        assert_eq!(progress.done(at(0)).percentage, Some(100.0));
    }

    #[test]
    fn time_between_turns_is_no_work() {
        let mut progress = Progress::default();
        progress.seen(at(10));
        progress.turn_ended(at(15));
        progress.turn_ended(at(16));
        progress.seen(at(100));
        assert_eq!(progress.todos(None, list(0, 1), at(200)).unwrap().elapsed_seconds, 5);
        progress.turn_began(at(300));
        progress.turn_began(at(305));
        assert_eq!(progress.done(at(310)).elapsed_seconds, 15);
    }

    #[test]
    fn the_rest_is_estimated_once_more_than_a_tenth_is_done() {
        let mut progress = Progress::default();
        progress.seen(at(0));
        let mut rest = |done, all, seconds| {
            progress.todos(None, list(done, all), at(seconds)).unwrap().estimated_remaining_seconds
        };
        assert_eq!(rest(1, 10, 10), None);
        assert_eq!(rest(1, 5, 20), Some(80));
        assert_eq!(rest(3, 4, 60), Some(20));
        assert_eq!(progress.done(at(70)).estimated_remaining_seconds, None);
    }

    #[test]
    fn each_author_has_its_own() {
        let mut progress = Progress::default();
        progress.seen(at(0));
        progress.todos(None, list(1, 2), at(10));
        progress.call(Some("sub"), "Reading a", at(100));
        let sub = progress.todos(Some("sub"), list(1, 4), at(110)).unwrap();
        assert_eq!((sub.percentage, sub.tool_call_count, sub.todos.unwrap().len()), (Some(25.0), 1, 4));
        assert_eq!((sub.parent_tool_use_id.as_deref(), sub.estimated_remaining_seconds), (Some("sub"), Some(30)));
        let own = progress.done(at(120));
        assert_eq!((own.tool_call_count, own.todos.unwrap().len(), own.parent_tool_use_id), (0, 2, None));
        for number in 0..1000 {
            progress.call(Some(&number.to_string()), "x", at(130));
            assert!(progress.sub_agents.len() <= SUB_AGENTS_MAX);
        }
    }
}

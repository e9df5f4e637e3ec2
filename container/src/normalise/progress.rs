//! How far a run is, as far as its agent lets that be seen: by its to-do list and its tool calls.

use townwatch::event::{ProgressUpdate, Todo, TodoStatus};
use townwatch::limits::STATE_TODOS_MAX;
use townwatch::time::Timestamp;

/// A run without a to-do list tells its progress at every so many calls.
const CALLS_A_STEP: u64 = 10;

/// The progress of one run.
#[derive(Debug, Default, Clone)]
pub(super) struct Progress {
    began: Option<Timestamp>,
    calls: u64,
    phase: String,
    percentage: Option<f64>,
    todos: Option<Vec<Todo>>,
}

impl Progress {
    /// The first line starts the clock.
    pub(super) fn seen(&mut self, at: Timestamp) {
        self.began.get_or_insert(at);
    }

    /// A tool was called; whether it is a sub-agent's or not, it is work done.
    pub(super) fn call(&mut self, summary: &str, at: Timestamp) -> Option<ProgressUpdate> {
        self.calls += 1;
        summary.clone_into(&mut self.phase);
        self.calls.is_multiple_of(CALLS_A_STEP).then(|| self.update(at))
    }

    /// The agent wrote its to-do list.
    pub(super) fn todos(&mut self, mut todos: Vec<Todo>, at: Timestamp) -> Option<ProgressUpdate> {
        todos.truncate(STATE_TODOS_MAX);
        let same = |old: &Vec<Todo>| {
            old.len() == todos.len()
                && old.iter().zip(&todos).all(|(a, b)| a.content == b.content && a.status == b.status)
        };
        if self.todos.as_ref().is_some_and(same) {
            return None;
        }
        let done = todos.iter().filter(|todo| todo.status == TodoStatus::Completed).count();
        if !todos.is_empty() {
            // All done is not the end yet, and a longer list must not take back what was said.
            #[allow(clippy::cast_precision_loss)] // at most 100
            let percentage = (100.0 * done as f64 / todos.len() as f64).floor().min(99.0);
            self.percentage = Some(self.percentage.map_or(percentage, |before| before.max(percentage)));
        }
        if let Some(doing) = todos.iter().find(|todo| todo.status == TodoStatus::InProgress) {
            doing.content.clone_into(&mut self.phase);
        }
        self.todos = Some(todos);
        Some(self.update(at))
    }

    /// The run has ended successfully.
    pub(super) fn done(&mut self, at: Timestamp) -> ProgressUpdate {
        self.percentage = Some(100.0);
        "Done".clone_into(&mut self.phase);
        self.update(at)
    }

    fn update(&self, at: Timestamp) -> ProgressUpdate {
        ProgressUpdate {
            percentage: self.percentage,
            current_phase: self.phase.clone(),
            tool_call_count: self.calls,
            elapsed_seconds: self.began.map_or(0, |began| at.millis_since(began) / 1000),
            estimated_remaining_seconds: None,
            todos: self.todos.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentage_never_falls_and_is_100_only_at_the_end() {
        let mut progress = Progress::default();
        let at = Timestamp::from_millis(0);
        let list = |done: usize, all: usize| {
            let status = |index| if index < done { TodoStatus::Completed } else { TodoStatus::Pending };
            (0..all).map(|index| Todo { content: index.to_string(), status: status(index) }).collect::<Vec<_>>()
        };
        let mut told = |done, all| progress.todos(list(done, all), at).map(|update| update.percentage);
        assert_eq!(told(0, 0), Some(None));
        assert_eq!(told(1, 2), Some(Some(50.0)));
        assert_eq!(told(1, 2), None);
        assert_eq!(told(1, 4), Some(Some(50.0)));
        assert_eq!(told(4, 4), Some(Some(99.0)));
        assert_eq!(progress.done(at).percentage, Some(100.0));
    }
}

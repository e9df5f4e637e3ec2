//! Work in the background: commands and sub-agents.
//!
//! Many lines report it. Its beginning is in `task_started`, in the list of `background_tasks_changed` and in the
//! result of its call. Its end is in `task_updated`, in `task_notification`, in a list without it and in the words of
//! `TaskOutput`. Beginning and end become one event each. The notification has the most details, so an end from another
//! source waits for it until the next turn begins or ends.

use townwatch_protocol::event::{AgentTaskEnded, AgentTaskStarted, EventData, TaskKind, TaskOutcome};

use crate::normalise::recent::Recent;
use crate::normalise::wire::{System, TaskHead};
use crate::summary;

/// Tasks that are followed at once, 256. Beyond it the oldest is forgotten, and ends with its run.
const OPEN_MAX: usize = 256;
/// The longest id of a task. The program makes none that is longer.
const NAME_BYTES_MAX: usize = 256;
/// The summary of a task whose end no line has described.
const ENDED_UNTOLD: &str = "It runs no more; how it ended was not said";

/// The tasks of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Tasks {
    /// The oldest first.
    open: Vec<Task>,
    ended: Recent<()>,
    /// The new tasks of the last list. Their own lines, which have the call, follow directly.
    new: Vec<TaskStart>,
}

#[derive(Debug, Clone)]
struct Task {
    id: String,
    tool_use_id: Option<String>,
    /// Whether the task runs in the background and was reported. A command that its call waits for is no task for a
    /// person.
    told: bool,
    /// The end of the task, as far as another source has shown it.
    ends: Option<TaskEnd>,
}

/// The end of a task.
#[derive(Debug, Clone, Default)]
pub(super) struct TaskEnd {
    pub(super) outcome: Option<TaskOutcome>,
    pub(super) summary: Option<String>,
    pub(super) exit_code: Option<i32>,
}

/// The known facts about a task that began.
#[derive(Debug, Clone, Default)]
pub(super) struct TaskStart {
    pub(super) id: String,
    pub(super) kind: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tool_use_id: Option<String>,
    pub(super) parent_tool_use_id: Option<String>,
}

impl Tasks {
    /// The number of tasks at work.
    pub(super) fn running(&self) -> usize {
        self.new.len() + self.open.iter().filter(|task| task.told && task.ends.is_none()).count()
    }

    /// Whether a task is reported as open.
    pub(super) fn is_open(&self, id: &str) -> bool {
        self.open.iter().any(|task| task.told && task.id == id)
    }

    /// Reads `task_started`.
    pub(super) fn started(&mut self, system: System, parent: Option<String>) -> Option<EventData> {
        let begun = TaskStart {
            id: system.task_id?,
            kind: system.task_type,
            description: system.description,
            tool_use_id: system.tool_use_id,
            parent_tool_use_id: parent,
        };
        let listed = self.new.iter().position(|new| new.id == begun.id).map(|index| self.new.remove(index));
        if system.is_backgrounded != Some(false) || listed.is_some() {
            self.ended.remove(&begun.id); // an agent that had ended was told something more
            return self.begun(begun);
        }
        if !self.ended.contains(&begun.id) && begun.id.len() <= NAME_BYTES_MAX {
            self.know(&begun.id, begun.tool_use_id);
        }
        None
    }

    /// The event of a task that runs in the background.
    pub(super) fn begun(&mut self, begun: TaskStart) -> Option<EventData> {
        if begun.id.is_empty() || begun.id.len() > NAME_BYTES_MAX || self.ended.contains(&begun.id) {
            return None;
        }
        let task = self.know(&begun.id, begun.tool_use_id);
        if std::mem::replace(&mut task.told, true) {
            return None;
        }
        let kind = match begun.kind.as_deref().unwrap_or_default() {
            kind if kind.contains("bash") || kind.contains("shell") => TaskKind::Command,
            kind if kind.contains("agent") || kind.contains("teammate") => TaskKind::Agent,
            _ => TaskKind::Other,
        };
        let description = begun.description.filter(|text| !text.is_empty());
        Some(
            AgentTaskStarted {
                task_id: begun.id,
                kind,
                description: summary::line(&description.unwrap_or_else(|| "Work in the background".to_owned())),
                tool_use_id: task.tool_use_id.clone(),
                parent_tool_use_id: begun.parent_tool_use_id,
            }
            .into(),
        )
    }

    /// Reads `background_tasks_changed`, the list of all tasks in the background.
    pub(super) fn listed(&mut self, heads: Vec<TaskHead>) {
        let is_listed = |id: &str| heads.iter().any(|head| head.task_id.as_deref() == Some(id));
        for task in self.open.iter_mut().filter(|task| task.told && !is_listed(&task.id)) {
            task.ends.get_or_insert_default();
        }
        let begun = heads.into_iter().filter_map(|head| {
            Some(TaskStart {
                id: head.task_id.filter(|id| id.len() <= NAME_BYTES_MAX)?,
                kind: head.task_type,
                description: head.description.map(|text| summary::line(&text)),
                tool_use_id: head.tool_use_id.filter(|id| id.len() <= NAME_BYTES_MAX),
                parent_tool_use_id: None,
            })
        });
        let begun = begun.filter(|begun| !self.is_open(&begun.id) && !self.ended.contains(&begun.id));
        self.new = begun.take(OPEN_MAX).collect();
    }

    /// The events of listed tasks whose own line did not follow.
    pub(super) fn only_listed(&mut self) -> Vec<EventData> {
        std::mem::take(&mut self.new).into_iter().filter_map(|begun| self.begun(begun)).collect()
    }

    /// Reads `task_updated`: the task moves to the background, or ends.
    pub(super) fn updated(&mut self, system: System) -> Option<EventData> {
        let (id, patch) = (system.task_id?, system.patch?);
        let begun = match patch.is_backgrounded {
            Some(true) => {
                let (kind, description) = (system.task_type, system.description);
                self.begun(TaskStart { id: id.clone(), kind, description, ..TaskStart::default() })
            }
            _ => None,
        };
        let outcome = patch.status.as_deref().and_then(outcome);
        if let Some(task) = self.open.iter_mut().find(|task| task.id == id).filter(|_| outcome.is_some()) {
            task.ends = Some(TaskEnd { outcome, summary: None, exit_code: patch.exit_code });
        }
        begun
    }

    /// The event of a task's end.
    pub(super) fn ended(&mut self, id: &str, tool_use_id: Option<String>, end: TaskEnd) -> Option<EventData> {
        let known = self.open.iter().position(|task| task.id == id).map(|index| self.open.remove(index));
        if known.as_ref().is_some_and(|task| !task.told) || !self.ended.insert(id, ()) {
            return None; // its call waited for it, or its end was told
        }
        let hinted = known.as_ref().and_then(|task| task.ends.clone()).unwrap_or_default();
        let exit_code = end.exit_code.or(hinted.exit_code).or_else(|| exit_code_in(end.summary.as_deref()?));
        let told = end.outcome.or(hinted.outcome);
        let outcome = match exit_code {
            Some(code) if code != 0 && told != Some(TaskOutcome::Stopped) => TaskOutcome::Failed,
            _ => told.unwrap_or(TaskOutcome::Stopped),
        };
        let unsaid = || told.is_none().then(|| ENDED_UNTOLD.to_owned());
        let summary = end.summary.filter(|text| !text.is_empty()).or_else(unsaid);
        let tool_use_id = tool_use_id.or_else(|| known.and_then(|task| task.tool_use_id));
        Some(AgentTaskEnded { task_id: id.to_owned(), outcome, summary, exit_code, tool_use_id }.into())
    }

    /// The events of ends that have waited for a notification, at the beginning or end of a turn.
    pub(super) fn settle(&mut self) -> Vec<EventData> {
        self.settle_where(|end| end.is_some())
    }

    /// The events at the end of the run, with which all tasks end.
    pub(super) fn end(&mut self) -> Vec<EventData> {
        let mut events = self.only_listed();
        events.extend(self.settle_where(|end| end.is_some_and(|end| end.outcome.is_some())));
        events
    }

    fn settle_where(&mut self, is_due: impl Fn(Option<&TaskEnd>) -> bool) -> Vec<EventData> {
        let due = self.open.iter().filter(|task| is_due(task.ends.as_ref()));
        let due: Vec<String> = due.map(|task| task.id.clone()).collect();
        due.iter().filter_map(|id| self.ended(id, None, TaskEnd::default())).collect()
    }

    fn know(&mut self, id: &str, tool_use_id: Option<String>) -> &mut Task {
        let index = self.open.iter().position(|task| task.id == id).unwrap_or_else(|| {
            if self.open.len() >= OPEN_MAX {
                self.open.remove(0);
            }
            self.open.push(Task { id: id.to_owned(), tool_use_id: None, told: false, ends: None });
            self.open.len() - 1
        });
        let task = &mut self.open[index];
        task.tool_use_id = task.tool_use_id.take().or(tool_use_id.filter(|id| id.len() <= NAME_BYTES_MAX));
        task
    }
}

/// The outcome for the program's status word; `None` for a running task.
pub(super) fn outcome(status: &str) -> Option<TaskOutcome> {
    match status {
        "completed" | "success" => Some(TaskOutcome::Completed),
        "failed" | "error" | "timeout" | "timed_out" => Some(TaskOutcome::Failed),
        "stopped" | "killed" | "cancelled" | "canceled" | "aborted" => Some(TaskOutcome::Stopped),
        _ => None,
    }
}

/// The exit code in `Background command "Deploy" failed with exit code 1`. The command's own text may contain such
/// words, too, so the last match counts.
pub(super) fn exit_code_in(text: &str) -> Option<i32> {
    let (_, rest) = text.rsplit_once("exit code").or_else(|| text.rsplit_once("exited with code"))?;
    let rest = rest.trim_start_matches([' ', ':']);
    let end = rest.find(|character: char| !(character.is_ascii_digit() || character == '-')).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// The text between `<name>` and `</name>`.
pub(super) fn tagged<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    fn told(events: impl IntoIterator<Item = EventData>) -> Vec<String> {
        events.into_iter().map(|event| format!("{} {}", event.name(), event.to_raw().get())).collect()
    }

    fn system(json: &str) -> System {
        read(json).unwrap()
    }

    fn end(tasks: &mut Tasks, id: &str, status: &str, summary: &str) -> Vec<String> {
        let end = TaskEnd { outcome: outcome(status), summary: Some(summary.into()), exit_code: None };
        told(tasks.ended(id, None, end))
    }

    const STARTED: &str = r#"{"task_id":"b","tool_use_id":"t","task_type":"local_bash","description":"Deploy"}"#;

    #[test]
    fn a_task_begins_once_and_ends_once_however_often_it_is_told() {
        let mut tasks = Tasks::default();
        let began = r#"agent_task_started {"task_id":"b","kind":"command","description":"Deploy","tool_use_id":"t"}"#;
        assert_eq!(told(tasks.started(system(STARTED), None)), [began]);
        assert_eq!(told(tasks.started(system(STARTED), None)), [""; 0]);
        let list = || system(&format!(r#"{{"tasks":[{STARTED}]}}"#)).tasks.unwrap();
        tasks.listed(list());
        assert_eq!((told(tasks.only_listed()), tasks.running()), (vec![], 1));
        tasks.listed(Vec::new());
        assert_eq!((told(tasks.only_listed()), tasks.running()), (vec![], 0));
        let said = r#"Background command "Deploy" failed with exit code 3"#;
        let ended = r#"agent_task_ended {"task_id":"b","outcome":"failed","summary":"Background command \"Deploy\" failed with exit code 3","exit_code":3,"tool_use_id":"t"}"#;
        assert_eq!(end(&mut tasks, "b", "failed", said), [ended]);
        assert_eq!(end(&mut tasks, "b", "failed", said), [""; 0]);
        tasks.listed(list());
        assert_eq!((told(tasks.only_listed()), tasks.settle().len(), tasks.end().len()), (vec![], 0, 0));
        assert_eq!(told(tasks.started(system(STARTED), None)), [began], "it was begun anew");
    }

    #[test]
    fn a_task_that_is_listed_before_its_own_line_begins_with_that() {
        let mut tasks = Tasks::default();
        let list = || system(r#"{"tasks":[{"task_id":"b","task_type":"local_bash"}]}"#).tasks.unwrap();
        tasks.listed(list());
        assert_eq!(tasks.running(), 1);
        assert!(told(tasks.started(system(STARTED), None))[0].contains(r#""tool_use_id":"t""#));
        assert_eq!((told(tasks.only_listed()), tasks.running()), (vec![], 1));
        let mut tasks = Tasks::default();
        tasks.listed(list());
        assert_eq!((told(tasks.only_listed()).len(), tasks.running()), (1, 1));
    }

    #[test]
    fn an_end_that_is_only_hinted_at_is_told_with_the_next_turn() {
        let mut tasks = Tasks::default();
        tasks.started(system(STARTED), None);
        tasks.updated(system(r#"{"task_id":"b","patch":{"status":"completed","exit_code":0}}"#));
        let ended = r#"agent_task_ended {"task_id":"b","outcome":"completed","exit_code":0,"tool_use_id":"t"}"#;
        assert_eq!(told(tasks.settle()), [ended]);
        tasks.started(system(STARTED), None);
        tasks.listed(Vec::new());
        assert_eq!(told(tasks.end()), [""; 0], "the run's end says it");
        assert!(told(tasks.settle())[0].contains("how it ended was not said"));
    }

    #[test]
    fn what_its_call_waits_for_is_no_task_until_it_is_left_running() {
        let mut tasks = Tasks::default();
        let waited = |id| system(&format!(r#"{{"task_id":"{id}","task_type":"local_agent","is_backgrounded":false}}"#));
        assert_eq!(told(tasks.started(waited("a"), None)), [""; 0]);
        assert_eq!((end(&mut tasks, "a", "completed", ""), tasks.running()), (vec![], 0));
        tasks.started(waited("c"), None);
        let left = system(r#"{"task_id":"c","task_type":"local_agent","patch":{"is_backgrounded":true}}"#);
        assert_eq!((told(tasks.updated(left)).len(), tasks.running()), (1, 1));
    }

    #[test]
    fn a_code_is_read_out_of_words() {
        let cases = [
            ("failed with exit code 1", Some(1)),
            ("completed (exit code 0)", Some(0)),
            ("echo exit code 7: exit code: -9", Some(-9)),
            ("Process exited with code 137.", Some(137)),
            ("exit code unknown", None),
            ("done", None),
        ];
        for (text, code) in cases {
            assert_eq!(exit_code_in(text), code, "{text}");
        }
    }

    #[test]
    fn what_is_followed_is_bounded() {
        let mut tasks = Tasks::default();
        for number in 0..10_000 {
            tasks.begun(TaskStart { id: number.to_string(), ..TaskStart::default() });
        }
        assert_eq!(tasks.running(), OPEN_MAX);
    }
}

//! To-do lists that are kept item by item: `TaskCreate` adds an item, whose number is in the result; `TaskUpdate`
//! changes it; `TaskList` gives all of them. Each author has its own list.

use serde::Deserialize;
use serde_json::value::RawValue;
use townwatch_protocol::event::{Todo, TodoStatus};

use crate::json::{if_readable, read};
use crate::normalise::fields::Fields;
use crate::normalise::wire::{Name, TaskPatch, ToolOutcome, lenient};
use crate::summary;

/// Items of one list. Further ones are ignored.
const ITEMS_MAX: usize = 500;
/// Lists, one for each author. Beyond it the oldest goes.
const LISTS_MAX: usize = 64;

lenient! {
    /// The input of `TaskCreate` and `TaskUpdate`.
    TaskInput {
        #[serde(rename = "taskId")] task_id: Name,
        subject: String,
        status: String,
    }
}

/// A change of the list by a call. It counts only after a successful result.
#[derive(Debug, Clone)]
pub(super) enum TodoChange {
    Create { subject: String },
    Update { id: String, subject: Option<String>, status: Option<String> },
    List,
}

/// The change by a call of this tool.
pub(super) fn change(tool: &str, input: &RawValue) -> Option<TodoChange> {
    let input = || read::<TaskInput>(input.get()).unwrap_or_default();
    let line = |text: String| summary::line(&text);
    match tool {
        "TaskCreate" => Some(TodoChange::Create { subject: line(input().subject.unwrap_or_default()) }),
        "TaskUpdate" => {
            let TaskInput { task_id, subject, status } = input();
            Some(TodoChange::Update { id: line(task_id?.0), subject: subject.map(line), status: status.map(line) })
        }
        "TaskList" => Some(TodoChange::List),
        _ => None,
    }
}

/// The lists of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct TodoLists {
    /// The lists by the call whose sub-agent keeps each; `None` for the agent itself. The oldest list first.
    lists: Vec<(Option<String>, Vec<Item>)>,
}

#[derive(Debug, Clone)]
struct Item {
    id: String,
    todo: Todo,
}

impl TodoLists {
    /// Applies the change of a successful call; gives the author and the list.
    pub(super) fn granted(
        &mut self,
        author: Option<&str>,
        change: &TodoChange,
        text: &str,
        outcome: &ToolOutcome,
    ) -> Option<(Option<String>, Vec<Todo>)> {
        match change {
            TodoChange::Create { subject } => {
                let said = outcome.task.as_ref().and_then(|task| task.id.clone()).map(|id| id.0);
                let id = said.or_else(|| number_in(text))?;
                self.set(author, &id, Some(subject), None);
            }
            TodoChange::Update { id, subject, status } => {
                // A sub-agent may change what its agent wrote.
                let own = self.has(author, id) || !self.has(None, id);
                let author = author.filter(|_| own);
                self.set(author, id, subject.as_deref(), status.as_deref());
                return Some((author.map(str::to_owned), self.todos(author)));
            }
            TodoChange::List => {
                let told = outcome.tasks.as_ref().map(|tasks| tasks.iter().filter_map(told).collect());
                let items: Vec<Item> = told.or_else(|| listed(text))?;
                let list = self.list(author);
                *list = items;
                list.truncate(ITEMS_MAX);
            }
        }
        Some((author.map(str::to_owned), self.todos(author)))
    }

    /// Takes the program's own report of item states, and gives the agent's list.
    pub(super) fn statuses(&mut self, told: &[Fields]) -> Vec<Todo> {
        for item in told {
            if let (Some(id), Some(status)) = (item.get::<Name>("id"), item.text("status")) {
                self.set(None, &summary::line(&id.0), None, Some(&status));
            }
        }
        self.todos(None)
    }

    fn has(&self, author: Option<&str>, id: &str) -> bool {
        let mut lists = self.lists.iter().filter(|(name, _)| name.as_deref() == author);
        lists.any(|(_, list)| list.iter().any(|item| item.id == id))
    }

    fn todos(&mut self, author: Option<&str>) -> Vec<Todo> {
        self.list(author).iter().map(|item| item.todo.clone()).collect()
    }

    fn set(&mut self, author: Option<&str>, id: &str, subject: Option<&str>, status: Option<&str>) {
        let list = self.list(author);
        if status == Some("deleted") {
            list.retain(|item| item.id != id);
            return;
        }
        let index = list.iter().position(|item| item.id == id);
        if index.is_none() && list.len() >= ITEMS_MAX {
            return;
        }
        let index = index.unwrap_or_else(|| {
            let (content, status) = (format!("Task #{id}"), TodoStatus::Pending);
            list.push(Item { id: id.to_owned(), todo: Todo { content: summary::line(&content), status } });
            list.len() - 1
        });
        let todo = &mut list[index].todo;
        if let Some(subject) = subject.filter(|subject| !subject.is_empty()) {
            todo.content = summary::line(subject);
        }
        todo.status = status.and_then(TodoStatus::parse).unwrap_or(todo.status);
    }

    fn list(&mut self, author: Option<&str>) -> &mut Vec<Item> {
        let index = self.lists.iter().position(|(name, _)| name.as_deref() == author).unwrap_or_else(|| {
            if self.lists.len() >= LISTS_MAX {
                self.lists.remove(0);
            }
            self.lists.push((author.map(str::to_owned), Vec::new()));
            self.lists.len() - 1
        });
        &mut self.lists[index].1
    }
}

/// The number in `Task #1 created successfully: Read the code`.
fn number_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('#')?;
    let id: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    (!id.is_empty()).then_some(id)
}

fn told(task: &TaskPatch) -> Option<Item> {
    let status = task.status.as_deref().unwrap_or("pending");
    item(task.id.clone()?.0, task.subject.as_deref()?, status)
}

/// The items of `TaskList`, each a line as `#1 [in_progress] Write the tests`. `None` if no line is an item and the
/// text does not say that there are none.
fn listed(text: &str) -> Option<Vec<Item>> {
    let line = |line: &str| {
        let (id, rest) = line.trim().strip_prefix('#')?.split_once(' ')?;
        let (status, subject) = rest.trim_start().strip_prefix('[')?.split_once(']')?;
        let subject = subject.split(" [blocked by ").next().unwrap_or(subject);
        item(id.trim_end_matches('.').to_owned(), subject, status)
    };
    let items: Vec<Item> = text.lines().filter_map(line).collect();
    (!items.is_empty() || text.starts_with("No tasks")).then_some(items)
}

fn item(id: String, subject: &str, status: &str) -> Option<Item> {
    let status = TodoStatus::parse(status)?;
    Some(Item { id, todo: Todo { content: summary::line(subject), status } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lists: &mut TodoLists, author: Option<&str>, tool: &str, input: &str, text: &str, data: &str) -> String {
        let change = change(tool, &RawValue::from_string(input.into()).unwrap()).unwrap();
        let outcome = read(data).unwrap_or_default();
        let Some((author, todos)) = lists.granted(author, &change, text, &outcome) else { return "nothing".into() };
        let todo = |todo: &Todo| format!("{} {}", todo.content, todo.status.as_str());
        format!("{author:?} {}", todos.iter().map(todo).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn a_list_is_kept_by_its_calls() {
        let mut lists = TodoLists::default();
        let mut of = |author: Option<&str>, tool: &str, input: &str, text: &str, data: &str| {
            told(&mut lists, author, tool, input, text, data)
        };
        let [made_1, made_7] = [1, 7].map(|number| format!("Task #{number} created successfully: x"));
        assert_eq!(of(None, "TaskCreate", r#"{"subject":"Read"}"#, &made_1, "{}"), "None Read pending");
        assert_eq!(
            of(None, "TaskCreate", r#"{"subject":"Write"}"#, "made", r#"{"task":{"id":2}}"#),
            "None Read pending, Write pending"
        );
        assert_eq!(of(Some("t"), "TaskCreate", r#"{"subject":"Own"}"#, &made_7, "{}"), r#"Some("t") Own pending"#);
        let done = r#"{"taskId":"1","status":"completed","subject":"Read it"}"#;
        assert_eq!(of(None, "TaskUpdate", done, "", "{}"), "None Read it completed, Write pending");
        let by_sub_agent = r#"{"taskId":2,"status":"in_progress"}"#;
        assert_eq!(of(Some("t"), "TaskUpdate", by_sub_agent, "", "{}"), "None Read it completed, Write in_progress");
        assert_eq!(of(None, "TaskUpdate", r#"{"taskId":"2","status":"deleted"}"#, "", "{}"), "None Read it completed");
        assert_eq!(
            of(None, "TaskUpdate", r#"{"taskId":"9","status":"completed"}"#, "", "{}"),
            "None Read it completed, Task #9 completed"
        );
        let text = "#1 [completed] Read it\n#3 [pending] Test [blocked by #1]";
        assert_eq!(of(None, "TaskList", "{}", text, ""), "None Read it completed, Test pending");
        let data = r#"{"tasks":[{"id":"4","subject":"New","status":"in_progress"}]}"#;
        assert_eq!(of(None, "TaskList", "{}", "", data), "None New in_progress");
        assert_eq!(of(None, "TaskList", "{}", "No tasks found", ""), "None ");
        assert_eq!(of(None, "TaskList", "{}", "what is this", ""), "nothing");
    }

    #[test]
    fn lists_are_bounded() {
        let mut lists = TodoLists::default();
        for number in 0..2_000 {
            let text = format!("Task #{number} created");
            told(&mut lists, None, "TaskCreate", r#"{"subject":"x"}"#, &text, "");
            told(&mut lists, Some(&number.to_string()), "TaskCreate", r#"{"subject":"x"}"#, &text, "");
        }
        assert!(lists.lists.len() <= LISTS_MAX && lists.lists.iter().all(|(_, list)| list.len() <= ITEMS_MAX));
    }
}

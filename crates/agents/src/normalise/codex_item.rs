//! Items of Codex that do something, in the words of the wire: each is a call with a result.

use serde_json::value::RawValue;
use townwatch_protocol::event::{AgentToolCall, FileAction, FileChanged, Todo, TodoStatus, ToolCategory};

use super::codex_agents;
use super::content::{self, Content};
use super::fields::Fields;
use crate::summary::{self, ToolInput};

/// Queries of one search that are reported; real searches have a few.
const QUERIES_MAX: usize = 20;

/// The call of an item of a known kind.
pub(super) fn call(kind: &str, id: String, item: &Fields, working_dir: Option<&str>) -> Option<AgentToolCall> {
    let text = |name: &str| item.text(name);
    let (tool, category, fields, input): (String, _, &[&str], _) = match kind {
        "command_execution" => {
            let command = text("command").map(|command| in_shell(&command));
            (kind.to_owned(), ToolCategory::Bash, &["command"], ToolInput { command, ..ToolInput::default() })
        }
        "web_search" => return Some(web_search(id, item)),
        "mcp_tool_call" => {
            let tool = format!("mcp__{}__{}", text("server").unwrap_or_default(), text("tool").unwrap_or_default());
            (tool, ToolCategory::Mcp, &["arguments"], ToolInput::default())
        }
        "collab_tool_call" => {
            let tool = text("tool").unwrap_or_else(|| kind.to_owned());
            let category = if tool == "spawn_agent" { ToolCategory::Task } else { ToolCategory::Other };
            let input = ToolInput { description: text("prompt"), ..ToolInput::default() };
            (tool, category, &["prompt", "receiver_thread_ids"], input)
        }
        "file_change" => return Some(file_change(id, item, working_dir)),
        _ => return None,
    };
    let summary = summary::of_call(&tool, category, &input, None);
    // What an MCP tool was called with is its input, with nothing around it.
    let raw = item.raw("arguments").filter(|_| category == ToolCategory::Mcp);
    let input = raw.map_or_else(|| item.only(fields), ToOwned::to_owned);
    Some(AgentToolCall { tool_use_id: id, tool, category, input, path: None, summary, parent_tool_use_id: None })
}

/// The call of an item of an unknown kind, with the item as its input.
pub(super) fn unknown_call(kind: &str, tool_use_id: String, item: &Fields) -> AgentToolCall {
    let category = ToolCategory::Other;
    AgentToolCall {
        tool_use_id,
        tool: kind.to_owned(),
        category,
        input: item.all(),
        path: None,
        summary: summary::of_call(kind, category, &ToolInput::default(), None),
        parent_tool_use_id: None,
    }
}

/// The call of a `file_change`. New files only are a write; all else is an edit.
fn file_change(tool_use_id: String, item: &Fields, working_dir: Option<&str>) -> AgentToolCall {
    let changes = changes(item, &tool_use_id, working_dir);
    let all = |action| changes.iter().all(|change| change.action == action);
    let (category, verb) = match () {
        () if changes.is_empty() => (ToolCategory::Edit, "Editing"),
        () if all(FileAction::Created) => (ToolCategory::Write, "Writing"),
        () if all(FileAction::Deleted) => (ToolCategory::Edit, "Deleting"),
        () => (ToolCategory::Edit, "Editing"),
    };
    let paths: Vec<_> = changes.iter().map(|change| change.path.as_str()).collect();
    let (path, what) = match paths.as_slice() {
        [] => (None, "files".to_owned()),
        [path] => (Some((*path).to_owned()), (*path).to_owned()),
        paths => (None, format!("{} files: {}", paths.len(), paths.join(", "))),
    };
    let summary = summary::line(&format!("{verb} {what}"));
    let (tool, input) = ("file_change".to_owned(), item.only(&["changes"]));
    AgentToolCall { tool_use_id, tool, category, input, path, summary, parent_tool_use_id: None }
}

/// The changes of a `file_change`, which says what happened to each file but not which lines.
pub(super) fn changes(item: &Fields, tool_use_id: &str, working_dir: Option<&str>) -> Vec<FileChanged> {
    let change = |change: &Fields| {
        let action = match change.text("kind").as_deref() {
            Some("add") => FileAction::Created,
            Some("delete") => FileAction::Deleted,
            _ => FileAction::Modified,
        };
        Some(FileChanged {
            path: summary::relative(&change.text("path")?, working_dir),
            action,
            from: None,
            size_bytes: None,
            lines_added: None,
            lines_removed: None,
            tool_use_id: Some(tool_use_id.to_owned()),
        })
    };
    item.objects("changes").iter().filter_map(change).collect()
}

/// Whether a completed item succeeded. For a command its exit code counts, too.
pub(super) fn succeeded(item: &Fields) -> bool {
    let status = item.text("status");
    !matches!(status.as_deref(), Some("failed" | "declined"))
        && item.get::<i64>("exit_code").is_none_or(|code| code == 0)
}

/// Whether an item already says its purpose. A web search says it only at its end.
pub(super) fn says_what(kind: &str, item: &Fields) -> bool {
    kind != "web_search" || !searched(item).is_empty()
}

/// The result of a completed item.
pub(super) fn result(kind: &str, item: &Fields) -> Content {
    let error = || item.object("error").and_then(|error| error.text("message")).or_else(|| item.text("error"));
    let text = match kind {
        "mcp_tool_call" => {
            let result = item.object("result").unwrap_or_default();
            let result = result.object("Ok").unwrap_or(result); // as older versions have it
            let structured = result.raw("structured_content").or_else(|| result.raw("structuredContent"));
            let mut content = content::read(result.raw("content"), structured);
            content.failed |= ["is_error", "isError"].iter().any(|name| result.get(name) == Some(true));
            if let Some(error) = error().filter(|error| !error.is_empty()) {
                content.failed = true;
                let told = [content.text, error];
                content.text = told.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
            }
            return content;
        }
        "command_execution" => item.text("aggregated_output").unwrap_or_default(),
        "web_search" => searched(item).join("\n"),
        "collab_tool_call" => codex_agents::states(item),
        "file_change" => error().unwrap_or_default(),
        _ => RawValue::get(&item.all()).to_owned(),
    };
    Content { text, exit_code: item.get("exit_code"), ..Content::default() }
}

/// The call of a web search: a search, an opened page, or a search within a page.
fn web_search(tool_use_id: String, item: &Fields) -> AgentToolCall {
    let action = item.object("action").unwrap_or_default();
    let url = || action.text("url").filter(|url| !url.is_empty());
    let quoted = |text: &String| format!("\"{text}\"");
    let (category, summary) = match (action.text("type").as_deref(), url(), action.text("pattern")) {
        (Some("open_page"), Some(url), _) => (ToolCategory::WebFetch, format!("Opening {url}")),
        (Some("find_in_page"), url, Some(pattern)) => {
            let page = url.unwrap_or_else(|| "a page".to_owned());
            (ToolCategory::WebFetch, format!("Looking for \"{pattern}\" in {page}"))
        }
        _ => match searched(item).iter().map(quoted).collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => (ToolCategory::WebSearch, "Searching the web".to_owned()),
            searched => (ToolCategory::WebSearch, format!("Searching the web for {searched}")),
        },
    };
    let (tool, input) = ("web_search".to_owned(), item.only(&["query", "action"]));
    let summary = summary::line(&summary);
    AgentToolCall { tool_use_id, tool, category, input, path: None, summary, parent_tool_use_id: None }
}

/// The queries of a search: the item's own, and the others that its action names.
fn searched(item: &Fields) -> Vec<String> {
    let action = item.object("action").unwrap_or_default();
    let named = [item.text("query"), action.text("query")].into_iter().flatten();
    let mut searched = Vec::new();
    for text in named.chain(action.get::<Vec<String>>("queries").unwrap_or_default()) {
        if !text.is_empty() && !searched.contains(&text) && searched.len() < QUERIES_MAX {
            searched.push(text);
        }
    }
    if searched.is_empty() {
        searched.extend(action.text("url").filter(|url| !url.is_empty()));
    }
    searched
}

/// The to-do list. Codex does not say which step has begun.
pub(super) fn todos(item: &Fields) -> Vec<Todo> {
    let todo = |item: &Fields| {
        let done = item.get("completed") == Some(true);
        let status = if done { TodoStatus::Completed } else { TodoStatus::Pending };
        Todo { content: summary::line(&item.text("text").unwrap_or_default()), status }
    };
    item.objects("items").iter().map(todo).collect()
}

/// The command without the shell around it: `cargo test` of `/bin/bash -lc 'cargo test'`.
fn in_shell(command: &str) -> String {
    match shlex::split(command).as_deref() {
        Some([shell, option, inner]) if option == "-lc" || option == "-c" => match shell.rsplit('/').next() {
            Some("bash" | "zsh" | "sh") => inner.clone(),
            _ => command.to_owned(),
        },
        _ => command.to_owned(),
    }
}

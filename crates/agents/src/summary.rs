//! Summaries of tool calls, each one plain line: "Reading src/config.ts".

use serde::Deserialize;
use serde_json::value::RawValue;
use townwatch_protocol::event::{HANDING_WORK, Todo, TodoStatus, ToolCategory};

use crate::json::if_readable;

/// The longest summary, in characters.
const SUMMARY_CHARS_MAX: usize = 200;

/// The fields of tool inputs that help a person. A field that is missing or of another type is `None`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ToolInput {
    /// The file that is read, written or changed.
    #[serde(deserialize_with = "if_readable", alias = "notebook_path", alias = "filePath")]
    pub file_path: Option<String>,
    /// The folder of a search.
    #[serde(deserialize_with = "if_readable")]
    pub path: Option<String>,
    /// A shell command.
    #[serde(deserialize_with = "if_readable")]
    pub command: Option<String>,
    /// A program that the API itself runs.
    #[serde(deserialize_with = "if_readable")]
    pub code: Option<String>,
    /// One item of a to-do list.
    #[serde(deserialize_with = "if_readable")]
    pub subject: Option<String>,
    /// The text that a search looks for.
    #[serde(deserialize_with = "if_readable")]
    pub pattern: Option<String>,
    /// The text that a web search looks for.
    #[serde(deserialize_with = "if_readable")]
    pub query: Option<String>,
    /// A page.
    #[serde(deserialize_with = "if_readable")]
    pub url: Option<String>,
    /// The agent's own words for the call.
    #[serde(deserialize_with = "if_readable")]
    pub description: Option<String>,
    /// A to-do list.
    #[serde(deserialize_with = "if_readable")]
    pub todos: Option<Vec<TodoInput>>,
    /// The input as text, where it was not JSON.
    #[serde(rename = "__unparsedToolInput")]
    pub unparsed: Option<Box<RawValue>>,
}

/// One to-do as the agent writes it.
#[derive(Debug, Deserialize, Clone)]
pub struct TodoInput {
    /// The task.
    pub content: String,
    /// The task's status.
    pub status: String,
}

impl TodoInput {
    /// The to-do with the status of the wire.
    pub fn to_todo(&self) -> Todo {
        Todo { content: line(&self.content), status: TodoStatus::parse(&self.status).unwrap_or(TodoStatus::Pending) }
    }
}

/// The path relative to the working directory, if it is inside; else unchanged. If the working directory is a Windows
/// path, both separators and both cases of letters are accepted, and `/` is written.
pub fn relative(path: &str, working_dir: Option<&str>) -> String {
    let Some(dir) = working_dir.filter(|dir| !dir.is_empty()) else { return path.to_owned() };
    if is_windows(dir) {
        let (slashed, dir) = (windows(path), windows(dir));
        let inside = inside(&slashed, &dir, str::eq_ignore_ascii_case).map(str::to_owned);
        // One that was relative already is written the same way.
        let already = || (!is_windows(path) && !path.starts_with(['/', '\\'])).then(|| path.replace('\\', "/"));
        return inside.or_else(already).unwrap_or_else(|| path.to_owned());
    }
    inside(path, dir, |a, b| a == b).unwrap_or(path).to_owned()
}

/// The rest of a path inside a directory.
fn inside<'p>(path: &'p str, dir: &str, same: fn(&str, &str) -> bool) -> Option<&'p str> {
    let dir = dir.trim_end_matches('/');
    let rest = path.get(dir.len()..)?.strip_prefix('/').filter(|rest| !rest.is_empty())?;
    (same(&path[..dir.len()], dir) && !path.split('/').any(|part| part == "..")).then_some(rest)
}

/// Whether a path is a Windows path: `C:\work`, `c:/work` or `\\server\work`.
fn is_windows(path: &str) -> bool {
    matches!(path.as_bytes(), [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic())
        || path.starts_with("\\\\")
}

/// A Windows path with `/` only. The shells of Git for Windows write `C:\work` as `/c/work`.
fn windows(path: &str) -> String {
    let slashed = path.strip_prefix(r"\\?\").unwrap_or(path).replace('\\', "/");
    match slashed.as_bytes() {
        [b'/', drive, b'/', ..] if drive.is_ascii_alphabetic() => format!("{}:{}", &slashed[1..2], &slashed[2..]),
        _ => slashed,
    }
}

/// The summary of a call. `path` is the call's file, as [`relative`] gives it.
pub fn of_call(tool: &str, category: ToolCategory, input: &ToolInput, path: Option<&str>) -> String {
    if input.unparsed.is_some() {
        return line(&format!("Calling {tool} with input that is not JSON"));
    }
    let file = path.unwrap_or("a file");
    let described = |verb: &str| match &input.description {
        Some(description) => format!("{verb}: {description}"),
        None => verb.to_owned(),
    };
    line(&match (category, input) {
        (ToolCategory::Read, _) => format!("Reading {file}"),
        (ToolCategory::Write, _) => format!("Writing {file}"),
        (ToolCategory::Edit, _) => format!("Editing {file}"),
        (ToolCategory::Bash, ToolInput { command: Some(command), .. }) => format!("Running `{}`", line(command)),
        (ToolCategory::Bash, ToolInput { code: Some(code), .. }) => format!("Running `{}`", line(code)),
        (ToolCategory::Bash, _) => described("Running a command"),
        (ToolCategory::Grep, ToolInput { pattern: Some(pattern), .. }) => format!("Searching for \"{pattern}\""),
        (ToolCategory::Grep, _) => "Searching in files".to_owned(),
        (ToolCategory::Glob, ToolInput { pattern: Some(pattern), .. }) => format!("Looking for files like {pattern}"),
        (ToolCategory::Glob, _) => "Looking for files".to_owned(),
        (ToolCategory::WebFetch, ToolInput { url: Some(url), .. }) => format!("Fetching {url}"),
        (ToolCategory::WebFetch, _) => "Fetching a page".to_owned(),
        (ToolCategory::WebSearch, ToolInput { query: Some(query), .. }) => format!("Searching the web for \"{query}\""),
        (ToolCategory::WebSearch, _) => "Searching the web".to_owned(),
        (ToolCategory::Task, _) => described(HANDING_WORK),
        (ToolCategory::Todo, ToolInput { subject: Some(subject), .. }) => format!("Updating the to-do list: {subject}"),
        (ToolCategory::Todo, _) => "Updating the to-do list".to_owned(),
        (ToolCategory::Mcp, _) => match tool.strip_prefix("mcp__").and_then(|rest| rest.split_once("__")) {
            Some((server, name)) => format!("Using {name} of {server}"),
            None => format!("Using {tool}"),
        },
        (ToolCategory::Other, _) => described(&format!("Using {tool}")),
    })
}

/// The text as one plain line of at most 200 characters. White space becomes one space. Control characters, and
/// characters that change the writing direction, are removed.
pub fn line(text: &str) -> String {
    let mut line = String::new();
    let (mut chars, mut gap) = (0, false);
    for character in text.chars() {
        if character.is_whitespace() {
            gap = true;
        } else if !(character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')) {
            let spaced = gap && chars > 0;
            chars += 1 + usize::from(spaced);
            if chars >= SUMMARY_CHARS_MAX {
                line.push('…');
                break;
            }
            if spaced {
                line.push(' ');
            }
            line.push(character);
            gap = false;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_told_in_one_plain_line() {
        use ToolCategory as C;
        let cases: &[(&str, C, &str, Option<&str>, &str)] = &[
            ("Read", C::Read, "{}", Some("src/config.ts"), "Reading src/config.ts"),
            ("Edit", C::Edit, "{}", Some("src/app.py"), "Editing src/app.py"),
            ("Bash", C::Bash, r#"{"command":"cargo test"}"#, None, "Running `cargo test`"),
            ("Bash", C::Bash, r#"{"command":" a\n\u0007 \u202e b "}"#, None, "Running `a b`"),
            ("Bash", C::Bash, r#"{"command":7,"description":"x"}"#, None, "Running a command: x"),
            (
                "Bash",
                C::Bash,
                r#"{"__unparsedToolInput":{"raw":"{"}}"#,
                None,
                "Calling Bash with input that is not JSON",
            ),
            ("Grep", C::Grep, r#"{"pattern":"foo"}"#, None, "Searching for \"foo\""),
            ("Task", C::Task, r#"{"description":"inner job"}"#, None, "Handing work to a sub-agent: inner job"),
            ("mcp__files__list", C::Mcp, "{}", None, "Using list of files"),
            ("Odd", C::Other, "{}", None, "Using Odd"),
        ];
        for (tool, category, input, path, expected) in cases {
            assert_eq!(of_call(tool, *category, &serde_json::from_str(input).unwrap(), *path), *expected);
        }
    }

    #[test]
    fn a_line_is_bounded() {
        for text in ["x".repeat(10_000), "x ".repeat(10_000), "日".repeat(10_000)] {
            let line = line(&text);
            assert!(line.chars().count() <= SUMMARY_CHARS_MAX && line.ends_with('…'), "{line}");
        }
        assert_eq!(line(&"x".repeat(199)).chars().count(), 199);
    }

    #[test]
    fn a_path_is_relative_only_inside_the_working_directory() {
        let cases = [
            ("/w/repo/src/a.rs", "src/a.rs"),
            ("/w/repo", "/w/repo"),
            ("/w/repository/a", "/w/repository/a"),
            ("/w/repo/../b", "/w/repo/../b"),
            ("a.rs", "a.rs"),
        ];
        for (path, expected) in cases {
            assert_eq!(relative(path, Some("/w/repo")), expected);
            assert_eq!(relative(path, Some("/w/repo/")), expected);
        }
        assert_eq!(relative("/a", None), "/a");
        assert_eq!(relative(r"/w/repo/a\b", Some("/w/repo")), r"a\b");
    }

    #[test]
    fn a_path_on_windows_is_relative_too() {
        let cases = [
            (r"C:\Users\dev\shop\src\a.ts", "src/a.ts"),
            (r"c:\users\Dev\shop\a.ts", "a.ts"),
            ("C:/Users/dev/shop/src/a.ts", "src/a.ts"),
            ("/c/Users/dev/shop/a.ts", "a.ts"),
            (r"\\?\C:\Users\dev\shop\é.ts", "é.ts"),
            (r"src\a.ts", "src/a.ts"),
            (r"C:\Users\dev\shopping\a.ts", r"C:\Users\dev\shopping\a.ts"),
            (r"C:\Users\dev\shop\..\a.ts", r"C:\Users\dev\shop\..\a.ts"),
            (r"D:\Users\dev\shop\a.ts", r"D:\Users\dev\shop\a.ts"),
            (r"C:\Users\dev\shop", r"C:\Users\dev\shop"),
        ];
        for (path, expected) in cases {
            assert_eq!(relative(path, Some(r"C:\Users\dev\shop")), expected);
            assert_eq!(relative(path, Some("c:/Users/dev/shop/")), expected);
        }
        assert_eq!(relative(r"\\host\w\a", Some(r"\\host\w")), "a");
        assert_eq!(relative("日本語日本語日本語", Some(r"C:\U")), "日本語日本語日本語");
    }
}

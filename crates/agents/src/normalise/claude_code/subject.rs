//! The whole subject of a permission that Claude Code asks for: the command, the plan, or the difference of an edit.

use serde::Deserialize;
use serde_json::value::RawValue;
use similar::TextDiff;
use townwatch_protocol::event::{QuestionSubject, SubjectKind, ToolCategory};

use crate::json::{if_readable, read};
use crate::normalise::asking;
use crate::normalise::wire::{category, lenient};
use crate::summary;

/// The longest texts, in lines, that are compared. Longer ones are shown whole, as removed and as added.
const COMPARED_LINES_MAX: usize = 2_000;

lenient! {
    /// The inputs of tools with a subject of their own.
    SubjectInput {
        command: String,
        plan: String,
        #[serde(alias = "notebook_path")] file_path: String,
        content: String,
        old_string: String,
        new_string: String,
        edits: Vec<TextEdit>,
    }
    /// One edit of `MultiEdit`.
    TextEdit {
        old_string: String,
        new_string: String,
    }
}

/// The subject of a call with this input.
pub(super) fn of(tool: &str, input: &RawValue, working_dir: Option<&str>) -> QuestionSubject {
    let known: SubjectInput = read(input.get()).unwrap_or_default();
    let as_it_is = || asking::subject(SubjectKind::Text, if input.get() == "{}" { "" } else { input.get() });
    let path = known.file_path.as_deref().map_or_else(String::new, |path| summary::relative(path, working_dir));
    match (category(tool), known) {
        (ToolCategory::Bash, SubjectInput { command: Some(command), .. }) => {
            asking::subject(SubjectKind::Command, command)
        }
        (ToolCategory::Write, SubjectInput { content: Some(content), .. }) => difference(&path, &[("", &content)]),
        (ToolCategory::Edit, SubjectInput { edits: Some(edits), .. }) => {
            let edits = edits.iter().map(|edit| {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                (text(&edit.old_string), text(&edit.new_string))
            });
            let edits: Vec<_> = edits.collect();
            let edits: Vec<_> = edits.iter().map(|(old, new)| (old.as_str(), new.as_str())).collect();
            difference(&path, &edits)
        }
        (ToolCategory::Edit, SubjectInput { old_string: Some(old), new_string: Some(new), .. }) => {
            difference(&path, &[(&old, &new)])
        }
        (_, SubjectInput { plan: Some(plan), .. }) if tool == "ExitPlanMode" => {
            asking::subject(SubjectKind::Plan, plan)
        }
        _ => as_it_is(),
    }
}

/// The difference of replaced texts in a file, in the unified format. Line numbers count from the beginning of each
/// text, because the agent does not say where in the file it is.
fn difference(path: &str, edits: &[(&str, &str)]) -> QuestionSubject {
    let mut text = format!("--- {path}\n+++ {path}\n");
    for (old, new) in edits {
        if old.lines().count().max(new.lines().count()) > COMPARED_LINES_MAX {
            text.push_str(&replaced(old, new));
        } else {
            let compared = TextDiff::from_lines(*old, *new);
            text.push_str(&compared.unified_diff().context_radius(3).missing_newline_hint(false).to_string());
        }
    }
    asking::subject(SubjectKind::Difference, text)
}

fn replaced(old: &str, new: &str) -> String {
    let span = |text: &str| format!("{},{}", usize::from(!text.is_empty()), text.lines().count());
    let mut text = format!("@@ -{} +{} @@\n", span(old), span(new));
    for (mark, lines) in [('-', old), ('+', new)] {
        for line in lines.lines() {
            text.push(mark);
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(tool: &str, input: &str) -> (SubjectKind, String) {
        let subject = of(tool, &RawValue::from_string(input.into()).unwrap(), Some("/w"));
        (subject.kind, subject.text)
    }

    #[test]
    fn what_would_be_allowed_is_shown_whole() {
        let long = "make all && ".repeat(500);
        assert_eq!(of_text("Bash", &format!(r#"{{"command":"{long}"}}"#)), (SubjectKind::Command, long));
        assert_eq!(of_text("ExitPlanMode", r##"{"plan":"# One\n- two"}"##), (SubjectKind::Plan, "# One\n- two".into()));
        let edit = r#"{"file_path":"/w/a.py","old_string":"a\nb\nc","new_string":"a\nB\nc"}"#;
        let difference = "--- a.py\n+++ a.py\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n";
        assert_eq!(of_text("Edit", edit), (SubjectKind::Difference, difference.into()));
        let several = r#"{"file_path":"/w/a.py","edits":[{"old_string":"a","new_string":"b"},{"old_string":"c","new_string":""}]}"#;
        let difference = "--- a.py\n+++ a.py\n@@ -1 +1 @@\n-a\n+b\n@@ -1 +0,0 @@\n-c\n";
        assert_eq!(of_text("MultiEdit", several), (SubjectKind::Difference, difference.into()));
        let write = r#"{"file_path":"/w/b.txt","content":"one\ntwo\n"}"#;
        let difference = "--- b.txt\n+++ b.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n";
        assert_eq!(of_text("Write", write), (SubjectKind::Difference, difference.into()));
        assert_eq!(of_text("mcp__db__drop", r#"{"table":1.10}"#), (SubjectKind::Text, r#"{"table":1.10}"#.into()));
        assert_eq!(of_text("Bash", r#"{"command":7}"#), (SubjectKind::Text, r#"{"command":7}"#.into()));
    }

    #[test]
    fn what_is_too_long_to_compare_is_shown_all_the_same() {
        let text = replaced(&"x\n".repeat(3), "y");
        assert_eq!(text, "@@ -1,3 +1,1 @@\n-x\n-x\n-x\n+y\n");
        let lines = "line\\n".repeat(COMPARED_LINES_MAX + 1);
        let (_, text) = of_text("Write", &format!(r#"{{"file_path":"a","content":"{lines}"}}"#));
        assert_eq!(text.matches("\n+line").count(), COMPARED_LINES_MAX + 1);
    }
}

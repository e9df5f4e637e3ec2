//! The rule that `always` would add, in words: Claude Code's `permission_suggestions`.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{if_readable, read};
use crate::normalise::wire::lenient;

lenient! {
    /// One change of the permission rules.
    RuleChange {
        #[serde(rename = "type")] kind: String,
        rules: Vec<PermissionRule>,
        behavior: String,
        mode: String,
        directories: Vec<String>,
        destination: String,
    }
    /// One permission rule.
    PermissionRule {
        #[serde(rename = "toolName")] tool_name: String,
        #[serde(rename = "ruleContent")] rule_content: String,
    }
}

/// All changes in one sentence: "`npm test:*` with Bash, in this session".
pub(super) fn in_words(suggestions: &RawValue) -> String {
    let Some(changes) = read::<Vec<Box<RawValue>>>(suggestions.get()) else { return suggestions.get().to_owned() };
    let words = changes.iter().map(|raw| {
        let change: RuleChange = read(raw.get()).unwrap_or_default();
        let what = what(&change).unwrap_or_else(|| raw.get().to_owned());
        match change.destination.as_deref().and_then(place) {
            Some(place) => format!("{what}, {place}"),
            None => what,
        }
    });
    words.collect::<Vec<_>>().join("; ")
}

fn what(change: &RuleChange) -> Option<String> {
    match change.kind.as_deref()? {
        kind @ ("addRules" | "replaceRules" | "removeRules") => {
            let rules = change.rules.as_ref().filter(|rules| !rules.is_empty())?;
            let rules = rules.iter().map(rule).collect::<Option<Vec<_>>>()?.join(" and ");
            let verb = match (kind, change.behavior.as_deref()) {
                ("removeRules", _) => "no more rule for ",
                (_, Some("deny")) => "never again ",
                (_, Some("ask")) => "always ask for ",
                _ => "",
            };
            let only = if kind == "replaceRules" { ", and nothing that was allowed before" } else { "" };
            Some(format!("{verb}{rules}{only}"))
        }
        "setMode" => Some(match change.mode.as_deref()? {
            "acceptEdits" => "all changes of files".to_owned(),
            "bypassPermissions" => "everything, without asking any more".to_owned(),
            "plan" => "only to plan, until the plan is allowed".to_owned(),
            "default" => "what its settings allow, asking for the rest".to_owned(),
            mode => format!("the permission mode {mode}"),
        }),
        kind @ ("addDirectories" | "removeDirectories") => {
            let directories = change.directories.as_ref().filter(|directories| !directories.is_empty())?.join(" and ");
            Some(if kind == "addDirectories" {
                format!("work in {directories}")
            } else {
                format!("no work in {directories}")
            })
        }
        _ => None,
    }
}

fn rule(rule: &PermissionRule) -> Option<String> {
    let tool = rule.tool_name.as_deref()?;
    Some(match rule.rule_content.as_deref().filter(|content| !content.is_empty()) {
        Some(content) => format!("`{content}` with {tool}"),
        None => format!("all that {tool} can do"),
    })
}

fn place(destination: &str) -> Option<&'static str> {
    Some(match destination {
        "session" | "cliArg" => "in this session",
        "localSettings" => "in this project, kept in its local settings",
        "projectSettings" => "in this project, kept in the settings that everybody shares",
        "userSettings" => "in all projects of its user",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_allowed_from_now_on_is_said() {
        let cases = [
            (
                r#"[{"type":"addRules","rules":[{"toolName":"Bash","ruleContent":"npm test:*"},{"toolName":"WebFetch"}],"behavior":"allow","destination":"localSettings"}]"#,
                "`npm test:*` with Bash and all that WebFetch can do, in this project, kept in its local settings",
            ),
            (
                r#"[{"type":"setMode","mode":"acceptEdits","destination":"session"}]"#,
                "all changes of files, in this session",
            ),
            (
                r#"[{"type":"addDirectories","directories":["/a","/b"],"destination":"session"},{"type":"setMode","mode":"odd"}]"#,
                "work in /a and /b, in this session; the permission mode odd",
            ),
            (
                r#"[{"type":"dream","x":1.10},{"type":"addRules","rules":[7]}]"#,
                r#"{"type":"dream","x":1.10}; {"type":"addRules","rules":[7]}"#,
            ),
            (r#"{"odd":1}"#, r#"{"odd":1}"#),
        ];
        for (suggestions, words) in cases {
            assert_eq!(in_words(&RawValue::from_string(suggestions.into()).unwrap()), words);
        }
    }
}

//! Results of hooks: commands of a person that the program runs before and after its own actions, and that can stop
//! these.

use townwatch_protocol::event::{AgentNotice, AgentNoticeKind, NoticeLevel};

use crate::normalise::fields::Fields;
use crate::normalise::wire::System;
use crate::summary;

/// The exit code by which a hook stops the action.
const BLOCKS: i32 = 2;

/// The notice of a hook that has ended; `None` for a hook without objection.
pub(super) fn response(system: &System) -> Option<AgentNotice> {
    let name = system.hook_name.as_deref().filter(|name| !name.is_empty()).unwrap_or("of the settings");
    let printed = [&system.stdout, &system.output].into_iter().flatten().find_map(|text| Fields::read(text));
    let decided = printed.as_ref().and_then(decided);
    let exit_code = system.exit_code;
    let blocked = exit_code == Some(BLOCKS) || system.outcome.as_deref().is_some_and(|word| word.starts_with("block"));
    let said =
        || [&system.stderr, &system.output, &system.stdout].into_iter().flatten().find(|text| !text.trim().is_empty());
    let words = |reason: Option<&str>| reason.map_or(String::new(), |reason| format!(": {}", summary::line(reason)));
    if let Some(reason) = decided.or_else(|| blocked.then(|| said().cloned().unwrap_or_default())) {
        let reason = Some(reason.as_str()).filter(|reason| !reason.is_empty());
        let message = format!("The hook {name} did not let it happen{}", words(reason));
        return Some(AgentNotice::new(AgentNoticeKind::HookBlocked, NoticeLevel::Warning, message));
    }
    // A hook that is asked over HTTP has the status in place of a code.
    let well = exit_code.is_none_or(|code| code == 0 || (200..300).contains(&code));
    if well && system.outcome.as_deref() != Some("error") {
        return None;
    }
    let message = format!("The hook {name} failed{}", words(said().map(String::as_str)));
    Some(AgentNotice::new(AgentNoticeKind::Other, NoticeLevel::Warning, message))
}

/// The reason of a hook that decided against an action; empty where it gave none.
fn decided(printed: &Fields) -> Option<String> {
    let special = printed.object("hookSpecificOutput").unwrap_or_default();
    let decision = special.object("decision").unwrap_or_default();
    let no = |word: Option<String>| matches!(word.as_deref(), Some("block" | "deny"));
    let reason = if no(printed.text("decision")) {
        printed.text("reason")
    } else if no(special.text("permissionDecision")) {
        special.text("permissionDecisionReason").or_else(|| printed.text("reason"))
    } else if no(decision.text("behavior")) {
        decision.text("message")
    } else if printed.get("continue") == Some(false) {
        printed.text("stopReason").or_else(|| printed.text("reason"))
    } else {
        return None;
    };
    Some(reason.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    #[test]
    fn a_hook_that_stopped_something_says_why() {
        let cases = [
            (r#"{"hook_name":"Stop","exit_code":0,"outcome":"success","stdout":""}"#, None),
            (r#"{"hook_name":"Stop","exit_code":200,"outcome":"success"}"#, None),
            (
                r#"{"hook_name":"PreToolUse:Bash","exit_code":2,"stderr":"no\npushing"}"#,
                Some("hook_blocked The hook PreToolUse:Bash did not let it happen: no pushing"),
            ),
            (
                r#"{"hook_name":"Stop","exit_code":0,"stdout":"{\"decision\":\"block\",\"reason\":\"tests fail\"}"}"#,
                Some("hook_blocked The hook Stop did not let it happen: tests fail"),
            ),
            (
                r#"{"hook_name":"P","output":"{\"hookSpecificOutput\":{\"permissionDecision\":\"deny\",\"permissionDecisionReason\":\"r\"}}"}"#,
                Some("hook_blocked The hook P did not let it happen: r"),
            ),
            (
                r#"{"hook_name":"P","stdout":"{\"continue\":false}"}"#,
                Some("hook_blocked The hook P did not let it happen"),
            ),
            (
                r#"{"hook_name":"P","outcome":"error","exit_code":1,"stderr":"not found"}"#,
                Some("other The hook P failed: not found"),
            ),
        ];
        for (json, expected) in cases {
            let told = response(&read(json).unwrap());
            let told = told.map(|notice| format!("{} {}", notice.kind.as_str(), notice.message));
            assert_eq!(told.as_deref(), expected, "{json}");
        }
    }
}

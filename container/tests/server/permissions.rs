//! What agents are told of permissions: where no sandbox is around them they ask, or are refused what they cannot ask for.

use serde_json::{Value, json};

use crate::common::texts;
use crate::stand_ins::World;

/// Says what it was started with, and ends.
const SAY: &str = r#"for word; do echo "$word" >&2; done
    echo "told of a sandbox: ${IS_SANDBOX:-no}, rules: ${OPENCODE_PERMISSION:-${KILO_PERMISSION:-none}}" >&2"#;
/// Whatever of these a program is told, it does not ask any more.
const ASK_NOTHING: [&str; 3] =
    ["--dangerously-skip-permissions", "--dangerously-bypass-approvals-and-sandbox", "--yolo"];
/// Each program, what it is told in order to ask, and what in order not to.
const PROGRAMS: [(&str, &str, &[&str], &[&str]); 5] = [
    ("claude", "claude_code", &["--permission-mode", "default"], &["--dangerously-skip-permissions"]),
    ("codex", "codex", &["--sandbox=workspace-write"], &["--dangerously-bypass-approvals-and-sandbox"]),
    ("gemini", "gemini", &["--approval-mode=auto_edit"], &["--yolo"]),
    ("opencode", "opencode", &[], &[]),
    ("kilo", "kilo", &[], &[]),
];

fn said(name: &str, sandbox: &[(&str, &str)]) -> Vec<(Vec<String>, Vec<&'static str>)> {
    let scripts = PROGRAMS.map(|(program, ..)| (program, SAY));
    let world = World::with(name, &scripts, sandbox);
    let said = |(program, runtime, asks, all): &(&'static str, &str, &[&'static str], &[&'static str])| {
        world.start(program, json!({"runtime": runtime, "prompt": "do it"}));
        let expected = if sandbox.is_empty() { asks } else { all };
        (texts(&world.server.ended(program).0, "stderr"), expected.to_vec())
    };
    let all = PROGRAMS.iter().map(said).collect();
    let kind = if sandbox.is_empty() { "none" } else { "image" };
    assert_eq!(world.server.get("/health").1["sandbox"], kind);
    all
}

/// The rules that OpenCode and Kilo are given: what they say of a tool.
fn rule(words: &[String], tool: &str) -> Value {
    let rules = words.iter().find_map(|word| word.split_once("rules: ")).unwrap().1;
    serde_json::from_str::<Value>(rules).unwrap()[tool].clone()
}

#[test]
fn without_a_sandbox_none_is_told_to_ask_nothing() {
    let said = said("permissions-ask", &[]);
    for (words, expected) in &said {
        assert!(expected.iter().all(|word| words.iter().any(|said| said == word)), "{words:?}");
        assert!(!words.iter().any(|word| ASK_NOTHING.contains(&word.as_str())), "{words:?}");
        assert!(words.iter().any(|word| word.starts_with("told of a sandbox: no,")), "{words:?}");
    }
    for (words, _) in &said[3..] {
        assert_eq!((rule(words, "*"), rule(words, "grep")), (json!("ask"), json!("allow")));
        assert_eq!(rule(words, "bash"), Value::Null, "what all tools have");
    }
}

#[test]
fn in_a_sandbox_they_need_not_ask() {
    for (words, expected) in said("permissions-all", &[("CONTROL_SANDBOX", "1")]) {
        assert!(expected.iter().all(|word| words.iter().any(|said| said == word)), "{words:?}");
        assert!(words.iter().any(|word| word.ends_with("rules: none")), "{words:?}");
    }
}

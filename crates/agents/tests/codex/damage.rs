//! Output that is damaged, and JSON of any shape.

use super::reading::{Reading, damaged, events, json, told};
use proptest::prelude::*;
use townwatch_agents::normalise::RunContext;
use townwatch_protocol::runtime::Runtime;

use super::told_of;

const WORDS: &[&str] = &[
    "type",
    "thread.started",
    "turn.started",
    "turn.completed",
    "turn.failed",
    "item.started",
    "item.updated",
    "item.completed",
    "item",
    "id",
    "agent_message",
    "reasoning",
    "command_execution",
    "command",
    "aggregated_output",
    "exit_code",
    "status",
    "file_change",
    "changes",
    "path",
    "kind",
    "add",
    "mcp_tool_call",
    "server",
    "tool",
    "arguments",
    "result",
    "content",
    "error",
    "message",
    "web_search",
    "query",
    "todo_list",
    "items",
    "text",
    "completed",
    "usage",
    "input_tokens",
];

proptest! {
    #[test]
    fn no_json_makes_it_panic(lines in prop::collection::vec(json(WORDS), 1..8)) {
        told_of(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[test]
    fn no_item_makes_it_panic(items in prop::collection::vec(json(WORDS), 1..8), kind in prop::sample::select(WORDS)) {
        let line = |item: &String| format!(r#"{{"type":"item.completed","item":{{"id":"1","type":"{kind}","{kind}":{item},"changes":[{item}]}}}}"#);
        let lines: Vec<_> = items.iter().map(line).collect();
        told_of(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[test]
    fn no_damage_to_real_output_makes_it_panic(output in damaged("codex/basic"), read_bytes in 1..5000_usize) {
        let whole = told(&events(Reading::new(Runtime::Codex, RunContext::default()), &output, usize::MAX));
        prop_assert_eq!(whole, told(&events(Reading::new(Runtime::Codex, RunContext::default()), &output, read_bytes)));
    }
}

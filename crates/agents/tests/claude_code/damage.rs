//! Output that is damaged, and JSON of any shape.

use proptest::prelude::*;

use super::reading;
use super::{events, recorded, told, told_of};

/// JSON of any shape, with the words that the normaliser looks for in all places.
fn json() -> impl Strategy<Value = String> {
    reading::json(&[
        "type",
        "subtype",
        "system",
        "init",
        "assistant",
        "user",
        "result",
        "message",
        "content",
        "text",
        "thinking",
        "tool_use",
        "tool_result",
        "tool_use_id",
        "id",
        "name",
        "input",
        "file_path",
        "TodoWrite",
        "todos",
        "status",
        "usage",
        "input_tokens",
        "modelUsage",
        "is_error",
        "errors",
        "session_id",
        "cwd",
        "api_retry",
        "retry_delay_ms",
        "stream_event",
        "event",
        "message_start",
        "content_block_start",
        "content_block",
        "content_block_delta",
        "delta",
        "text_delta",
        "control_request",
        "control_cancel_request",
        "request",
        "request_id",
        "can_use_tool",
        "tool_name",
        "AskUserQuestion",
        "questions",
        "question",
        "options",
        "background_tasks_changed",
        "tasks",
        "task_started",
        "task_updated",
        "task_notification",
        "task_id",
        "patch",
        "uuid",
        "parent_tool_use_id",
        "tool_use_result",
        "web_search_tool_result",
        "image",
        "source",
        "data",
        "resource",
        "resource_link",
        "message_delta",
        "message_stop",
        "rate_limit_event",
        "rate_limit_info",
        "resetsAt",
        "rejected",
        "hook_response",
        "exit_code",
        "compact_boundary",
        "model_changed",
        "mcp_servers",
        "TaskCreate",
        "TaskUpdate",
        "taskId",
        "isReplay",
    ])
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(lines in prop::collection::vec(json(), 1..8)) {
        told_of(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[test]
    fn no_bytes_make_it_panic(output in prop::collection::vec(any::<u8>(), 0..2000), read_bytes in 1..500_usize) {
        events(&output, read_bytes);
    }

    #[test]
    fn no_damage_to_real_output_makes_it_panic(at in 0..50_000_usize, byte in any::<u8>(), length in 0..200_usize) {
        let mut output = recorded("subagent");
        let at = at % output.len();
        let end = (at + length).min(output.len());
        output.splice(at..end, [byte]);
        told(&events(&output, 4096));
    }
}

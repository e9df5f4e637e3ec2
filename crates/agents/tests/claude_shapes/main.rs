//! Shapes that Claude Code's output takes and the recordings have not: usage that grows, lists kept item by item, work in
//! the background, what the API's own tools gave, limits, what was being typed.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)] // test helpers
#![allow(clippy::needless_pass_by_value)] // a line reads better with its parts in it

mod messages;
mod notices;
#[path = "../reading/mod.rs"]
mod reading;
mod tasks;
mod tools;

use reading::of_lines;
use serde_json::{Value, json};
use townwatch_protocol::event::EventData;
use townwatch_protocol::runtime::Runtime;

fn events(lines: &[Value]) -> Vec<EventData> {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    of_lines(Runtime::ClaudeCode, &lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The data of all events of this name.
fn named(events: &[EventData], name: &str) -> Vec<Value> {
    let of_name = events.iter().filter(|event| event.name() == name);
    of_name.map(|event| serde_json::from_str(event.to_raw().get()).unwrap()).collect()
}

fn of(lines: &[Value], name: &str) -> Vec<Value> {
    named(&events(lines), name)
}

/// Only these fields of each; what is missing is `null`.
fn picked(data: &[Value], fields: &[&str]) -> Value {
    let pick = |one: &Value| fields.iter().map(|field| one[*field].clone()).collect::<Value>();
    data.iter().map(pick).collect()
}

fn assistant(id: &str, block: Value) -> Value {
    json!({"type": "assistant", "message": {"id": id, "content": [block]}})
}

fn text(id: &str, text: &str) -> Value {
    assistant(id, json!({"type": "text", "text": text}))
}

fn call(id: &str, name: &str, input: Value) -> Value {
    assistant(&format!("m-{id}"), json!({"type": "tool_use", "id": id, "name": name, "input": input}))
}

fn result(id: &str, content: Value) -> Value {
    json!({"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": id, "content": content}]}})
}

fn with(mut line: Value, field: &str, value: Value) -> Value {
    line[field] = value;
    line
}

fn by(line: Value, parent: &str) -> Value {
    with(line, "parent_tool_use_id", parent.into())
}

fn system(subtype: &str, mut fields: Value) -> Value {
    fields["type"] = "system".into();
    fields["subtype"] = subtype.into();
    fields
}

fn init() -> Value {
    system("init", json!({"session_id": "s", "cwd": "/w", "model": "m"}))
}

fn done() -> Value {
    json!({"type": "result", "subtype": "success", "is_error": false, "result": ""})
}

fn typed(event: Value) -> Value {
    json!({"type": "stream_event", "event": event})
}

fn typing(id: &str, words: &str) -> Vec<Value> {
    vec![
        typed(
            json!({"type": "message_start", "message": {"id": id, "usage": {"input_tokens": 9, "output_tokens": 1}}}),
        ),
        typed(json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})),
        typed(json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": words}})),
    ]
}

//! Which program a line is from, by its shape alone: `type` and the fields that only that program's lines have beside it.
//! Programs that print Claude Code's format (Qwen Code does) are read as such.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::arguments::Format;

/// What a line says of where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Only this program prints it.
    Of(Format),
    /// One of the programs could have printed it, and others as well: the next lines will tell.
    Unclear,
    /// Nothing of the kind.
    Other,
}

/// Types of lines that are no proof by themselves.
const UNCLEAR: &[&str] = &["turn.started", "turn.failed", "error", "system", "keep_alive", "init", "result"];

/// The shape of a line. What stands before its first object (a carriage return's text, codes of a terminal) is nothing.
pub(super) fn of(line: &str) -> Shape {
    let object = line.find('{').and_then(|at| leading(&line[at..]));
    let Some(object) = object else { return Shape::Other };
    let Some(kind) = object.text("type") else { return Shape::Other };
    let found = match kind.as_str() {
        "system" if object.has_text("subtype") => Some(Format::ClaudeCode),
        "assistant" | "user" if object.has_object("message") && object.has("session_id") => Some(Format::ClaudeCode),
        "stream_event" if object.has_object("event") => Some(Format::ClaudeCode),
        "result" if object.has_text("subtype") && object.has("session_id") => Some(Format::ClaudeCode),
        "control_request" if object.has_object("request") => Some(Format::ClaudeCode),
        "rate_limit_event" if object.has_object("rate_limit_info") => Some(Format::ClaudeCode),
        "thread.started" if object.has_text("thread_id") => Some(Format::Codex),
        "item.started" | "item.updated" | "item.completed" if object.has_object("item") => Some(Format::Codex),
        "turn.completed" if object.has_object("usage") => Some(Format::Codex),
        "init" if object.has_text("session_id") && object.has_text("model") => Some(Format::Gemini),
        "message" if object.has_text("role") && object.has_text("content") && object.has("timestamp") => {
            Some(Format::Gemini)
        }
        "tool_use" if object.has_text("tool_name") && object.has_text("tool_id") => Some(Format::Gemini),
        "tool_result" if object.has_text("tool_id") && object.has_text("status") => Some(Format::Gemini),
        "result" if object.has_text("status") && object.has_object("stats") => Some(Format::Gemini),
        "error" if object.has_text("severity") && object.has("timestamp") => Some(Format::Gemini),
        "step_start" | "text" | "reasoning" | "tool_use" | "step_finish"
            if object.has_text("sessionID") && object.has_object("part") =>
        {
            Some(Format::Opencode)
        }
        "error" if object.has_text("sessionID") && object.has("error") => Some(Format::Opencode),
        _ => None,
    };
    match found {
        Some(format) => Shape::Of(format),
        None if UNCLEAR.contains(&kind.as_str()) => Shape::Unclear,
        None => Shape::Other,
    }
}

/// The fields of an object, as they stand.
struct Object(BTreeMap<String, Box<RawValue>>);

impl Object {
    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn has_object(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|field| field.get().starts_with('{'))
    }

    fn has_text(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|field| field.get().starts_with('"'))
    }

    fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }
}

/// The object that the text begins with.
fn leading(text: &str) -> Option<Object> {
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok().map(Object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_known_by_what_only_one_program_prints() {
        let cases = [
            (r#"{"type":"system","subtype":"init","session_id":"s"}"#, Shape::Of(Format::ClaudeCode)),
            (r#"{"session_id":"s","message":{"role":"user"},"type":"user"}"#, Shape::Of(Format::ClaudeCode)),
            ("\u{1b}[2K\r{\"type\":\"thread.started\",\"thread_id\":\"t\"}", Shape::Of(Format::Codex)),
            (r#"50 %{"type":"item.completed","item":{}}"#, Shape::Of(Format::Codex)),
            (r#"{"type":"init","session_id":"s","model":"m"}"#, Shape::Of(Format::Gemini)),
            (r#"{"type":"error","severity":"warning","timestamp":"x"}"#, Shape::Of(Format::Gemini)),
            (r#"{"type":"step_start","timestamp":1,"sessionID":"s","part":{}}"#, Shape::Of(Format::Opencode)),
            (r#"{"type":"tool_use","timestamp":1,"sessionID":"s","part":{}}"#, Shape::Of(Format::Opencode)),
            (r#"{"type":"error","timestamp":1,"sessionID":"s","error":"no"}"#, Shape::Of(Format::Opencode)),
            (r#"{"type":"text","text":"no session"}"#, Shape::Other),
            (r#"{"type":"turn.started"}"#, Shape::Unclear),
            (r#"{"type":"error","message":"no"}"#, Shape::Unclear),
            (r#"{"type":"agent_start"}"#, Shape::Other),
            (r#"{"type":"message","role":"user","content":"hi"}"#, Shape::Other),
            (r#"{"type":7}"#, Shape::Other),
            (r#"{"level":"info"}"#, Shape::Other),
            (r#"{"type":"system","subtype""#, Shape::Other),
            ("> agent@1.0.0 start", Shape::Other),
            ("", Shape::Other),
        ];
        for (line, shape) in cases {
            assert_eq!(of(line), shape, "{line}");
        }
    }
}

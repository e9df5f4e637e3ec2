//! The program behind a line, recognised by the line's shape: its `type`, and fields that only this program's lines
//! have. Programs that print Claude Code's format, such as Qwen Code, count as Claude Code.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use townwatch_protocol::runtime::Runtime;

/// The origin of a line, as far as its shape shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineOrigin {
    /// Only this program prints such a line.
    Of(Runtime),
    /// A known program or another one may have printed the line. The next lines decide.
    Unclear,
    /// No known program prints such a line.
    Other,
}

/// The types of lines that alone prove nothing.
const UNCLEAR: &[&str] = &["turn.started", "turn.failed", "error", "system", "keep_alive", "init", "result"];

/// The shape of a line. Text before its first object, such as a terminal's control codes, is ignored.
pub fn of(line: &str) -> LineOrigin {
    let object = line.find('{').and_then(|at| leading(&line[at..]));
    let Some(object) = object else { return LineOrigin::Other };
    let Some(kind) = object.text("type") else { return LineOrigin::Other };
    let found = match kind.as_str() {
        "system" if object.has_text("subtype") => Some(Runtime::ClaudeCode),
        "assistant" | "user" if object.has_object("message") && object.has("session_id") => Some(Runtime::ClaudeCode),
        "stream_event" if object.has_object("event") => Some(Runtime::ClaudeCode),
        "result" if object.has_text("subtype") && object.has("session_id") => Some(Runtime::ClaudeCode),
        "control_request" if object.has_object("request") => Some(Runtime::ClaudeCode),
        "rate_limit_event" if object.has_object("rate_limit_info") => Some(Runtime::ClaudeCode),
        "thread.started" if object.has_text("thread_id") => Some(Runtime::Codex),
        "item.started" | "item.updated" | "item.completed" if object.has_object("item") => Some(Runtime::Codex),
        "turn.completed" if object.has_object("usage") => Some(Runtime::Codex),
        "init" if object.has_text("session_id") && object.has_text("model") => Some(Runtime::Gemini),
        "message" if object.has_text("role") && object.has_text("content") && object.has("timestamp") => {
            Some(Runtime::Gemini)
        }
        "tool_use" if object.has_text("tool_name") && object.has_text("tool_id") => Some(Runtime::Gemini),
        "tool_result" if object.has_text("tool_id") && object.has_text("status") => Some(Runtime::Gemini),
        "result" if object.has_text("status") && object.has_object("stats") => Some(Runtime::Gemini),
        "error" if object.has_text("severity") && object.has("timestamp") => Some(Runtime::Gemini),
        "step_start" | "text" | "reasoning" | "tool_use" | "step_finish"
            if object.has_text("sessionID") && object.has_object("part") =>
        {
            Some(Runtime::Opencode)
        }
        "error" if object.has_text("sessionID") && object.has("error") => Some(Runtime::Opencode),
        _ => None,
    };
    match found {
        Some(runtime) => LineOrigin::Of(runtime),
        None if UNCLEAR.contains(&kind.as_str()) => LineOrigin::Unclear,
        None => LineOrigin::Other,
    }
}

/// The fields of an object, each as raw JSON.
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
            (r#"{"type":"system","subtype":"init","session_id":"s"}"#, LineOrigin::Of(Runtime::ClaudeCode)),
            (r#"{"session_id":"s","message":{"role":"user"},"type":"user"}"#, LineOrigin::Of(Runtime::ClaudeCode)),
            ("\u{1b}[2K\r{\"type\":\"thread.started\",\"thread_id\":\"t\"}", LineOrigin::Of(Runtime::Codex)),
            (r#"50 %{"type":"item.completed","item":{}}"#, LineOrigin::Of(Runtime::Codex)),
            (r#"{"type":"init","session_id":"s","model":"m"}"#, LineOrigin::Of(Runtime::Gemini)),
            (r#"{"type":"error","severity":"warning","timestamp":"x"}"#, LineOrigin::Of(Runtime::Gemini)),
            (r#"{"type":"step_start","timestamp":1,"sessionID":"s","part":{}}"#, LineOrigin::Of(Runtime::Opencode)),
            (r#"{"type":"tool_use","timestamp":1,"sessionID":"s","part":{}}"#, LineOrigin::Of(Runtime::Opencode)),
            (r#"{"type":"error","timestamp":1,"sessionID":"s","error":"no"}"#, LineOrigin::Of(Runtime::Opencode)),
            (r#"{"type":"text","text":"no session"}"#, LineOrigin::Other),
            (r#"{"type":"turn.started"}"#, LineOrigin::Unclear),
            (r#"{"type":"error","message":"no"}"#, LineOrigin::Unclear),
            (r#"{"type":"agent_start"}"#, LineOrigin::Other),
            (r#"{"type":"message","role":"user","content":"hi"}"#, LineOrigin::Other),
            (r#"{"type":7}"#, LineOrigin::Other),
            (r#"{"level":"info"}"#, LineOrigin::Other),
            (r#"{"type":"system","subtype""#, LineOrigin::Other),
            ("> agent@1.0.0 start", LineOrigin::Other),
            ("", LineOrigin::Other),
        ];
        for (line, shape) in cases {
            assert_eq!(of(line), shape, "{line}");
        }
    }
}

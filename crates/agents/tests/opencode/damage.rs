//! Streams that are damaged, and JSON of any shape.

use proptest::prelude::*;

use super::reading;
use super::recordings::{events, recorded};
use super::{told, told_of};

/// JSON of any shape, with the words that the normaliser looks for in all places.
fn json() -> impl Strategy<Value = String> {
    reading::json(&[
        "type",
        "properties",
        "sessionID",
        "s",
        "info",
        "part",
        "parentID",
        "id",
        "session.created",
        "session.status",
        "session.idle",
        "session.error",
        "status",
        "busy",
        "idle",
        "retry",
        "attempt",
        "next",
        "message",
        "error",
        "name",
        "data",
        "message.updated",
        "role",
        "assistant",
        "user",
        "time",
        "start",
        "end",
        "completed",
        "tokens",
        "input",
        "cost",
        "message.part.updated",
        "message.part.delta",
        "text",
        "reasoning",
        "tool",
        "state",
        "running",
        "metadata",
        "exit",
        "filediff",
        "todo.updated",
        "todos",
        "permission.asked",
        "permission.replied",
        "requestID",
        "question.asked",
        "questions",
        "patch",
        "files",
    ])
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(frames in prop::collection::vec((prop::sample::select(vec![
        "session.created", "session.status", "session.error", "message.updated", "message.part.updated", "todo.updated",
        "message.part.delta", "permission.asked", "permission.replied", "question.asked",
    ]), json()), 1..8)) {
        let frame = |(kind, value): &(&str, String)| format!(r#"{{"type":"{kind}","properties":{value}}}"#);
        told_of(&frames.iter().map(frame).chain(frames.iter().map(|(_, value)| value.clone())).collect::<Vec<_>>());
    }

    #[test]
    fn no_damage_to_a_real_stream_makes_it_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), length in 0..200_usize) {
        let mut stream = recorded("opencode", "subagent");
        let at = at.index(stream.len());
        let end = (at + length).min(stream.len());
        stream.splice(at..end, [byte]);
        told(&events("opencode", &stream, 4096));
    }
}

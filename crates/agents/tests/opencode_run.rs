//! What `opencode run --format json` and Kilo's print: a recording of the real program, and lines that may come along.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers
#![allow(clippy::needless_pass_by_value)] // a line reads better with its parts in it

use std::collections::BTreeSet;

use serde_json::{Value, json};
use townwatch_agents::normalise::{Normalise, OpencodeRun, RunContext, known_kinds};
use townwatch_protocol::event::EventData;
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::time::Timestamp;

const RECORDING: &str = include_str!("../../../tests/recordings/opencode/run-json-basic.jsonl");

/// All that the lines mean, one every 10 ms, with the end of the process; and why the run failed, if it did.
fn read(lines: &[String]) -> (Vec<EventData>, Option<String>) {
    let mut normaliser = OpencodeRun::new("opencode", RunContext::default());
    let mut events = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let at = Timestamp::from_millis(i64::try_from(index).unwrap() * 10);
        events.extend(normaliser.line(line, at).events);
    }
    let failure = normaliser.failure().map(str::to_owned);
    events.extend(normaliser.end(failure.is_none(), Timestamp::from_millis(10_000)));
    (events, failure)
}

fn of(lines: &[Value]) -> Vec<EventData> {
    read(&lines.iter().map(Value::to_string).collect::<Vec<_>>()).0
}

fn named(events: &[EventData], name: &str) -> Vec<Value> {
    let of_name = events.iter().filter(|event| event.name() == name);
    of_name.map(|event| serde_json::from_str(event.to_raw().get()).unwrap()).collect()
}

fn picked(data: &[Value], fields: &[&str]) -> Value {
    data.iter().map(|one| fields.iter().map(|field| one[*field].clone()).collect::<Value>()).collect()
}

fn line(kind: &str, part: Value) -> Value {
    json!({"type": kind, "timestamp": 7, "sessionID": "ses_1", "part": part})
}

fn finish(id: &str, message: &str, reason: &str, output: u64) -> Value {
    let tokens = json!({"input": 10, "output": output, "reasoning": 1, "cache": {"read": 4, "write": 0}});
    line(
        "step_finish",
        json!({"id": id, "messageID": message, "type": "step-finish", "reason": reason, "tokens": tokens, "cost": 0.5}),
    )
}

#[test]
fn a_recording_is_read_whole() {
    let lines: Vec<String> = RECORDING.lines().map(str::to_owned).collect();
    let printed: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let parts =
        |kind: &str| printed.iter().filter(|line| line["type"] == kind).map(|line| &line["part"]).collect::<Vec<_>>();
    let (events, failure) = read(&lines);
    assert_eq!(failure, None);
    assert!(named(&events, "parser_notice").is_empty());
    assert_eq!(picked(&named(&events, "agent_session"), &["session_id"]), json!([[printed[0]["sessionID"]]]));
    let texts =
        parts("text").iter().map(|part| json!([part["text"], "assistant", part["messageID"]])).collect::<Value>();
    assert_eq!(picked(&named(&events, "agent_output"), &["text", "stream", "message_id"]), texts);
    assert!(texts.as_array().unwrap().len() > 5);
    let calls = parts("tool_use").iter().map(|part| json!([part["callID"], part["tool"]])).collect::<Value>();
    assert_eq!(picked(&named(&events, "agent_tool_call"), &["tool_use_id", "tool"]), calls);
    let results = named(&events, "agent_tool_result");
    let failed: Vec<_> = results.iter().filter(|result| result["success"] == false).cloned().collect();
    assert_eq!(
        picked(&failed, &["tool_use_id", "exit_code"]),
        json!([["call_bas000400", null], ["call_bas000500", 3]]),
        "a file that is not there, and a command's code"
    );
    assert_eq!(results.len(), calls.as_array().unwrap().len());
    let changed = picked(&named(&events, "file_changed"), &["action", "tool_use_id"]);
    assert_eq!(changed, json!([["created", "call_bas000100"], ["modified", "call_bas000200"]]));
    let usages = named(&events, "agent_usage");
    let sum = |field: &str| usages.iter().map(|usage| usage[field].as_f64().unwrap_or(0.0)).sum::<f64>();
    let told = |pointer: &str| {
        parts("step_finish").iter().map(|part| part.pointer(pointer).unwrap().as_f64().unwrap()).sum::<f64>()
    };
    assert!((sum("cost_usd") - told("/cost")).abs() < 1e-9 && sum("cost_usd") > 0.0);
    let output = told("/tokens/output") + told("/tokens/reasoning");
    assert!((sum("input_tokens") - told("/tokens/input")).abs() < 0.5 && (sum("output_tokens") - output).abs() < 0.5);
    assert!((sum("cache_read_input_tokens") - told("/tokens/cache/read")).abs() < 0.5);
    // One turn: nothing waits before its end.
    assert_eq!(named(&events, "agent.status"), [json!({"status": "waiting"})]);
    assert_eq!(named(&events, "progress_update").last().unwrap()["percentage"], 100.0);
}

#[test]
fn no_kind_of_the_recording_is_unlisted() {
    let known = known_kinds(Runtime::Opencode);
    let table = known.iter().find(|table| table.place == "line of run").unwrap();
    let seen: BTreeSet<String> = RECORDING
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), ["step_finish", "step_start", "text", "tool_use"]);
    assert!(seen.iter().all(|kind| table.kinds.iter().any(|(known, _)| known == kind)));
}

#[test]
fn a_cut_leaves_what_was_told_and_no_end_of_the_turn() {
    let lines: Vec<String> = RECORDING.lines().map(str::to_owned).collect();
    let (whole, _) = read(&lines);
    let whole: Vec<_> = whole.iter().map(|event| event.to_raw().get().to_owned()).collect();
    for cut in 1..lines.len() - 1 {
        let mut normaliser = OpencodeRun::new("opencode", RunContext::default());
        let mut told = Vec::new();
        for (index, line) in lines[..cut].iter().enumerate() {
            let at = Timestamp::from_millis(i64::try_from(index).unwrap() * 10);
            told.extend(normaliser.line(line, at).events.iter().map(|event| event.to_raw().get().to_owned()));
        }
        assert!(!normaliser.finished(), "after {cut} lines");
        assert_eq!(told, whole[..told.len()], "after {cut} lines");
    }
}

#[test]
fn a_step_counts_once_and_the_steps_of_a_message_together() {
    let events = of(&[
        line("step_start", json!({"id": "a", "messageID": "m", "type": "step-start"})),
        finish("b", "m", "tool-calls", 5),
        finish("b", "m", "tool-calls", 5),
        finish("c", "m", "tool-calls", 7),
        finish("d", "n", "stop", 2),
    ]);
    let usages = picked(
        &named(&events, "agent_usage"),
        &["message_id", "input_tokens", "output_tokens", "cache_read_input_tokens", "cost_usd"],
    );
    assert_eq!(usages, json!([["m", 10, 6, 4, 0.5], ["m", 20, 14, 8, 1.0], ["n", 10, 3, 4, 0.5]]));
}

#[test]
fn a_turn_ends_as_its_last_step_says_and_another_begins_with_the_next() {
    let again = [
        finish("a", "m", "stop", 1),
        line("text", json!({"type": "text", "text": "And more"})),
        finish("b", "n", "length", 1),
    ];
    let events = of(&again);
    assert_eq!(picked(&named(&events, "agent.status"), &["status"]), json!([["waiting"], ["running"], ["waiting"]]));
    let cut = "The answer was cut short: it had as many tokens as an answer may have";
    assert_eq!(picked(&named(&events, "agent_notice"), &["level", "message"]), json!([["warning", cut]]));
    let refused = of(&[finish("a", "m", "content-filter", 1)]);
    assert_eq!(picked(&named(&refused, "agent_error"), &["code"]), json!([["refusal"]]));
    // A message and a name of its own may be missing.
    let plain = of(&[
        line("text", json!({"text": "one"})),
        line("text", json!({"text": "two"})),
        line("reasoning", json!({"text": "hm"})),
    ]);
    assert_eq!(
        picked(&named(&plain, "agent_output"), &["text", "stream"]),
        json!([["one", "assistant"], ["two", "assistant"], ["hm", "thinking"]])
    );
}

#[test]
fn errors_fail_the_run_and_a_limit_says_when_it_ends() {
    let error = |error: Value| json!({"type": "error", "timestamp": 7, "sessionID": "ses_1", "error": error});
    let cases = [
        (
            json!({"name": "APIError", "data": {"message": "bad request", "statusCode": 400, "isRetryable": false}}),
            "APIError",
            "bad request",
            None,
        ),
        (
            json!({"name": "APIError", "data": {"message": "Too many requests", "responseHeaders": {"retry-after": "30"}}}),
            "rate_limited",
            "Too many requests",
            Some("1970-01-01T00:00:30.000Z"),
        ),
        (json!({"message": "no such model"}), "error", "no such model", None),
        (
            json!("run ended with an auto-rejected permission"),
            "error",
            "run ended with an auto-rejected permission",
            None,
        ),
    ];
    for (data, code, message, until) in cases {
        let (events, failure) = read(&[error(data.clone()).to_string()]);
        assert_eq!(
            picked(&named(&events, "agent_error"), &["code", "message", "until"]),
            json!([[code, message, until]]),
            "{data}"
        );
        assert_eq!(failure.as_deref(), Some(message), "{data}");
        assert_eq!(named(&events, "agent.status"), [json!({"status": "waiting"})], "{data}");
    }
    let interrupted = error(json!({"name": "MessageAbortedError", "data": {"message": "Aborted"}}));
    let (events, failure) = read(&[interrupted.to_string()]);
    assert_eq!((failure, named(&events, "agent_error").len()), (None, 1));
}

#[test]
fn the_to_do_list_comes_of_the_call_that_writes_it() {
    let todos = json!([{"content": "Look", "status": "completed", "id": "1"}, {"content": "Write", "status": "in_progress", "id": "2"}]);
    let state =
        json!({"status": "completed", "input": {"todos": todos}, "output": "[]", "time": {"start": 1, "end": 2}});
    let events =
        of(&[line("tool_use", json!({"id": "p", "type": "tool", "tool": "todowrite", "callID": "c", "state": state}))]);
    let told = &named(&events, "progress_update")[0];
    assert_eq!((&told["percentage"], &told["current_phase"]), (&json!(50.0), &json!("Write")));
    assert_eq!(
        told["todos"],
        json!([{"content": "Look", "status": "completed"}, {"content": "Write", "status": "in_progress"}])
    );
}

#[test]
fn what_is_no_line_of_it_is_shown_with_a_notice() {
    let text = line("text", json!({"id": "a", "type": "text", "text": "Hello"})).to_string();
    let call = line(
        "tool_use",
        json!({"id": "b", "type": "tool", "tool": "read", "callID": "c", "state": {"status": "error", "error": "no"}}),
    );
    let lines = [
        "! permission requested: bash".to_owned(),
        line("hologram", json!({})).to_string(),
        json!({"type": "text", "sessionID": "ses_1"}).to_string(),
        format!("{}{call}", &text[..text.len() / 2]),
        "[]".to_owned(),
        text,
    ];
    let (events, _) = read(&lines);
    let kinds = picked(&named(&events, "parser_notice"), &["kind"]);
    assert_eq!(kinds, json!([["malformed"], ["unknown"], ["malformed"], ["malformed"], ["malformed"]]));
    assert_eq!(picked(&named(&events, "agent_tool_result"), &["tool_use_id", "success"]), json!([["c", false]]));
    assert_eq!(picked(&named(&events, "agent_output"), &["text"]), json!([["Hello"]]));
}

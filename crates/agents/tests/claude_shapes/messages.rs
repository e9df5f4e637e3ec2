//! Messages: usage that grows, repeated lines, what was being typed, words in a person's place.

use super::reading::told;
use serde_json::{Value, json};

use super::{by, call, done, events, init, named, of, picked, result, system, text, typed, typing, with};

#[test]
fn a_messages_usage_is_its_last_figure() {
    let used = |line: Value, output: u64| {
        let mut line = line;
        line["message"]["usage"] = json!({"input_tokens": 5, "cache_read_input_tokens": 70, "output_tokens": output});
        line
    };
    let lines = [
        used(text("m1", "a"), 2),
        used(text("m1", "b"), 2),
        used(text("m1", "c"), 640),
        used(by(text("m2", "d"), "t"), 30),
        used(text("m1", "late"), 2),
    ];
    let usage = of(&lines, "agent_usage");
    let fields = ["message_id", "output_tokens", "cache_read_input_tokens", "parent_tool_use_id"];
    assert_eq!(picked(&usage, &fields), json!([["m1", 2, 70, null], ["m1", 640, 70, null], ["m2", 30, 70, "t"]]));
}

#[test]
fn with_partial_messages_the_last_figure_is_that_of_message_delta() {
    let mut lines = typing("m", "Hello");
    lines.push(with(text("m", "Hello"), "uuid", "u".into()));
    lines[3]["message"]["usage"] = json!({"input_tokens": 9, "output_tokens": 1});
    lines.push(typed(json!({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 212}})));
    lines.push(typed(json!({"type": "message_stop"})));
    lines.push(lines[3].clone());
    let usage = of(&lines, "agent_usage");
    assert_eq!(picked(&usage, &["input_tokens", "output_tokens"]), json!([[9, 1], [9, 212]]));
}

#[test]
fn a_line_that_is_repeated_is_the_same_line() {
    let lines = [
        with(text("m", "Once."), "uuid", "u1".into()),
        with(call("t", "Bash", json!({"command": "ls"})), "uuid", "u2".into()),
        with(result("t", "a".into()), "uuid", "u3".into()),
        with(done(), "uuid", "u4".into()),
    ];
    let once = told(&events(&lines));
    let twice: Vec<Value> = lines.iter().flat_map(|line| [line.clone(), line.clone()]).collect();
    let without_times = |told: &str| told.replace("\"duration_ms\":20", "\"duration_ms\":10");
    assert_eq!(without_times(&told(&events(&twice))), once);
    let again: Vec<Value> = lines.iter().chain(&lines).cloned().collect();
    assert_eq!(told(&events(&again)), once);
}

#[test]
fn what_was_being_typed_at_a_kill_is_kept() {
    let half = "The cause is the lock in ";
    let lines = typing("m", half);
    let outputs = of(&lines, "agent_output");
    assert_eq!(outputs, [json!({"text": half, "stream": "assistant", "message_id": "m", "broken_off": true})]);
    let mut again = typing("m", half);
    again.push(system("api_retry", json!({"attempt": 1, "retry_delay_ms": 500})));
    again.extend(typing("m2", half));
    again.push(text("m2", "The cause is the lock in cache.rs"));
    assert_eq!(
        picked(&of(&again, "agent_output"), &["text", "broken_off"]),
        json!([["The cause is the lock in cache.rs", null]])
    );
    let retry = &of(&again, "agent_error")[0];
    assert_eq!((retry["retryable"].as_bool(), retry["until"].as_str()), (Some(true), Some("1970-01-01T00:00:00.540Z")));
}

#[test]
fn what_the_program_says_in_a_persons_place_is_told_as_its_own() {
    let said = |content: Value| json!({"type": "user", "message": {"role": "user", "content": content}, "uuid": "u"});
    let fresh = |mut line: Value, uuid: &str| {
        line["uuid"] = uuid.into();
        line
    };
    let note = "<task-notification>\n<task-id>b1</task-id>\n<status>completed</status>\n<summary>It is up</summary>\n</task-notification>";
    let lines = [
        fresh(with(said("Fix it".into()), "isReplay", true.into()), "1"),
        system("task_started", json!({"task_id": "b1", "task_type": "local_bash"})),
        fresh(by(said("Look at the readme".into()), "t"), "2"),
        fresh(by(said("And at the code".into()), "t"), "3"),
        fresh(said(json!([{"type": "text", "text": "[Request interrupted by user]"}])), "4"),
        fresh(with(said("This session is being continued".into()), "isSynthetic", true.into()), "5"),
        fresh(said("<local-command-stdout>ok</local-command-stdout>".into()), "6"),
        fresh(said("<local-command-caveat>x</local-command-caveat>".into()), "7"),
        fresh(said(note.into()), "8"),
    ];
    let all = events(&lines);
    let messages = picked(&named(&all, "user_message"), &["text", "by", "source", "parent_tool_use_id", "message_id"]);
    assert_eq!(
        messages,
        json!([
            ["Fix it", "operator", "prompt", null, "1"],
            ["Look at the readme", "claude_code", "prompt", "t", "2"],
            ["And at the code", "claude_code", "message", "t", "3"],
            ["[Request interrupted by user]", "claude_code", "message", null, "4"],
            ["This session is being continued", "claude_code", "message", null, "5"],
            [note, "claude_code", "message", null, "8"],
        ])
    );
    assert_eq!(named(&all, "agent_output")[0]["text"], "ok");
    assert_eq!(
        picked(&named(&all, "agent_task_ended"), &["task_id", "outcome", "summary"]),
        json!([["b1", "completed", "It is up"]])
    );
}

#[test]
fn what_comes_late_begins_no_turn() {
    let stopped = json!({"type": "result", "subtype": "error_during_execution", "is_error": false});
    let lines = [
        init(),
        call("late", "Bash", json!({"command": "make"})),
        stopped,
        result("late", "Exit code 2".into()),
        by(text("s1", "a sub-agent's late word"), "task-1"),
    ];
    let told = events(&lines);
    assert_eq!(picked(&named(&told, "agent.status"), &["status"]), json!([["waiting"]]));
    assert_eq!(picked(&named(&told, "agent_tool_result"), &["tool_use_id"]), json!([["late"]]));
    let goes_on = of(&[init(), done(), text("m2", "And now")], "agent.status");
    assert_eq!(picked(&goes_on, &["status"]), json!([["waiting"], ["running"]]));
}

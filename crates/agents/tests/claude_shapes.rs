//! Shapes that Claude Code's output takes and the recordings have not: usage that grows, lists kept item by item, work in
//! the background, what the API's own tools gave, limits, what was being typed.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)] // test helpers
#![allow(clippy::needless_pass_by_value)] // a line reads better with its parts in it

mod reading;

use reading::{of_lines, told};
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
fn a_to_do_list_is_kept_item_by_item_and_by_author() {
    let lines = [
        call("t1", "TaskCreate", json!({"subject": "Read"})),
        result("t1", "Task #1 created successfully: Read".into()),
        call("t2", "TaskCreate", json!({"subject": "Write"})),
        with(result("t2", "made".into()), "tool_use_result", json!({"task": {"id": "2", "subject": "Write"}})),
        by(call("t3", "TodoWrite", json!({"todos": [{"content": "inner", "status": "pending"}]})), "agent"),
        call("t4", "TaskUpdate", json!({"taskId": "1", "status": "completed"})),
        result("t4", "Updated task #1 status".into()),
        call("t5", "TaskUpdate", json!({"taskId": "2", "status": "deleted"})),
        json!({"type": "user", "message": {"content": [
            {"type": "tool_result", "tool_use_id": "t5", "content": "No such task", "is_error": true}]}}),
    ];
    let progress = of(&lines, "progress_update");
    let list = |items: &[(&str, &str)]| -> Value {
        items.iter().map(|(content, status)| json!({"content": content, "status": status})).collect()
    };
    let expected = json!([
        [null, 0.0, list(&[("Read", "pending")])],
        [null, 0.0, list(&[("Read", "pending"), ("Write", "pending")])],
        ["agent", 0.0, list(&[("inner", "pending")])],
        [null, 50.0, list(&[("Read", "completed"), ("Write", "pending")])],
    ]);
    assert_eq!(picked(&progress, &["parent_tool_use_id", "percentage", "todos"]), expected);
    assert_eq!(of(&lines, "agent_tool_call")[0]["category"], "Todo");
}

#[test]
fn a_command_in_the_background_begins_and_ends_once() {
    let lines = [
        init(),
        call("t", "Bash", json!({"command": "make all", "run_in_background": true})),
        system(
            "task_started",
            json!({"task_id": "b1", "tool_use_id": "t", "description": "make all", "task_type": "local_bash", "uuid": "1"}),
        ),
        result("t", "Command running in background with ID: b1. Output is being written to: /tmp/b1".into()),
        system(
            "background_tasks_changed",
            json!({"tasks": [{"task_id": "b1", "task_type": "local_bash"}], "uuid": "2"}),
        ),
        text("m", "It runs."),
        done(),
        system("background_tasks_changed", json!({"tasks": [], "uuid": "2"})),
        system(
            "task_notification",
            json!({"task_id": "b1", "tool_use_id": "t", "status": "failed", "summary": "Background command \"make all\" failed with exit code 2", "uuid": "3"}),
        ),
        init(),
        text("m2", "I look."),
        done(),
    ];
    let all = events(&lines);
    let names = ["agent_task_started", "agent_task_ended", "agent.status"];
    let told: Vec<_> = all
        .iter()
        .filter(|event| names.contains(&event.name()))
        .map(|event| {
            let data: Value = serde_json::from_str(event.to_raw().get()).unwrap();
            (event.name().to_owned(), data)
        })
        .collect();
    let expected = [
        (
            "agent_task_started",
            json!({"task_id": "b1", "kind": "command", "description": "make all", "tool_use_id": "t"}),
        ),
        ("agent.status", json!({"status": "waiting"})),
        (
            "agent_task_ended",
            json!({"task_id": "b1", "outcome": "failed", "summary": "Background command \"make all\" failed with exit code 2", "exit_code": 2, "tool_use_id": "t"}),
        ),
        ("agent.status", json!({"status": "running"})),
        ("agent.status", json!({"status": "waiting"})),
    ];
    assert_eq!(told, expected.map(|(name, data)| (name.to_owned(), data)));
}

#[test]
fn work_in_the_background_is_known_by_its_call_alone() {
    let lines = [
        call("t1", "Bash", json!({"command": "serve", "run_in_background": true})),
        result("t1", "Command running in background with ID: bash_1".into()),
        call("t2", "Agent", json!({"description": "look"})),
        with(result("t2", "launched".into()), "tool_use_result", json!({"status": "async_launched", "agentId": "a9"})),
        call("t3", "BashOutput", json!({"bash_id": "bash_1"})),
        result("t3", "<status>completed</status>\n<exit_code>0</exit_code>\n<stdout>up</stdout>".into()),
        call("t4", "TaskStop", json!({"task_id": "a9"})),
        result("t4", "stopped".into()),
    ];
    let all = events(&lines);
    let began = picked(&named(&all, "agent_task_started"), &["task_id", "kind", "description", "tool_use_id"]);
    assert_eq!(began, json!([["bash_1", "command", "serve", "t1"], ["a9", "agent", "look", "t2"]]));
    let ended = picked(&named(&all, "agent_task_ended"), &["task_id", "outcome", "exit_code", "tool_use_id"]);
    assert_eq!(ended, json!([["bash_1", "completed", 0, "t1"], ["a9", "stopped", null, "t2"]]));
}

#[test]
fn a_sub_agent_in_the_background_does_not_begin_a_turn_and_its_work_counts() {
    let lines = [
        call("t", "Agent", json!({"description": "look"})),
        system(
            "task_started",
            json!({"task_id": "a", "tool_use_id": "t", "task_type": "local_agent", "is_backgrounded": true}),
        ),
        done(),
        by(text("inner", "I look."), "t"),
        system("task_notification", json!({"task_id": "a", "status": "completed", "summary": "Fine."})),
    ];
    assert_eq!(picked(&of(&lines, "agent.status"), &["status"]), json!([["waiting"]]));
}

#[test]
fn what_the_apis_own_tools_gave_is_read() {
    let block = |block: Value| assistant("m", block);
    let used = |id: &str, name: &str, input: Value| {
        block(json!({"type": "server_tool_use", "id": id, "name": name, "input": input}))
    };
    let lines = [
        init(),
        used("s1", "web_search", json!({"query": "release notes"})),
        block(json!({"type": "web_search_tool_result", "tool_use_id": "s1", "content": [
            {"type": "web_search_result", "title": "Notes", "url": "https://e.org/n", "encrypted_content": "x", "page_age": null}]})),
        used("s2", "web_search", json!({"query": "more"})),
        block(json!({"type": "web_search_tool_result", "tool_use_id": "s2",
            "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}})),
        used("s3", "code_execution", json!({"code": "1/0"})),
        block(json!({"type": "code_execution_tool_result", "tool_use_id": "s3", "content":
            {"type": "code_execution_result", "stdout": "", "stderr": "ZeroDivisionError", "return_code": 1, "content": []}})),
        block(json!({"type": "mcp_tool_use", "id": "s4", "name": "list", "server_name": "files", "input": {}})),
        block(
            json!({"type": "mcp_tool_result", "tool_use_id": "s4", "is_error": false, "content": [{"type": "text", "text": "a.txt"}]}),
        ),
        used("s5", "text_editor_code_execution", json!({"command": "view", "path": "/w/a.py"})),
    ];
    let all = events(&lines);
    let calls = picked(&named(&all, "agent_tool_call"), &["category", "summary"]);
    assert_eq!(
        calls,
        json!([
            ["WebSearch", "Searching the web for \"release notes\""],
            ["WebSearch", "Searching the web for \"more\""],
            ["Bash", "Running `1/0`"],
            ["Mcp", "Using list of files"],
            ["Read", "Reading a.py"],
        ])
    );
    let results = picked(&named(&all, "agent_tool_result"), &["success", "content", "exit_code"]);
    assert_eq!(
        results,
        json!([
            [true, "Notes — https://e.org/n", null],
            [false, "It failed: max_uses_exceeded", null],
            [false, "ZeroDivisionError", 1],
            [true, "a.txt", null],
        ])
    );
    assert!(named(&all, "parser_notice").is_empty());
}

#[test]
fn success_is_what_all_signals_say_together() {
    let failed = |id: &str, content: &str| {
        json!({"type": "user", "message": {"content": [
            {"type": "tool_result", "tool_use_id": id, "content": content, "is_error": true}]}})
    };
    let bash = |id: &str| call(id, "Bash", json!({"command": "x"}));
    let lines = [
        bash("t1"),
        failed("t1", "Exit code 3\nhalf"),
        bash("t2"),
        with(result("t2", "half".into()), "tool_use_result", json!({"stdout": "half", "interrupted": true})),
        call("t3", "mcp__a__b", json!({})),
        with(result("t3", json!([])), "tool_use_result", json!({"structuredContent": {"n": 1}})),
        bash("t4"),
        result("t4", "Exit code 3\nis what this text is about".into()),
        result("t2", "all of it, late".into()),
    ];
    let results = picked(&of(&lines, "agent_tool_result"), &["tool_use_id", "success", "exit_code", "content"]);
    assert_eq!(
        results,
        json!([
            ["t1", false, 3, "Exit code 3\nhalf"],
            ["t2", false, null, "half"],
            ["t3", true, null, "{\"n\":1}"],
            ["t4", true, null, "Exit code 3\nis what this text is about"],
            ["t2", true, null, "all of it, late"],
        ])
    );
}

#[test]
fn a_picture_goes_beside_the_event_that_names_it() {
    let image = json!([{"type": "text", "text": "Shot."}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"}}]);
    let mut reading = reading::Reading::new(Runtime::ClaudeCode, townwatch_agents::normalise::RunContext::default());
    reading.read(format!("{}\n", result("t", image)).as_bytes());
    let meaning = reading.meanings.pop().unwrap();
    let data = &named(&meaning.events, "agent_tool_result")[0];
    assert_eq!(
        (data["content"].as_str(), data["attachments"][0]["image_id"].as_str()),
        (Some("Shot."), Some(meaning.pictures[0].image_id.as_str()))
    );
    let picture = &meaning.pictures[0];
    assert_eq!((picture.media_type, &picture.bytes[..6], picture.bytes.len()), ("image/gif", b"GIF89a".as_slice(), 42));
}

#[test]
fn a_limit_that_is_reached_is_told_once_with_its_end() {
    let words = "You've hit your limit · resets 2pm";
    let limit = |status: &str| json!({"type": "rate_limit_event", "rate_limit_info": {"status": status, "resetsAt": 1_800_000_000, "rateLimitType": "five_hour", "utilization": 0.9}});
    let ended = json!({"type": "result", "subtype": "success", "is_error": true, "result": words});
    let lines = [
        init(),
        limit("allowed_warning"),
        limit("rejected"),
        with(text("m", words), "error", "rate_limit".into()),
        ended.clone(),
    ];
    let all = events(&lines);
    let errors = picked(&named(&all, "agent_error"), &["code", "until", "retryable"]);
    assert_eq!(errors, json!([["rate_limited", "2027-01-15T08:00:00.000Z", false]]));
    assert_eq!(
        picked(&named(&all, "agent_notice"), &["kind", "until"]),
        json!([["rate_limit", "2027-01-15T08:00:00.000Z"]])
    );
    assert!(named(&all, "agent_output").is_empty());
    let without_event = of(&[init(), with(text("m", words), "error", "rate_limit".into()), ended], "agent_error");
    assert_eq!(picked(&without_event, &["code", "message"]), json!([["rate_limited", words]]));
}

#[test]
fn a_limit_that_only_words_tell_of_says_when_it_ends_where_they_do() {
    let told = |words: &str, status: Value| {
        let ended = json!({"type": "result", "subtype": "success", "is_error": true, "result": words, "api_error_status": status});
        picked(&of(&[init(), ended], "agent_error"), &["code", "until"])
    };
    let until = "1970-01-01T00:01:00.020Z"; // a minute after the second line
    assert_eq!(
        told("API Error: Request rejected, try again in 1 minute", 429.into()),
        json!([["rate_limited", until]])
    );
    assert_eq!(told("5-hour limit reached ∙ resets 3pm", Value::Null), json!([["rate_limited", null]]));
    let api = |words: &str| json!({"type": "assistant", "isApiErrorMessage": true, "message": {"id": "m", "content": [{"type": "text", "text": words}]}});
    let early = of(&[init(), api("Claude AI usage limit reached|31000000")], "agent_error");
    assert_eq!(picked(&early, &["code", "until"]), json!([["rate_limited", null]])); // too early for a number of seconds
    let again =
        system("api_retry", json!({"attempt": 1, "retry_delay_ms": 500, "error_status": 429, "error": "rate_limit"}));
    assert_eq!(picked(&of(&[again], "agent_error"), &["code", "retryable"]), json!([["rate_limited", true]]));
}

#[test]
fn a_model_that_stops_before_its_time_says_so_once() {
    let stopped = |reason: &str| {
        let mut line = text("m", "I have");
        line["message"]["stop_reason"] = reason.into();
        line["message"]["stop_details"] =
            json!({"type": reason, "explanation": "It is about poisons.", "category": "bio"});
        line
    };
    let ended = |reason: &str| with(done(), "stop_reason", reason.into());
    let told = |lines: &[Value]| {
        let events = events(lines);
        let errors = picked(&named(&events, "agent_error"), &["code", "message"]);
        let notices = picked(&named(&events, "agent_notice"), &["kind", "level", "message", "parent_tool_use_id"]);
        assert!(named(&events, "parser_notice").is_empty());
        (errors, notices)
    };
    let refused = json!([["refusal", "The model refused to go on: It is about poisons."]]);
    // As a message, as its two lines, with its result, and with the result alone.
    assert_eq!(told(&[init(), stopped("refusal")]).0, refused);
    assert_eq!(told(&[init(), stopped("refusal"), stopped("refusal"), ended("refusal")]).0, refused);
    assert_eq!(
        told(&[init(), ended("refusal"), ended("end_turn")]).0,
        json!([["refusal", "The model refused to go on"]])
    );
    let turns = [init(), ended("refusal"), ended("refusal")];
    assert_eq!(told(&turns).0.as_array().unwrap().len(), 2, "each turn has its own");
    // While it is typed: only the API's event has it, and the program's own words come right behind it.
    let delta = |reason: &str| {
        typed(json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 3}}))
    };
    let partial = |reason: &str| {
        [typing("m", "I have"), vec![text("m", "I have"), delta(reason), typed(json!({"type": "message_stop"}))]]
            .concat()
    };
    assert_eq!(told(&partial("refusal")).0, json!([["refusal", "The model refused to go on"]]));
    let mut own_words = text("e", "API Error: it can't help with this.");
    own_words["error"] = "invalid_request".into();
    own_words["message"]["stop_reason"] = "refusal".into();
    let failed =
        with(with(ended("refusal"), "is_error", true.into()), "result", "API Error: it can't help with this.".into());
    let lines = [partial("refusal"), vec![own_words, failed]].concat();
    assert_eq!(told(&lines).0, json!([["refusal", "API Error: it can't help with this."]]));
    let only_failed = with(with(ended("refusal"), "is_error", true.into()), "result", "No.".into());
    assert_eq!(told(&[init(), only_failed]).0, json!([["refusal", "No."]]));
    // An answer that had no more room, and a conversation that has none.
    let cut = "The answer was cut short: it had as many tokens as an answer may have";
    let expected = json!([["other", "warning", cut, null]]);
    assert_eq!(
        told(&[init(), stopped("max_tokens"), text("n", "gone on with"), ended("max_tokens")]),
        (json!([]), expected.clone())
    );
    assert_eq!(
        told(&[partial("max_tokens"), vec![text("n", "more"), stopped("refusal"), done()]].concat()).0,
        json!([]),
        "one message stops once"
    );
    assert_eq!(told(&partial("max_tokens")), (json!([]), expected));
    let full = "The answer was cut short: the conversation is as long as the model can read";
    let expected = json!([["model_context_window_exceeded", full]]);
    assert_eq!(told(&[init(), stopped("model_context_window_exceeded"), done()]).0, expected);
    // A sub-agent's is its own.
    let of_sub_agent = told(&[init(), by(stopped("max_tokens"), "t"), ended("end_turn")]).1;
    assert_eq!(of_sub_agent, json!([["other", "warning", cut.replace("The answer", "A sub-agent's answer"), "t"]]));
    // Nothing is told of an end as it should be; a reason that nobody knows is shown.
    assert_eq!(
        told(&[init(), stopped("end_turn"), stopped("tool_use"), ended("stop_sequence")]),
        (json!([]), json!([]))
    );
    assert_eq!(named(&events(&[init(), stopped("tired")]), "parser_notice").len(), 1);
}

#[test]
fn what_a_person_needs_to_know_of_the_program_is_told() {
    let servers = json!([{"name": "a", "status": "connected"}, {"name": "b", "status": "failed"}, {"name": "c", "status": "needs-auth"}, {"name": "d", "status": "pending"}]);
    let begun = with(init(), "mcp_servers", servers);
    let lines = [
        begun.clone(),
        system("status", json!({"status": "compacting"})),
        system("status", json!({"status": "compacting"})),
        system(
            "compact_boundary",
            json!({"compact_metadata": {"trigger": "auto", "pre_tokens": 155_000, "post_tokens": 12_000}}),
        ),
        system("hook_response", json!({"hook_name": "PreToolUse:Bash", "exit_code": 2, "stderr": "not on a Friday"})),
        system("model_changed", json!({"from_model": "big", "to_model": "small", "reason": "overloaded"})),
        system("notification", json!({"key": "k", "text": "A new version is there"})),
        system("local_command_output", json!({"content": "<local-command-stdout>3 files</local-command-stdout>"})),
        done(),
        begun,
    ];
    let all = events(&lines);
    let notices = picked(&named(&all, "agent_notice"), &["kind", "level", "message", "tokens_before", "tokens_after"]);
    assert_eq!(
        notices,
        json!([
            ["tool_server", "warning", "The tool server b did not start", null, null],
            ["tool_server", "warning", "The tool server c wants somebody to sign in", null, null],
            ["compaction_started", "info", "The conversation is being summed up, to make room", null, null],
            [
                "compaction_ended",
                "info",
                "The conversation was summed up: of 155000 tokens, 12000 are left",
                155_000,
                12_000
            ],
            ["hook_blocked", "warning", "The hook PreToolUse:Bash did not let it happen: not on a Friday", null, null],
            ["model_changed", "info", "The model small took over from big: overloaded", null, null],
            ["other", "info", "A new version is there", null, null],
        ])
    );
    assert_eq!(named(&all, "agent_session").last().unwrap()["model"], "small");
    assert_eq!(named(&all, "agent_output")[0]["text"], "3 files");
}

#[test]
fn hooks_that_had_something_against_the_end_of_a_turn_say_so() {
    let summary = |fields: Value| {
        let events = events(&[init(), system("stop_hook_summary", fields)]);
        assert!(named(&events, "parser_notice").is_empty());
        picked(&named(&events, "agent_notice"), &["kind", "level", "message"])
    };
    let quiet = json!({"hook_count": 1, "hook_infos": [{"command": "check"}], "hook_errors": [], "prevented_continuation": false, "has_output": false, "level": "info"});
    assert_eq!(summary(quiet), json!([]));
    let loud = json!({
        "hook_label": "SubagentStop", "hook_errors": ["[check]: tests\nfail", "Failed with non-blocking status code: no such file", " "],
        "hook_additional_context": ["Mind the changelog"], "prevented_continuation": true, "stop_reason": "enough for today",
    });
    assert_eq!(
        summary(loud),
        json!([
            ["hook_blocked", "warning", "The hook SubagentStop did not let the turn end: [check]: tests fail"],
            ["other", "warning", "The hook SubagentStop failed: Failed with non-blocking status code: no such file"],
            ["other", "info", "The hook SubagentStop told the agent: Mind the changelog"],
            ["hook_blocked", "warning", "The hook SubagentStop did not let it go on: enough for today"],
        ])
    );
    // As a transcript on disk has it.
    let stored = json!({"hookErrors": ["no"], "preventedContinuation": false});
    assert_eq!(summary(stored), json!([["hook_blocked", "warning", "The hook Stop did not let the turn end: no"]]));
}

#[test]
fn lines_of_the_program_about_itself_are_told_where_they_matter() {
    let lines = [
        init(),
        system("informational", json!({"content": "A hook denied it", "level": "info", "prevent_continuation": true})),
        system("informational", json!({"content": "Nearly full", "level": "warning"})),
        system("memory_saved", json!({"written_paths": ["notes/a.md", "notes/b.md"]})),
        system(
            "instruction_size_warning",
            json!({"total_chars": 50_000, "total_limit_chars": 40_000, "file_count": 2}),
        ),
        system("plugin_install", json!({"status": "failed", "name": "lint", "error": "no network"})),
        system("plugin_install", json!({"status": "installed", "name": "lint"})),
        system(
            "code_change_published",
            json!({"url": "https://forge.example/a/b/pull/7", "action": "auto-merge-enabled"}),
        ),
        system("file_attachments_missing", json!({"missing": [{"file_uuid": "f", "reason": "too_large"}]})),
        system("session_writes_lost", json!({"error_code": "ENOSPC", "lost": ["transcript", "global_config"]})),
        system("peer_message_hold", json!({"state": "dropped", "from_name": "other"})),
        system("ui_toast", json!({"plugin": "lint", "text": "2 files are new"})),
        system("mirror_error", json!({"error": "disk"})),
        json!({"type": "conversation_reset", "trigger": "clear"}),
        system("agents_killed", json!({})),
        system("vcs_state_changed", json!({"kind": "commit"})),
        json!({"type": "command_lifecycle", "status": "queued"}),
    ];
    let events = events(&lines);
    assert!(named(&events, "parser_notice").is_empty());
    let expected = [
        "hook_blocked warning A hook denied it",
        "other warning Nearly full",
        "other info It noted for later what it learned: notes/a.md, notes/b.md",
        "other warning The files of instructions have 50000 characters; 40000 at most are recommended",
        "other warning The plugin lint could not be installed: no network",
        "other info A change was auto merge enabled: https://forge.example/a/b/pull/7",
        "other warning 1 files of a message did not reach the agent (too large)",
        "other warning The disk was full, so that not all could be kept: transcript, global config",
        "other warning A message of other was not given to the agent",
        "other info lint: 2 files are new",
        "other warning A part of its transcript could not be kept: disk",
        "other info The conversation was begun anew: the agent no longer knows what was said before",
    ];
    let text = |notice: &Value, field: &str| notice[field].as_str().unwrap().to_owned();
    let notices = named(&events, "agent_notice");
    let told: Vec<_> =
        notices.iter().map(|notice| ["kind", "level", "message"].map(|field| text(notice, field)).join(" ")).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_request_that_failed_and_a_refusal_without_another_model_are_errors() {
    let failed = system(
        "api_error",
        json!({"error": {"message": "busy", "status": 429, "formatted": "429 busy"}, "retry_in_ms": 1500, "retry_attempt": 2, "max_retries": 10}),
    );
    let refused = system(
        "model_refusal_no_fallback",
        json!({"original_model": "m", "api_refusal_category": "cyber", "content": "It was flagged."}),
    );
    let errors = of(&[init(), failed, refused, with(done(), "stop_reason", "refusal".into())], "agent_error");
    assert_eq!(
        picked(&errors, &["code", "message", "retryable", "until"]),
        json!([
            ["rate_limited", "The model's API failed: 429 busy; attempt 2", true, "1970-01-01T00:00:01.520Z"],
            ["refusal", "The model refused to go on: It was flagged.", false, null],
        ])
    );
}

#[test]
fn the_program_keeps_the_statuses_of_a_list_itself() {
    let create = call("c", "TaskCreate", json!({"subject": "Look"}));
    let lines = [
        init(),
        create,
        result("c", "Task #1 created successfully: Look".into()),
        system("task_list_statuses", json!({"statuses": [{"id": "1", "status": "completed"}]})),
    ];
    let progress = of(&lines, "progress_update");
    assert_eq!(progress.last().unwrap()["todos"], json!([{"content": "Look", "status": "completed"}]));
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
fn paths_and_shells_of_windows_are_read() {
    let lines = [
        system("init", json!({"session_id": "s", "cwd": r"C:\Users\me\shop"})),
        call("t1", "Edit", json!({"file_path": r"C:\Users\me\shop\src\a.ts"})),
        call("t2", "PowerShell", json!({"command": "Get-ChildItem src"})),
    ];
    let calls = picked(&of(&lines, "agent_tool_call"), &["category", "path", "summary"]);
    assert_eq!(calls, json!([["Edit", "src/a.ts", "Editing src/a.ts"], ["Bash", null, "Running `Get-ChildItem src`"]]));
}

#[test]
fn numbers_stay_digit_for_digit() {
    let input = r#"{"id":2512292042121000001,"amount":1.10,"rate":1e400,"small":-9223372036854775808,"e":1E+2}"#;
    let line = format!(
        r#"{{"type":"assistant","message":{{"id":"m","content":[{{"type":"tool_use","id":"t","name":"mcp__a__b","input":{input}}}]}}}}"#
    );
    let secret = line.replace(r#""e":1E+2"#, &format!(r#""e":1E+2,"key":"ghp_{}""#, "a1B2".repeat(9)));
    let redaction =
        townwatch_agents::redact::Redaction::new(townwatch_agents::redact::SecretValues::default()).unwrap();
    for line in [line, secret] {
        let clean = redaction.json(&line).into_owned();
        for event in of_lines(Runtime::ClaudeCode, &[&clean]).iter().filter(|event| event.name() == "agent_tool_call") {
            let data = redaction.data(event);
            assert!(data.get().contains(&input[..input.len() - 1]), "{}", data.get());
            assert!(!data.get().contains("ghp_"));
        }
    }
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

#[test]
fn a_call_by_the_name_of_one_that_has_ended_is_another_call() {
    let ls = |message: &str| {
        assistant(message, json!({"type": "tool_use", "id": "call_0", "name": "Bash", "input": {"command": "ls"}}))
    };
    let asks = json!({"type": "control_request", "request_id": "r", "request":
        {"subtype": "can_use_tool", "tool_name": "Bash", "tool_use_id": "call_0", "input": {"command": "ls"}}});
    let lines = [
        init(),
        ls("m1"),
        result("call_0", "a".into()),
        ls("m1"),
        ls("m2"),
        asks,
        result("call_0", "b".into()),
        done(),
        ls("m3"),
        result("call_0", "c".into()),
    ];
    let told = events(&lines);
    let named = |name: &str| picked(&named(&told, name), &["tool_use_id"]);
    assert_eq!(named("agent_tool_call"), json!([["call_0"], ["call_0"], ["call_0#2"], ["call_0#3"]]));
    assert_eq!(named("agent_tool_result"), json!([["call_0"], ["call_0#2"], ["call_0#3"]]));
    assert_eq!(named("agent_question"), json!([["call_0#2"]]));
}

#[test]
fn a_result_fails_by_whatever_says_so() {
    let ended = |content: Value, field: &str, value: Value| {
        let lines = [init(), call("c", "mcp__s__t", json!({})), with(result("c", content), field, value)];
        picked(&of(&lines, "agent_tool_result"), &["success", "content"])[0].clone()
    };
    let data = json!("Error: it broke");
    assert_eq!(ended("it broke".into(), "tool_use_result", data), json!([false, "it broke"]));
    let whole = json!({"content": [{"type": "text", "text": "no"}], "isError": true});
    assert_eq!(ended(whole, "uuid", "u".into()), json!([false, "no"]));
    let structured = json!({"structuredContent": {"n": 1}});
    assert_eq!(ended("".into(), "mcpMeta", structured), json!([true, r#"{"n":1}"#]));
    assert_eq!(ended("fine".into(), "tool_use_result", json!("fine")), json!([true, "fine"]));
}

#[test]
fn a_turn_that_may_go_no_further_says_why_in_words() {
    let ended = json!({"type": "result", "subtype": "error_max_turns", "is_error": false});
    let told = of(&[init(), text("m", "x"), ended], "agent_error");
    let words = "The turn ended at the most steps that it may take";
    assert_eq!(picked(&told, &["code", "message"]), json!([["error_max_turns", words]]));
}

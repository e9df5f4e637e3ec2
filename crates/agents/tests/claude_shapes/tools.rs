//! Calls and their results, those of the API's own tools, too.

use serde_json::{Value, json};
use townwatch_protocol::runtime::Runtime;

use super::reading::{self, of_lines};
use super::{assistant, call, done, events, init, named, of, picked, result, system, with};

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

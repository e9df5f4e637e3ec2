//! Recorded output of the real Codex through the normaliser, and everything else that may come along.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers

mod reading;

use proptest::prelude::*;
use reading::{Reading, counts, damaged, events, json, of_lines, recorded, recordings, told};
use townwatch::event::{EventData, Runtime};
use townwatch_control::normalise::Place;

fn told_of(lines: &[&str]) -> String {
    told(&of_lines(Runtime::Codex, lines))
}

#[test]
fn small_recordings_whole() {
    for name in ["basic", "parallel", "abort-sigterm", "err500-retries2", "errmid-response-failed"] {
        insta::assert_snapshot!(name, told(&recorded(&format!("codex/{name}"))));
    }
}

#[test]
fn the_large_recording_counted() {
    insta::assert_snapshot!("volume320", format!("{:#?}", counts(&recorded("codex/volume320"))));
}

#[test]
fn no_line_of_any_recording_is_unknown_or_malformed() {
    for recording in recordings(Runtime::Codex) {
        let events = recorded(recording.name);
        assert!(!events.iter().any(|event| matches!(event, EventData::ParserNotice(_))), "{}", recording.name);
    }
}

#[test]
fn how_a_run_ended_is_known_from_its_last_turn() {
    let how = |name: &str| {
        let recording = recordings(Runtime::Codex).find(|recording| recording.name == name).unwrap();
        let mut reading = Reading::of(recording);
        reading.read(&recording.bytes().unwrap());
        (reading.finished(), reading.failure().map(str::to_owned))
    };
    let overloaded = "We’re currently experiencing high demand, which may cause temporary errors.";
    assert_eq!(how("codex/basic"), (true, None));
    assert_eq!(how("codex/abort-sigterm"), (false, None));
    assert_eq!(how("codex/err500-retries2"), (true, Some(overloaded.to_owned())));
}

#[test]
fn calls_that_run_side_by_side_are_paired() {
    insta::assert_snapshot!(told_of(&[
        r#"{"type":"item.started","item":{"id":"1","type":"command_execution","command":"zsh -c \"echo \\\"a\\\"\"","status":"in_progress"}}"#,
        r#"{"type":"item.started","item":{"id":"2","type":"mcp_tool_call","server":"files","tool":"list","arguments":{"x":1.0e5},"status":"in_progress"}}"#,
        r#"{"type":"item.updated","item":{"id":"2","type":"mcp_tool_call","server":"files","tool":"list","status":"in_progress"}}"#,
        r#"{"type":"item.completed","item":{"id":"2","type":"mcp_tool_call","server":"files","tool":"list","arguments":{"x":1.0e5},"result":{"content":[{"type":"text","text":"a"},{"type":"image","data":""}]},"status":"completed"}}"#,
        r#"{"type":"item.completed","item":{"id":"1","type":"command_execution","command":"x","aggregated_output":"no","exit_code":null,"status":"declined"}}"#,
        r#"{"type":"item.completed","item":{"id":"3","type":"mcp_tool_call","server":"files","tool":"get","arguments":null,"error":{"message":"gone"},"status":"failed"}}"#,
    ]), @r#"
    agent_tool_call {"tool_use_id":"1","tool":"command_execution","category":"Bash","input":{"command":"zsh -c \"echo \\\"a\\\"\""},"summary":"Running `echo \"a\"`"}
    agent_tool_call {"tool_use_id":"2","tool":"mcp__files__list","category":"Mcp","input":{"x":1.0e5},"summary":"Using list of files"}
    agent_tool_result {"tool_use_id":"2","success":true,"content":"a\n[image]","content_length":9,"duration_ms":20}
    agent_tool_result {"tool_use_id":"1","success":false,"content":"no","content_length":2,"duration_ms":40}
    agent_tool_call {"tool_use_id":"3","tool":"mcp__files__get","category":"Mcp","input":{},"summary":"Using get of files"}
    agent_tool_result {"tool_use_id":"3","success":false,"content":"gone","content_length":4,"duration_ms":0}
    "#);
}

#[test]
fn files_searches_sub_agents_and_to_dos() {
    insta::assert_snapshot!(told_of(&[
        r#"{"type":"item.completed","item":{"id":"1","type":"file_change","changes":[{"path":"/w/a","kind":"delete"},{"path":"/elsewhere/b","kind":"add"}],"status":"completed"}}"#,
        r#"{"type":"item.completed","item":{"id":"2","type":"file_change","changes":[{"path":"/w/c","kind":"update"}],"status":"failed"}}"#,
        r#"{"type":"item.started","item":{"id":"3","type":"web_search","id":"ws_1","query":"","action":{"type":"other"}}}"#,
        r#"{"type":"item.completed","item":{"id":"3","type":"web_search","id":"ws_1","query":"rust","action":{"type":"search"}}}"#,
        r#"{"type":"item.started","item":{"id":"4","type":"todo_list","items":[{"text":"one","completed":true},{"text":"two","completed":false}]}}"#,
        r#"{"type":"item.updated","item":{"id":"4","type":"todo_list","items":[{"text":"one","completed":true},{"text":"two","completed":true}]}}"#,
        r#"{"type":"item.completed","item":{"id":"4","type":"todo_list","items":[{"text":"one","completed":true},{"text":"two","completed":true}]}}"#,
        r#"{"type":"item.completed","item":{"id":"5","type":"collab_tool_call","tool":"spawn_agent","prompt":"look around","receiver_thread_ids":["t"],"agents_states":{"t":{"status":"running"}},"status":"completed"}}"#,
    ]), @r#"
    agent_tool_call {"tool_use_id":"1","tool":"file_change","category":"Edit","input":{"changes":[{"path":"/w/a","kind":"delete"},{"path":"/elsewhere/b","kind":"add"}]},"summary":"Editing 2 files: a, /elsewhere/b"}
    agent_tool_result {"tool_use_id":"1","success":true,"content":"","content_length":0,"duration_ms":0}
    file_changed {"path":"a","action":"deleted","tool_use_id":"1"}
    file_changed {"path":"/elsewhere/b","action":"created","tool_use_id":"1"}
    agent_tool_call {"tool_use_id":"2","tool":"file_change","category":"Edit","input":{"changes":[{"path":"/w/c","kind":"update"}]},"path":"c","summary":"Editing c"}
    agent_tool_result {"tool_use_id":"2","success":false,"content":"","content_length":0,"duration_ms":0}
    agent_tool_call {"tool_use_id":"ws_1","tool":"web_search","category":"WebSearch","input":{"query":"","action":{"type":"other"}},"summary":"Searching the web"}
    agent_tool_result {"tool_use_id":"ws_1","success":true,"content":"rust","content_length":4,"duration_ms":10}
    progress_update {"percentage":50.0,"current_phase":"Searching the web","tool_call_count":3,"elapsed_seconds":0,"todos":[{"content":"one","status":"completed"},{"content":"two","status":"pending"}]}
    progress_update {"percentage":99.0,"current_phase":"Searching the web","tool_call_count":3,"elapsed_seconds":0,"todos":[{"content":"one","status":"completed"},{"content":"two","status":"completed"}]}
    agent_tool_call {"tool_use_id":"5","tool":"spawn_agent","category":"Task","input":{"prompt":"look around","receiver_thread_ids":["t"]},"summary":"Handing work to a sub-agent: look around"}
    agent_tool_result {"tool_use_id":"5","success":true,"content":"{\"t\":{\"status\":\"running\"}}","content_length":26,"duration_ms":0}
    "#);
}

#[test]
fn a_thread_of_several_turns_tells_its_usage_so_far() {
    insta::assert_snapshot!(told_of(&[
        r#"{"type":"thread.started","thread_id":"t"}"#,
        r#"{"type":"turn.started"}"#,
        r#"{"type":"turn.failed","error":{"message":"no"}}"#,
        r#"{"type":"thread.started","thread_id":"t"}"#,
        r#"{"type":"turn.started"}"#,
        r#"{"type":"turn.completed","usage":{"input_tokens":30,"cached_input_tokens":20,"cache_write_input_tokens":4,"output_tokens":5}}"#,
    ]), @r#"
    agent_session {"session_id":"t","working_dir":"/w"}
    agent_error {"code":"turn_failed","message":"no","retryable":false}
    agent.status {"status":"waiting"}
    agent.status {"status":"running"}
    agent_usage {"message_id":"turn-2","input_tokens":6,"output_tokens":5,"cache_read_input_tokens":20,"cache_creation_input_tokens":4,"cumulative":true}
    agent.status {"status":"waiting"}
    progress_update {"percentage":100.0,"current_phase":"Done","tool_call_count":0,"elapsed_seconds":0}
    "#);
}

#[test]
fn what_cannot_be_read_is_said_and_what_follows_is_read() {
    insta::assert_snapshot!(told_of(&[
        "plain text",
        "[1]",
        r#"{"type":"from.the.future","x":1}"#,
        r#"{"type":"item.completed"}"#,
        r#"{"type":"item.completed","item":{"id":"1"}}"#,
        r#"{"type":"item.started","item":{"id":"2","type":"hologram","of":"a \ud83d"}}"#,
        r#"{"type":"item.completed","item":{"id":"2","type":"hologram","of":"a","status":"failed"}}"#,
        r#"{"type":"item.completed","item":{"id":3,"type":"agent_message","text":"still \ud83d here"}}"#,
        r#"{"type":"item.completed","item":{"id":"4","type":"agent_message","text":"cut o{"type":"turn.started"}"#,
    ]), @r#"
    parser_notice {"kind":"malformed","count":1,"sample":"plain text"}
    parser_notice {"kind":"malformed","count":1,"sample":"[1]"}
    parser_notice {"kind":"unknown","count":1,"sample":"{\"type\":\"from.the.future\",\"x\":1}"}
    parser_notice {"kind":"malformed","count":1,"sample":"{\"type\":\"item.completed\"}"}
    parser_notice {"kind":"malformed","count":1,"sample":"{\"type\":\"item.completed\",\"item\":{\"id\":\"1\"}}"}
    parser_notice {"kind":"unknown","count":1,"sample":"{\"type\":\"item.started\",\"item\":{\"id\":\"2\",\"type\":\"hologram\",\"of\":\"a \\ud83d\"}}"}
    agent_tool_call {"tool_use_id":"2","tool":"hologram","category":"Other","input":{"id":"2","of":"a \ud83d","type":"hologram"},"summary":"Using hologram"}
    agent_tool_result {"tool_use_id":"2","success":false,"content":"{\"id\":\"2\",\"of\":\"a\",\"status\":\"failed\",\"type\":\"hologram\"}","content_length":55,"duration_ms":10}
    agent_output {"text":"still � here","stream":"assistant"}
    parser_notice {"kind":"malformed","count":1,"sample":"{\"type\":\"item.completed\",\"item\":{\"id\":\"4\",\"type\":\"agent_message\",\"text\":\"cut o"}
    "#);
}

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
        let whole = told(&events(Reading::new(Runtime::Codex, Place::default()), &output, usize::MAX));
        prop_assert_eq!(whole, told(&events(Reading::new(Runtime::Codex, Place::default()), &output, read_bytes)));
    }
}

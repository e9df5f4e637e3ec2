//! Recorded output of the real Gemini CLI through the normaliser, and everything else that may come along.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers

mod reading;

use proptest::prelude::*;
use reading::{Reading, damaged, events, json, of_lines, recorded, recordings, told, typed_as_said};
use townwatch::event::{EventData, Runtime};
use townwatch_control::normalise::Place;

fn told_of(lines: &[&str]) -> String {
    told(&of_lines(Runtime::Gemini, lines))
}

#[test]
fn recordings_whole() {
    for recording in recordings(Runtime::Gemini) {
        insta::assert_snapshot!(recording.name.replace("gemini/", ""), told(&recorded(recording.name)));
    }
}

#[test]
fn no_line_of_any_recording_is_unknown_or_malformed() {
    for recording in recordings(Runtime::Gemini) {
        let events = recorded(recording.name);
        assert!(!events.iter().any(|event| matches!(event, EventData::ParserNotice(_))), "{}", recording.name);
    }
}

#[test]
fn what_was_typed_is_what_the_events_say() {
    let messages: Vec<_> = recordings(Runtime::Gemini).map(typed_as_said).collect();
    assert_eq!(messages, [6, 3, 4, 0]); // basic, parallel, abort-sigterm, err400
}

#[test]
fn how_a_run_ended_is_known_from_its_result() {
    let how = |name: &str| {
        let recording = recordings(Runtime::Gemini).find(|recording| recording.name == name).unwrap();
        let mut reading = Reading::of(recording);
        reading.read(&recording.bytes().unwrap());
        (reading.finished(), reading.failure().is_some())
    };
    assert_eq!(how("gemini/basic"), (true, false));
    assert_eq!(how("gemini/abort-sigterm"), (false, false));
    assert_eq!(how("gemini/err400"), (true, true));
}

#[test]
fn a_message_longer_than_an_event_is_several() {
    let piece =
        format!(r#"{{"type":"message","role":"assistant","content":"{}","delta":true}}"#, "x".repeat(100 << 10));
    let events = of_lines(Runtime::Gemini, &[piece.as_str(); 13]);
    let outputs: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            EventData::Output(output) => Some((output.message_id.as_deref().unwrap(), output.text.len() >> 10)),
            _ => None,
        })
        .collect();
    assert_eq!(outputs, [("message-1", 600), ("message-1", 600), ("message-1", 100)]);
}

#[test]
fn what_the_recordings_do_not_have() {
    insta::assert_snapshot!(told_of(&[
        r#"{"type":"init","session_id":"s","model":"m"}"#,
        r#"{"type":"message","role":"assistant","content":"whole"}"#,
        r#"{"type":"message","role":"assistant","content":"first ","delta":true}"#,
        r#"{"type":"error","severity":"warning","message":"Loop detected"}"#,
        r#"{"type":"tool_use","tool_name":"write_todos","tool_id":"1","parameters":{"todos":[{"description":"one","status":"completed"},{"description":"two","status":"in_progress"},{"description":"three","status":"cancelled"}]}}"#,
        r#"{"type":"tool_use","tool_name":"list_directory","tool_id":"2","parameters":{"dir_path":"/w/src"}}"#,
        r#"{"type":"tool_use","tool_name":"mcp_files_list","tool_id":"3","parameters":{ "a":1.0e400 }}"#,
        r#"{"type":"tool_use","tool_name":"google_web_search","tool_id":"4","parameters":{"query":"rust"}}"#,
        r#"{"type":"tool_result","tool_id":"4","status":"error","error":{"type":"X","message":"no net"}}"#,
        r#"{"type":"tool_result","tool_id":"3","status":"error","output":"gone","error":{"type":"X","message":"gone"}}"#,
        r#"{"type":"error","severity":"error","message":"Model stream ended with empty response text."}"#,
        r#"{"type":"result","status":"error","stats":{"input_tokens":10,"cached":4,"output_tokens":2}}"#,
        r#"{"type":"message","role":"assistant","content":"more","delta":true}"#,
        r#"{"type":"result","status":"success"}"#,
    ]), @r#"
    agent_session {"session_id":"s","model":"m","working_dir":"/w"}
    agent_output {"text":"whole","stream":"assistant","message_id":"message-1"}
    agent_output {"text":"first ","stream":"assistant","message_id":"message-2"}
    agent_error {"code":"warning","message":"Loop detected"}
    agent_tool_call {"tool_use_id":"1","tool":"write_todos","category":"Todo","input":{"todos":[{"description":"one","status":"completed"},{"description":"two","status":"in_progress"},{"description":"three","status":"cancelled"}]},"summary":"Updating the to-do list"}
    progress_update {"percentage":50.0,"current_phase":"two","tool_call_count":1,"elapsed_seconds":0,"todos":[{"content":"one","status":"completed"},{"content":"two","status":"in_progress"}]}
    agent_tool_call {"tool_use_id":"2","tool":"list_directory","category":"Read","input":{"dir_path":"/w/src"},"path":"src","summary":"Reading src"}
    agent_tool_call {"tool_use_id":"3","tool":"mcp_files_list","category":"Mcp","input":{ "a":1.0e400 },"summary":"Using mcp_files_list"}
    agent_tool_call {"tool_use_id":"4","tool":"google_web_search","category":"WebSearch","input":{"query":"rust"},"summary":"Searching the web for \"rust\""}
    agent_tool_result {"tool_use_id":"4","success":false,"content":"no net","content_length":6,"duration_ms":10}
    agent_tool_result {"tool_use_id":"3","success":false,"content":"gone","content_length":4,"duration_ms":30}
    agent_error {"code":"error","message":"Model stream ended with empty response text."}
    agent_usage {"message_id":"result-1","input_tokens":6,"output_tokens":2,"cache_read_input_tokens":4,"cumulative":true}
    agent.status {"status":"waiting"}
    agent.status {"status":"running"}
    agent_output {"text":"more","stream":"assistant","message_id":"message-3"}
    agent.status {"status":"waiting"}
    progress_update {"percentage":100.0,"current_phase":"Done","tool_call_count":4,"elapsed_seconds":0,"todos":[{"content":"one","status":"completed"},{"content":"two","status":"in_progress"}]}
    "#);
}

#[test]
fn what_cannot_be_read_is_said_and_what_follows_is_read() {
    insta::assert_snapshot!(told_of(&[
        "plain text",
        r#"{"type":"hologram"}"#,
        r#"{"role":"assistant"}"#,
        r#"{"type":"message","role":"narrator","content":"Meanwhile"}"#,
        r#"{"type":"tool_use","parameters":7}"#,
        r#"{"type":"message","role":"assistant","content":"cut \ud83d ","delta":true}{"type":"message","role":"assistant","content":"here","delta":true}"#,
        r#"{"type":"message","role":"assistant","content":" and in{"type":"result","status":"success"}"#,
    ]), @r#"
    parser_notice {"kind":"malformed","count":1,"sample":"plain text"}
    parser_notice {"kind":"unknown","count":1,"sample":"{\"type\":\"hologram\"}"}
    parser_notice {"kind":"unknown","count":1,"sample":"{\"role\":\"assistant\"}"}
    parser_notice {"kind":"unknown","count":1,"sample":"{\"type\":\"message\",\"role\":\"narrator\",\"content\":\"Meanwhile\"}"}
    agent_tool_call {"tool_use_id":"","tool":"","category":"Other","input":7,"summary":"Using"}
    parser_notice {"kind":"malformed","count":1,"sample":"{\"type\":\"message\",\"role\":\"assistant\",\"content\":\" and in"}
    agent_output {"text":"cut � here","stream":"assistant","message_id":"message-1"}
    agent.status {"status":"waiting"}
    progress_update {"percentage":100.0,"current_phase":"Done","tool_call_count":1,"elapsed_seconds":0}
    "#);
}

const WORDS: &[&str] = &[
    "type",
    "init",
    "message",
    "tool_use",
    "tool_result",
    "error",
    "result",
    "session_id",
    "model",
    "role",
    "assistant",
    "user",
    "content",
    "delta",
    "tool_name",
    "tool_id",
    "parameters",
    "file_path",
    "write_todos",
    "todos",
    "description",
    "status",
    "output",
    "success",
    "severity",
    "stats",
    "input_tokens",
    "cached",
    "input",
];

proptest! {
    #[test]
    fn no_json_makes_it_panic(lines in prop::collection::vec(json(WORDS), 1..8)) {
        told_of(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[test]
    fn no_event_makes_it_panic(values in prop::collection::vec((prop::sample::select(WORDS), json(WORDS)), 1..8)) {
        let line = |(kind, value): &(&str, String)| format!(r#"{{"type":"{kind}","{kind}":{value},"parameters":{value},"stats":{value},"content":{value}}}"#);
        let lines: Vec<_> = values.iter().map(line).collect();
        told_of(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[test]
    fn no_damage_to_real_output_makes_it_panic(output in damaged("gemini/basic"), read_bytes in 1..5000_usize) {
        let whole = told(&events(Reading::new(Runtime::Gemini, Place::default()), &output, usize::MAX));
        prop_assert_eq!(whole, told(&events(Reading::new(Runtime::Gemini, Place::default()), &output, read_bytes)));
    }
}

//! Recorded output of the real Gemini CLI through the normaliser, and everything else that may come along.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers

mod reading;

use proptest::prelude::*;
use reading::{Reading, damaged, events, json, of_lines, recorded, recordings, told, typed_as_said};
use townwatch_agents::normalise::RunContext;
use townwatch_protocol::event::EventData;
use townwatch_protocol::runtime::Runtime;

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
    agent_notice {"kind":"other","level":"warning","message":"Loop detected"}
    agent_tool_call {"tool_use_id":"1","tool":"write_todos","category":"Todo","input":{"todos":[{"description":"one","status":"completed"},{"description":"two","status":"in_progress"},{"description":"three","status":"cancelled"}]},"summary":"Updating the to-do list"}
    progress_update {"percentage":50.0,"current_phase":"two","tool_call_count":1,"elapsed_seconds":0,"estimated_remaining_seconds":0,"todos":[{"content":"one","status":"completed"},{"content":"two","status":"in_progress"}]}
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

#[test]
fn what_a_tool_gave_is_read_in_every_form() {
    let picture =
        r#"{"inlineData":{"mimeType":"image/gif","data":"R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"}}"#;
    let cases = [
        (r#""output":"text""#.to_owned(), "text", true, 0),
        (format!(r#""output":[{{"text":"a"}},{picture},{{"text":"b"}}]"#), "a\nb", true, 1),
        (format!(r#""output":{picture}"#), "", true, 1),
        (r#""output":{"functionResponse":{"response":{"output":"inner"}}}"#.to_owned(), "inner", true, 0),
        (r#""output":{"rows":[1.10]}"#.to_owned(), r#"{"rows":[1.10]}"#, true, 0),
        (r#""output":[{"fileData":{"mimeType":"application/pdf","fileUri":"gs://b/a.pdf"}}]"#.to_owned(), "", true, 1),
        (r#""output":"","returnDisplay":"shown""#.to_owned(), "shown", true, 0),
        (r#""returnDisplay":{"fileDiff":"-a\n+b","fileName":"x"}"#.to_owned(), "-a\n+b", true, 0),
        (r#""output":"half","error":{"type":"x","message":"gone"}"#.to_owned(), "half\ngone", false, 0),
        (r#""error":"gone""#.to_owned(), "gone", false, 0),
        (String::from(r#""x":0"#), "", true, 0),
    ];
    for (fields, text, success, attachments) in cases {
        let line = format!(r#"{{"type":"tool_result","tool_id":"1","status":"success",{fields}}}"#);
        let events = of_lines(Runtime::Gemini, &[&line]);
        let EventData::ToolResult(result) = &events[0] else { unreachable!("{fields}") };
        let told = (result.content.as_str(), result.success, result.attachments.len());
        assert_eq!(told, (text, success, attachments), "{fields}");
    }
    let mut reading = Reading::new(Runtime::Gemini, RunContext::default());
    reading.read(format!(r#"{{"type":"tool_result","tool_id":"1","status":"success","output":{picture}}}"#).as_bytes());
    reading.read(b"\n");
    assert_eq!(reading.meanings[0].pictures[0].media_type, "image/gif");
}

#[test]
fn what_it_was_told_is_in_the_log_once() {
    let said = |text: &str| format!(r#"{{"type":"message","timestamp":"x","role":"user","content":"{text}"}}"#);
    let lines =
        [said("Do it"), r#"{"type":"result","status":"success"}"#.to_owned(), said("Go on"), said("")].join("\n");
    let words = |reading: Reading| {
        let events = events(reading, lines.as_bytes(), 1 << 16);
        let said = events.iter().filter_map(|event| match event {
            EventData::UserMessage(said) => Some(format!("{} {} {}", said.by, said.source.as_str(), said.text)),
            _ => None,
        });
        said.collect::<Vec<_>>()
    };
    let reading = || Reading::new(Runtime::Gemini, RunContext::default());
    assert_eq!(words(reading()), ["operator prompt Do it", "operator message Go on"]);
    assert_eq!(words(reading().will_repeat()), ["operator message Go on"]);
}

#[test]
fn a_text_that_was_being_typed_at_the_end_is_kept_and_marked() {
    let told = told_of(&[
        r#"{"type":"message","role":"assistant","content":"Half a ","delta":true}"#,
        r#"{"type":"message","role":"assistant","content":"sen","delta":true}"#,
    ]);
    let expected =
        r#"agent_output {"text":"Half a sen","stream":"assistant","message_id":"message-1","broken_off":true}"#;
    assert_eq!(told.trim_end(), expected);
}

#[test]
fn tokens_are_those_of_all_sessions_and_models() {
    let init = |session: &str| format!(r#"{{"type":"init","session_id":"{session}","model":"m"}}"#);
    let models = r#"{"a":{"input_tokens":100,"cached":40,"output_tokens":5},"b":{"input":7,"output_tokens":1}}"#;
    let lines = [
        init("s1"),
        r#"{"type":"result","status":"success","stats":{"input_tokens":50,"cached":20,"output_tokens":4}}"#.to_owned(),
        r#"{"type":"result","status":"success","stats":{"input_tokens":90,"cached":30,"output_tokens":6}}"#.to_owned(),
        init("s2"),
        format!(r#"{{"type":"result","status":"error","error":"quota exceeded","stats":{{"models":{models}}}}}"#),
    ];
    let told = told_of(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let usages: Vec<_> =
        told.lines().filter(|line| line.starts_with("agent_usage") || line.starts_with("agent_error")).collect();
    assert_eq!(
        usages,
        [
            r#"agent_usage {"message_id":"result-1","input_tokens":30,"output_tokens":4,"cache_read_input_tokens":20,"cumulative":true}"#,
            r#"agent_usage {"message_id":"result-2","input_tokens":60,"output_tokens":6,"cache_read_input_tokens":30,"cumulative":true}"#,
            r#"agent_usage {"message_id":"result-3","input_tokens":127,"output_tokens":12,"cache_read_input_tokens":70,"cumulative":true}"#,
            r#"agent_error {"code":"rate_limited","message":"quota exceeded","retryable":false}"#,
        ]
    );
}

#[test]
fn a_limit_says_when_it_ends_where_it_tells_how_long_it_lasts() {
    let api = r#"[API Error: {\"error\":{\"code\":429,\"message\":\"You exceeded your current quota. Please retry in 12.5s.\",\"status\":\"RESOURCE_EXHAUSTED\"}}]"#;
    let delay = r#"{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"34s\"}]}}"#;
    let lines = [
        r#"{"type":"init","session_id":"s","model":"m"}"#.to_owned(),
        r#"{"type":"error","severity":"warning","message":"Quota nearly used, it resets in 5m"}"#.to_owned(),
        format!(r#"{{"type":"error","severity":"error","message":"{api}"}}"#),
        format!(r#"{{"type":"result","status":"error","error":{{"type":"Error","message":"{delay}"}}}}"#),
    ];
    let told = told_of(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let of_limits = told.lines().filter_map(|line| {
        let (head, until) = line.split_once(r#""until":"1970-01-01T"#)?;
        Some((head.split(',').next()?.to_owned(), until.trim_end_matches("\"}").to_owned()))
    });
    let expected = [
        (r#"agent_notice {"kind":"rate_limit""#, "00:05:00.020Z"),
        (r#"agent_error {"code":"rate_limited""#, "00:00:12.530Z"),
        (r#"agent_error {"code":"rate_limited""#, "00:00:34.040Z"),
    ];
    assert_eq!(of_limits.collect::<Vec<_>>(), expected.map(|(head, until)| (head.to_owned(), until.to_owned())));
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
        let whole = told(&events(Reading::new(Runtime::Gemini, RunContext::default()), &output, usize::MAX));
        prop_assert_eq!(whole, told(&events(Reading::new(Runtime::Gemini, RunContext::default()), &output, read_bytes)));
    }
}

#[test]
fn a_command_fails_by_its_code_and_a_result_by_what_stands_in_it() {
    let ended = |tool: &str, result: &str| {
        let call =
            format!(r#"{{"type":"tool_use","tool_name":"{tool}","tool_id":"c","parameters":{{"command":"x"}}}}"#);
        let result = format!(r#"{{"type":"tool_result","tool_id":"c",{result}}}"#);
        let told = told(&of_lines(Runtime::Gemini, &[&call, &result]));
        told.lines().find(|line| line.starts_with("agent_tool_result")).unwrap().to_owned()
    };
    let cases = [
        ("run_shell_command", r#""status":"success","output":"Command exited with code: 3""#, false),
        ("run_shell_command", r#""status":"success","output":"Command: x\nOutput: no\nExit Code: 1""#, false),
        ("run_shell_command", r#""status":"success","output":"it prints\nExit Code: 1""#, true),
        ("read_file", r#""status":"success","output":"Command exited with code: 3""#, true),
        ("a", r#""status":"success","output":[{"functionResponse":{"response":{"error":"no"}}}]"#, false),
        ("a", r#""status":"success","output":{"content":[{"type":"text","text":"no"}],"isError":true}"#, false),
        ("a", r#""output":"fine""#, true),
        ("a", r#""status":"cancelled""#, false),
    ];
    for (tool, result, success) in cases {
        let told = ended(tool, result);
        assert!(told.contains(&format!(r#""success":{success}"#)), "{result}: {told}");
    }
    let picture = r#""status":"success","output":[{"type":"image","mimeType":"image/gif","data":"R0lGODlhAgACAIAAACpvl/SiWSwAAAAAAgACAAACA0QCBQA7"}]"#;
    assert!(ended("a", picture).contains(r#""image_id""#));
}

#[test]
fn a_message_of_parts_is_read() {
    let line = r#"{"type":"message","role":"assistant","content":[{"text":"Hel"},{"text":"lo"}]}"#;
    let told = told(&of_lines(Runtime::Gemini, &[line]));
    assert!(told.contains(r#""text":"Hello""#), "{told}");
}

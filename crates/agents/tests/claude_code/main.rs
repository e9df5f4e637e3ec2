//! Recorded output of the real Claude Code through the normaliser, and everything else that may come along.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers

mod damage;
#[path = "../reading/mod.rs"]
mod reading;

use std::collections::BTreeMap;
use std::fmt::Write;

use reading::Reading;
use townwatch_agents::cut;
use townwatch_agents::normalise::{ClaudeCode, Meaning, Normalise, Piece, RunContext};
use townwatch_agents::recordings::Recording;
use townwatch_protocol::event::{AgentOutput, EventData};
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::time::Timestamp;

/// All events of an output that comes in reads of so many bytes, a line every 10 ms.
fn events(output: &[u8], read_bytes: usize) -> Vec<EventData> {
    reading::events(Reading::new(Runtime::ClaudeCode, RunContext::default()), output, read_bytes)
}

fn recordings() -> impl Iterator<Item = &'static Recording> {
    reading::recordings(Runtime::ClaudeCode)
}

fn recorded(name: &str) -> Vec<u8> {
    Recording::find(name).unwrap().bytes().unwrap().into_owned()
}

fn told(events: &[EventData]) -> String {
    let mut told = String::new();
    for event in events {
        writeln!(told, "{} {}", event.name(), cut::bounded(event).get()).unwrap();
    }
    told
}

fn counts(events: &[EventData]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        let detail = match event {
            EventData::ToolCall(call) => format!(" {}", call.category.as_str()),
            EventData::ToolResult(result) => format!(" success={}", result.success),
            EventData::Output(output) => format!(" {}", output.stream.as_str()),
            EventData::Usage(usage) => format!(" cumulative={}", usage.cumulative),
            _ => String::new(),
        };
        *counts.entry(format!("{}{detail}", event.name())).or_default() += 1;
    }
    counts
}

#[test]
fn small_recordings_whole() {
    for name in [
        "basic",
        "basic-nopartial",
        "parallel",
        "subagent",
        "permission-denied",
        "badtool",
        "abort-sigterm",
        "abort-in-tool-sigint",
        "err400",
        "err529-then-ok",
    ] {
        insta::assert_snapshot!(name, told(&events(&recorded(name), 1 << 16)));
    }
}

#[test]
fn large_recordings_counted() {
    for name in ["volume320", "longtext-partial"] {
        insta::assert_snapshot!(name, format!("{:#?}", counts(&events(&recorded(name), 1 << 16))));
    }
}

#[test]
fn no_line_of_any_recording_is_unknown_or_malformed() {
    for recording in recordings() {
        let events = events(&recording.bytes().unwrap(), 1 << 16);
        assert!(!events.iter().any(|event| matches!(event, EventData::ParserNotice(_))), "{}", recording.name);
    }
}

#[test]
fn partials_change_nothing_that_is_stored() {
    let shape = |name| {
        let events = events(&recorded(name), 1 << 16);
        // A message's last figures come with partial messages only.
        let names = events.iter().map(|event| event.name().to_owned()).filter(|name| name != "agent_usage");
        names.collect::<Vec<_>>()
    };
    assert_eq!(shape("basic"), shape("basic-nopartial"));
}

/// The texts that were typed, as a receiver puts them together, each beside the event that ended it; and those that
/// never got one.
fn typed(output: &str) -> (Vec<(String, String)>, Vec<String>) {
    let (mut normaliser, mut open) = (ClaudeCode::new(RunContext::default()), BTreeMap::<String, String>::new());
    let mut ended = Vec::new();
    for line in output.lines() {
        let Meaning { events, piece, .. } = normaliser.line(line, Timestamp::from_millis(0));
        for event in events {
            let EventData::Output(AgentOutput { message_id: Some(message_id), text, .. }) = event else { continue };
            ended.extend(open.remove(&message_id).map(|typed| (typed, text)));
        }
        let Some(Piece { message_id, begins, text }) = piece else { continue };
        if begins {
            open.insert(message_id, text);
        } else {
            open.get_mut(&message_id).expect("a text begins with a piece that says so").push_str(&text);
        }
    }
    (ended, open.into_values().collect())
}

#[test]
fn what_was_typed_is_what_the_event_says() {
    let mut counts = BTreeMap::new();
    for recording in recordings() {
        let (ended, open) = typed(std::str::from_utf8(&recording.bytes().unwrap()).unwrap());
        for (typed, said) in &ended {
            assert!(typed == said, "{}: {} and {} bytes", recording.name, typed.len(), said.len());
        }
        assert_eq!(open, Vec::<String>::new(), "{}", recording.name);
        counts.insert(recording.name, ended.len());
    }
    counts.retain(|_, count| *count > 0);
    // As many as the recordings have texts with partials.
    let expected = [
        ("abort-sigterm", 1),
        ("badtool", 3),
        ("basic", 6),
        ("err529-then-ok", 6),
        ("longtext-partial", 1),
        ("parallel", 3),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}

#[test]
fn two_texts_of_one_message_are_typed_one_after_the_other() {
    let block = |index: u32, texts: [&str; 2]| {
        let event = |event: &str| format!(r#"{{"type":"stream_event","event":{event},"parent_tool_use_id":"t"}}"#);
        let delta = |text: &str| {
            event(&format!(
                r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"text_delta","text":"{text}"}}}}"#
            ))
        };
        let said = texts.concat();
        [
            event(r#"{"type":"content_block_start","content_block":{"type":"text","text":""}}"#),
            delta(texts[0]),
            delta(texts[1]),
            format!(
                r#"{{"type":"assistant","message":{{"id":"m","content":[{{"type":"text","text":"{said}"}}]}},"parent_tool_use_id":"t"}}"#
            ),
            event(r#"{"type":"content_block_stop"}"#),
        ]
        .join("\n")
    };
    let begin =
        r#"{"type":"stream_event","event":{"type":"message_start","message":{"id":"m"}},"parent_tool_use_id":"t"}"#;
    let (ended, open) = typed(&[begin, &block(0, ["one ", "🚀"]), &block(1, ["two", "\\n"])].join("\n"));
    assert_eq!(ended, [("one 🚀".into(), "one 🚀".into()), ("two\n".into(), "two\n".into())]);
    assert_eq!(open, Vec::<String>::new());
}

#[test]
fn how_the_output_is_cut_into_reads_changes_nothing() {
    let output = recorded("parallel");
    let whole = told(&events(&output, usize::MAX));
    for read_bytes in [1, 2, 3, 7, 997, 4096] {
        assert_eq!(told(&events(&output, read_bytes)), whole, "{read_bytes}");
    }
}

fn told_of(lines: &[&str]) -> String {
    told(&events(lines.join("\n").as_bytes(), 1 << 16))
}

#[test]
fn input_stays_raw_and_a_lone_surrogate_loses_nothing() {
    let input = r#"{ "file_path":"/w/a\ud83d.txt", "big": 12345678901234567890123, "e":1.0e400 }"#;
    let told = told_of(&[
        &format!(
            r#"{{"type":"assistant","message":{{"id":"m","content":[{{"type":"tool_use","id":"t","name":"Write","input":{input}}}]}}}}"#
        ),
        r#"{"type":"assistant","message":{"id":"m","content":[{"type":"text","text":"cut \ud83d here"}]}}"#,
    ]);
    assert!(told.contains(&format!(r#""input":{input}"#)), "{told}");
    assert!(told.contains("cut \u{fffd} here") && told.contains("Writing /w/a\u{fffd}.txt"), "{told}");
}

#[test]
fn flat_lines_are_taken_too() {
    insta::assert_snapshot!(told_of(&[
        r#"{"type":"text","text":"hello"}"#,
        r#"{"id":"t1","name":"Grep","input":{"pattern":"foo"},"type":"tool_use"}"#,
        r#"{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"a"},{"type":"image","source":{}}],"is_error":true}"#,
    ]), @r#"
    agent_output {"text":"hello","stream":"assistant"}
    agent_tool_call {"tool_use_id":"t1","tool":"Grep","category":"Grep","input":{"pattern":"foo"},"summary":"Searching for \"foo\""}
    agent_tool_result {"tool_use_id":"t1","success":false,"content":"a","content_length":1,"duration_ms":10,"attachments":[{"kind":"image","size_bytes":0,"problem":"Only PNG, JPEG, WebP and GIF pictures are kept, and this is none of them."}]}
    "#);
}

#[test]
fn to_dos_are_progress() {
    insta::assert_snapshot!(told_of(&[
        r#"{"type":"tool_use","id":"t1","name":"TodoWrite","input":{"todos":[{"content":"a","status":"completed"},{"content":"b","status":"in_progress"}]}}"#,
        r#"{"type":"tool_use","id":"t2","name":"TodoWrite","input":{"todos":[{"content":"a","status":"completed"},{"content":"b","status":"in_progress"}]}}"#,
    ]), @r#"
    agent_tool_call {"tool_use_id":"t1","tool":"TodoWrite","category":"Todo","input":{"todos":[{"content":"a","status":"completed"},{"content":"b","status":"in_progress"}]},"summary":"Updating the to-do list"}
    progress_update {"percentage":50.0,"current_phase":"b","tool_call_count":1,"elapsed_seconds":0,"estimated_remaining_seconds":0,"todos":[{"content":"a","status":"completed"},{"content":"b","status":"in_progress"}]}
    agent_tool_call {"tool_use_id":"t2","tool":"TodoWrite","category":"Todo","input":{"todos":[{"content":"a","status":"completed"},{"content":"b","status":"in_progress"}]},"summary":"Updating the to-do list"}
    "#);
}

#[test]
fn what_cannot_be_read_is_said_and_what_follows_is_read() {
    insta::assert_snapshot!(told_of(&[
        "plain text",
        "",
        "[1]",
        r#"{"type":"from_the_future","x":1}"#,
        r#"{"type":"system","subtype":"brand_new"}"#,
        r#"{"type":"assistant","message":7}"#,
        r#"{"type":"assistant","message":{"id":"m","content":[{"type":"hologram"},{"type":"text","text":"still here"}]}}"#,
    ]), @r#"
    parser_notice {"kind":"malformed","count":1,"sample":"plain text"}
    parser_notice {"kind":"malformed","count":1,"sample":"[1]"}
    parser_notice {"kind":"unknown","count":1,"sample":"{\"type\":\"from_the_future\",\"x\":1}"}
    parser_notice {"kind":"unknown","count":1,"sample":"{\"type\":\"system\",\"subtype\":\"brand_new\"}"}
    parser_notice {"kind":"malformed","count":1,"sample":"{\"type\":\"assistant\",\"message\":7}"}
    parser_notice {"kind":"unknown","count":1,"sample":"{\"type\":\"hologram\"}"}
    agent_output {"text":"still here","stream":"assistant","message_id":"m"}
    "#);
}

#[test]
fn questions_are_asked_and_close_with_their_calls_or_when_they_are_taken_back() {
    let ask = |id: &str, tool: &str, input: &str, more: &str| {
        format!(
            r#"{{"type":"control_request","request_id":"{id}","request":{{"subtype":"can_use_tool","tool_name":"{tool}","input":{input},"tool_use_id":"{id}"{more}}}}}"#
        )
    };
    let suggestions = r#","permission_suggestions":[{"type":"setMode","mode":"acceptEdits"}]"#;
    let two = r#"{"questions":[{"question":"Which?","options":[{"label":"A"},{"label":"B"}]},{"question":"Why?"}]}"#;
    let result = |id: &str, failed: bool| {
        format!(
            r#"{{"type":"user","message":{{"content":[{{"type":"tool_result","tool_use_id":"{id}","content":"x","is_error":{failed}}}]}}}}"#
        )
    };
    insta::assert_snapshot!(told_of(&[
        r#"{"type":"system","subtype":"init","session_id":"s","cwd":"/w"}"#,
        &ask("1", "Write", r#"{"file_path":"/w/a.txt"}"#, suggestions),
        &ask("1", "Write", r#"{"file_path":"/w/a.txt"}"#, suggestions),
        &ask("2", "AskUserQuestion", two, ""),
        &ask("3", "mcp__db__drop", "{}", r#","description":"Drops\na table""#),
        &ask("4", "ExitPlanMode", r##"{"plan":"# First\nthen"}"##, ""),
        &ask("5", "WebFetch", r#"{"url":"https://example.org"}"#, ""),
        &ask("6", "Bash", r#"{"command":7}"#, ""),
        &result("1", false),
        &result("2", true),
        r#"{"type":"control_cancel_request","request_id":"3"}"#,
        r#"{"type":"control_cancel_request","request_id":"gone"}"#,
        r#"{"type":"control_cancel_request"}"#,
        &result("4", false),
        &result("5", true),
        r#"{"type":"control_cancel_request","request_id":"6"}"#,
        r#"{"type":"control_response","response":{"subtype":"success","request_id":"interrupt"}}"#,
        r#"{"type":"keep_alive"}"#,
        r#"{"type":"control_request","request_id":"7","request":{"subtype":"dream"}}"#,
        r#"{"type":"control_request","request":{"subtype":"can_use_tool"}}"#,
    ]));
}

#[test]
fn an_event_written_into_another_line_is_read() {
    let event = |text: &str| {
        format!(r#"{{"type":"assistant","message":{{"id":"{text}","content":[{{"type":"text","text":"{text}"}}]}}}}"#)
    };
    let (one, two) = (event("one"), event("two"));
    let (told, half) = (told_of(&[&one, &two]), &one[..one.len() - 4]);
    assert_eq!(told_of(&[&format!("{one}{two}")]), told);
    assert_eq!(told_of(&[&format!("{one}\r{two}\r")]), told);
    let within = told_of(&[&format!("{half}{two}")]);
    assert!(
        within.starts_with("parser_notice")
            && within.contains(r#""text":"two""#)
            && !within.contains(r#""text":"one""#)
    );
    let in_a_text = told_of(&[&event(&two.replace('"', "\\\""))]);
    assert_eq!(in_a_text.matches("agent_output").count(), 1, "{in_a_text}");
}

#[test]
fn a_flood_of_what_cannot_be_read_is_counted() {
    let output = "nonsense\n".repeat(1000);
    let notices: Vec<u64> = events(output.as_bytes(), 1 << 16)
        .iter()
        .filter_map(|event| if let EventData::ParserNotice(notice) = event { Some(notice.count) } else { None })
        .collect();
    assert_eq!((notices.len(), notices.iter().sum::<u64>()), (21, 1000));
}

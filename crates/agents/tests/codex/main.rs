//! Recorded output of the real Codex through the normaliser, and everything else that may come along.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers

mod damage;
mod limits;
#[path = "../reading/mod.rs"]
mod reading;

use reading::{Reading, counts, of_lines, recorded, recordings, told};
use townwatch_agents::normalise::{RunContext, Threads};
use townwatch_protocol::event::EventData;
use townwatch_protocol::runtime::Runtime;

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
    agent_tool_result {"tool_use_id":"2","success":true,"content":"a","content_length":1,"duration_ms":20,"attachments":[{"kind":"image","size_bytes":0,"problem":"Only PNG, JPEG, WebP and GIF pictures are kept, and this is none of them."}]}
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
    agent_tool_call {"tool_use_id":"ws_1","tool":"web_search","category":"WebSearch","input":{"query":"rust","action":{"type":"search"}},"summary":"Searching the web for \"rust\""}
    agent_tool_result {"tool_use_id":"ws_1","success":true,"content":"rust","content_length":4,"duration_ms":10}
    progress_update {"percentage":50.0,"current_phase":"Searching the web for \"rust\"","tool_call_count":3,"elapsed_seconds":0,"estimated_remaining_seconds":0,"todos":[{"content":"one","status":"completed"},{"content":"two","status":"pending"}]}
    progress_update {"percentage":99.0,"current_phase":"Searching the web for \"rust\"","tool_call_count":3,"elapsed_seconds":0,"estimated_remaining_seconds":0,"todos":[{"content":"one","status":"completed"},{"content":"two","status":"completed"}]}
    agent_tool_call {"tool_use_id":"5","tool":"spawn_agent","category":"Task","input":{"prompt":"look around","receiver_thread_ids":["t"]},"summary":"Handing work to a sub-agent: look around"}
    agent_tool_result {"tool_use_id":"5","success":true,"content":"t: running","content_length":10,"duration_ms":0}
    agent_task_started {"task_id":"t","kind":"agent","description":"look around","tool_use_id":"5"}
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

#[test]
fn a_web_search_is_one_row_with_what_was_searched_opened_or_found() {
    let begins = |id: &str| {
        format!(
            r#"{{"type":"item.started","item":{{"id":"{id}","type":"web_search","query":"","action":{{"type":"other"}}}}}}"#
        )
    };
    let ends = |id: &str, query: &str, action: &str| {
        format!(
            r#"{{"type":"item.completed","item":{{"id":"{id}","type":"web_search","query":"{query}","action":{action}}}}}"#
        )
    };
    let lines = [
        begins("w1"),
        begins("w2"),
        ends("w1", "tide tables", r#"{"type":"search","query":"tide tables","queries":["tide tables","moon phases"]}"#),
        ends("w2", "https://e.org/tides", r#"{"type":"open_page","url":"https://e.org/tides"}"#),
        begins("w3"),
        ends("w3", "'spring' in https://e.org/tides", r#"{"type":"find_in_page","url":"https://e.org/tides","pattern":"spring"}"#),
        r#"{"type":"item.started","item":{"id":"w4","type":"web_search","query":"early words","action":{"type":"search"}}}"#.to_owned(),
        begins("w5"),
    ];
    let events = of_lines(Runtime::Codex, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let rows: Vec<_> = events
        .iter()
        .map(|event| match event {
            EventData::ToolCall(call) => format!("{} {} {}", call.tool_use_id, call.category.as_str(), call.summary),
            EventData::ToolResult(result) => {
                format!("{} {} after {} ms", result.tool_use_id, result.content, result.duration_ms)
            }
            other => other.name().to_owned(),
        })
        .collect();
    assert_eq!(
        rows,
        [
            r#"w1 WebSearch Searching the web for "tide tables", "moon phases""#,
            "w1 tide tables\nmoon phases after 20 ms",
            "w2 WebFetch Opening https://e.org/tides",
            "w2 https://e.org/tides after 20 ms",
            r#"w3 WebFetch Looking for "spring" in https://e.org/tides"#,
            "w3 'spring' in https://e.org/tides after 10 ms",
            r#"w4 WebSearch Searching the web for "early words""#,
            "w5 WebSearch Searching the web", // broken off: nobody will ever say what it was
        ]
    );
}

#[test]
fn a_resumed_threads_total_is_not_the_runs() {
    let threads = Threads::default();
    let run = |thread: &str, totals: &[(u64, u64)]| {
        let mut reading = Reading::new(Runtime::Codex, RunContext::default()).remember(&threads);
        reading.read(format!("{{\"type\":\"thread.started\",\"thread_id\":\"{thread}\"}}\n").as_bytes());
        for (input, output) in totals {
            let usage =
                format!(r#"{{"input_tokens":{input},"cached_input_tokens":{},"output_tokens":{output}}}"#, input / 2);
            reading.read(format!("{{\"type\":\"turn.completed\",\"usage\":{usage}}}\n").as_bytes());
        }
        let (events, _) = reading.end();
        let mut usages = events.iter().filter_map(|event| match event {
            EventData::Usage(usage) => {
                Some((usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens, usage.cumulative))
            }
            _ => None,
        });
        usages.next_back().unwrap()
    };
    assert_eq!(run("t1", &[(3000, 60), (4000, 80)]), (2000, Some(2000), 80, true));
    assert_eq!(run("t1", &[(5000, 100), (5200, 110)]), (600, Some(600), 30, true));
    assert_eq!(run("t2", &[(10, 1)]), (5, Some(5), 1, true));
}

#[test]
fn results_are_whole_and_say_whether_it_went_well() {
    let item = |id: &str, rest: &str| format!(r#"{{"type":"item.completed","item":{{"id":"{id}",{rest}}}}}"#);
    let mcp = r#""type":"mcp_tool_call","server":"s","tool":"t","arguments":{}"#;
    let lines = [
        item(
            "1",
            r#""type":"command_execution","command":"make","aggregated_output":"no rule","exit_code":2,"status":"completed""#,
        ),
        item(
            "2",
            &format!(r#"{mcp},"result":{{"content":[],"structured_content":{{"total":1.10}}}},"status":"completed""#),
        ),
        item(
            "3",
            &format!(
                r#"{mcp},"result":{{"content":[{{"type":"text","text":"a"}},{{"type":"image","data":"R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7","mimeType":"image/gif"}}]}},"status":"completed""#
            ),
        ),
        item(
            "4",
            &format!(
                r#"{mcp},"result":{{"content":[{{"type":"text","text":"half"}}],"is_error":true}},"error":{{"message":"gone"}},"status":"completed""#
            ),
        ),
    ];
    let events = of_lines(Runtime::Codex, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let results: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            EventData::ToolResult(result) => {
                Some((result.content.as_str(), result.success, result.exit_code, result.attachments.len()))
            }
            _ => None,
        })
        .collect();
    let expected = [
        ("no rule", false, Some(2), 0),
        (r#"{"total":1.10}"#, true, None, 0),
        ("a", true, None, 1),
        ("half\ngone", false, None, 0),
    ];
    assert_eq!(results, expected);
    let mut reading = Reading::new(Runtime::Codex, RunContext::default());
    reading.read(format!("{}\n", lines[2]).as_bytes());
    assert_eq!(reading.meanings[0].pictures[0].media_type, "image/gif");
}

#[test]
fn sub_agents_work_in_the_background_until_a_call_tells_their_end() {
    let call = |id: &str, tool: &str, states: &str| {
        format!(
            r#"{{"type":"item.completed","item":{{"id":"{id}","type":"collab_tool_call","tool":"{tool}","prompt":"look\naround","agents_states":{states},"status":"completed"}}}}"#
        )
    };
    let lines = [
        call("1", "spawn_agent", r#"{"a":{"status":"pending_init","message":null}}"#),
        call("2", "spawn_agent", r#"{"b":{"status":"running","message":null}}"#),
        call("3", "wait", r#"{"a":{"status":"completed","message":"All fine."},"b":{"status":"running"}}"#),
        call("4", "close_agent", r#"{"b":{"status":"shutdown","message":null}}"#),
    ];
    let told = told_of(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let tasks: Vec<_> = told
        .lines()
        .filter(|line| line.starts_with("agent_task") || line.contains("\"tool_use_id\":\"3\",\"success"))
        .collect();
    assert_eq!(
        tasks,
        [
            r#"agent_task_started {"task_id":"a","kind":"agent","description":"look around","tool_use_id":"1"}"#,
            r#"agent_task_started {"task_id":"b","kind":"agent","description":"look around","tool_use_id":"2"}"#,
            r#"agent_tool_result {"tool_use_id":"3","success":true,"content":"a: completed: All fine.\nb: running","content_length":34,"duration_ms":0}"#,
            r#"agent_task_ended {"task_id":"a","outcome":"completed","summary":"All fine.","tool_use_id":"1"}"#,
            r#"agent_task_ended {"task_id":"b","outcome":"stopped","tool_use_id":"2"}"#,
        ]
    );
}

#[test]
fn each_process_of_a_stream_counts_its_items_anew() {
    let process = [
        r#"{"type":"thread.started","thread_id":"t"}"#,
        r#"{"type":"item.started","item":{"id":"item_0","type":"command_execution","command":"ls","status":"in_progress"}}"#,
        r#"{"type":"item.completed","item":{"id":"item_0","type":"command_execution","command":"ls","status":"completed","exit_code":0,"aggregated_output":"a"}}"#,
        r#"{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"Done."}}"#,
        r#"{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":1}}"#,
    ];
    let told = told(&of_lines(Runtime::Codex, &[process, process].concat()));
    for name in ["\"item_0\"", "\"item_0#2\""] {
        assert_eq!(told.matches(&format!("\"tool_use_id\":{name}")).count(), 2, "{name} in {told}");
    }
    assert!(told.contains(r#""message_id":"item_1""#) && told.contains(r#""message_id":"item_1#2""#), "{told}");
}

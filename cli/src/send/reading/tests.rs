use townwatch_agents::recordings::Recording;
use townwatch_agents::redact::SecretValues;

use super::*;

const CLAUDE: &str = "{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"s\"}\n";

const OPENCODE: &str = "{\"type\":\"text\",\"timestamp\":1,\"sessionID\":\"s\",\"part\":{\"id\":\"p\",\"messageID\":\"m\",\"type\":\"text\",\"text\":\"Hello.\",\"time\":{\"start\":1,\"end\":2}}}\n";

fn told(event: &EventData) -> String {
    match event {
        EventData::Output(said) => format!("{}: {}", said.stream.as_str(), said.text),
        event => event.name().to_owned(),
    }
}

fn read(format: Option<Runtime>, input: &[u8]) -> (Vec<String>, AgentExited) {
    let mut events = Vec::new();
    let mut take = |event: &EventData, _| events.push(told(event));
    let redaction = Redaction::new(SecretValues::default()).unwrap();
    let mut reading = Reading::new(format, RunContext::default(), Threads::default(), &redaction);
    input.chunks(1000).for_each(|chunk| reading.push(chunk, &mut take));
    let exit = reading.finish(&mut take);
    (events, exit)
}

#[test]
fn the_first_line_that_only_one_program_prints_tells_the_format() {
    let cases: [(&str, &[&str]); 7] = [
        (CLAUDE, &["agent_session"]),
        ("{\"type\":\"thread.started\",\"thread_id\":\"t\"}\n", &["agent_session"]),
        ("{\"type\":\"init\",\"session_id\":\"s\",\"model\":\"m\"}\n", &["agent_session"]),
        (OPENCODE, &["agent_session", "assistant: Hello."]),
        ("{\"level\":\"info\"}\n", &["stdout: {\"level\":\"info\"}"]),
        ("[1]", &["stdout: [1]"]),
        ("", &[]),
    ];
    for (input, expected) in cases {
        assert_eq!(read(None, input.as_bytes()).0, expected, "{input}");
    }
    assert_eq!(read(Some(Runtime::Process), CLAUDE.as_bytes()).0, [format!("stdout: {}", CLAUDE.trim_end())]);
}

#[test]
fn what_stands_before_a_stream_does_not_decide() {
    let banner = "\n> agent@1.0.0 start\n> node agent.mjs\n\nUsing model some-model\n(node:7) Warning: old\n\n";
    let shown = ["", "> agent@1.0.0 start", "> node agent.mjs", "", "Using model some-model", "(node:7) Warning: old"];
    let shown = shown.map(|line| format!("stdout: {line}"));
    let (events, _) = read(None, format!("{banner}{CLAUDE}").as_bytes());
    assert_eq!(events[..6], shown);
    assert_eq!(events[6..], ["agent_session"]); // the blank line right before it is no output of a process
    for agent in ["basic", "codex/basic", "gemini/basic"] {
        let recording = Recording::find(agent).unwrap().bytes().unwrap();
        let (plain, _) = read(None, &recording);
        let (behind, exit) = read(None, &[banner.as_bytes(), &recording].concat());
        assert_eq!(behind[6..], plain, "{agent}");
        assert_eq!(exit.reason, ExitReason::Completed, "{agent}");
    }
}

#[test]
fn a_format_found_later_reads_what_was_held() {
    let item = r#"{"type":"item.completed","item":{"id":"1","type":"agent_message","text":"Done."}}"#;
    let error = r#"{"type":"error","message":"Reconnecting... 1/2"}"#;
    let input = format!("{error}\nnoise\n\n{item}\n");
    let (events, _) = read(None, input.as_bytes());
    assert_eq!(events[..3], ["agent_error", "stdout: noise", "assistant: Done."]);
    // The same held lines are text where nothing tells more.
    let (events, exit) = read(None, format!("{error}\n\nlast").as_bytes());
    assert_eq!(events, [format!("stdout: {error}"), "stdout: ".to_owned(), "stdout: last".to_owned()]);
    assert_eq!(exit.reason, ExitReason::Completed);
}

#[test]
fn a_process_loses_nothing_and_is_held_no_longer_than_the_bounds() {
    let unclear = r#"{"type":"error","n":1}"#;
    let redaction = Redaction::new(SecretValues::default()).unwrap();
    let mut count = 0;
    let mut reading = Reading::new(None, RunContext::default(), Threads::default(), &redaction);
    for line in 0..120 {
        reading.push(format!("{unclear}\n").as_bytes(), &mut |_, _| count += 1);
        assert!(line + 1 - count < 50, "{count} of {line}");
    }
    let (before, large) = (count, format!(r#"{{"type":"error","text":"{}"}}"#, "x".repeat(70 << 10)));
    reading.push(format!("{large}\n").as_bytes(), &mut |_, _| count += 1);
    assert!(count > before && !reading.holds(), "{count}");
    reading.push(b"\n", &mut |_, _| count += 1);
    assert_eq!((count, reading.holds()), (121, true));
    std::thread::sleep(Duration::from_millis(2_050));
    reading.show_overdue(&mut |_, _| count += 1);
    assert_eq!((count, reading.holds()), (122, false));
    reading.push(b"more\n", &mut |_, _| count += 1);
    assert_eq!(count, 123);
    // A stream that begins late is still one; what comes behind a thousand lines of text is text.
    reading.push(CLAUDE.as_bytes(), &mut |event, _| assert_eq!(told(event), "agent_session"));
    let (events, _) = read(None, format!("{}{CLAUDE}", "x\n".repeat(1000)).as_bytes());
    assert_eq!((events.len(), events[1000].starts_with("stdout: {")), (1001, true));
}

#[test]
fn a_prompt_without_an_end_is_shown_within_the_bound() {
    let redaction = Redaction::new(SecretValues::default()).unwrap();
    let cases = [
        (Some(Runtime::Process), "Go on? [y/n] ", UNENDED_LINE_WAIT),
        (None, "Go on? [y/n] ", UNENDED_LINE_WAIT),
        (None, "Go on with {name}? ", HELD_MAX),
        (Some(Runtime::Process), "Go on with {name}? ", UNENDED_LINE_WAIT),
    ];
    for (format, prompt, wait) in cases {
        let mut reading = Reading::new(format, RunContext::default(), Threads::default(), &redaction);
        let mut outputs = Vec::new();
        let mut take = |event: &EventData, _| {
            let EventData::Output(said) = event else { return };
            outputs.push((said.text.clone(), said.partial));
        };
        reading.push(prompt.as_bytes(), &mut take);
        reading.show_overdue(&mut take);
        std::thread::sleep(wait + Duration::from_millis(20));
        assert!(reading.holds());
        reading.show_overdue(&mut take);
        assert!(!reading.holds());
        reading.push(b"y\n", &mut take);
        reading.finish(&mut take);
        assert_eq!(outputs, [(prompt.to_owned(), true), ("y".to_owned(), false)]);
    }
}

#[test]
fn a_stream_behind_a_bar_that_was_shown_in_parts_is_still_one() {
    let redaction = Redaction::new(SecretValues::default()).unwrap();
    let mut reading = Reading::new(None, RunContext::default(), Threads::default(), &redaction);
    let mut events = Vec::new();
    let mut take = |event: &EventData, _| events.push(told(event));
    reading.push(b"\n10%\r20%", &mut take);
    std::thread::sleep(UNENDED_LINE_WAIT + Duration::from_millis(20));
    reading.show_overdue(&mut take);
    // What stands in front of the object in its line is no part of it, and told as such.
    reading.push(format!("\r\u{1b}[K{CLAUDE}").as_bytes(), &mut take);
    reading.finish(&mut take);
    assert_eq!(events, ["stdout: ", "stdout: 10%\r20%", "parser_notice", "agent_session"]);
}

#[test]
fn a_run_ends_as_its_output_says() {
    let end = |name: &str| read(None, &Recording::find(name).unwrap().bytes().unwrap()).1;
    assert_eq!(end("basic").reason, ExitReason::Completed);
    assert_eq!(end("subagent").reason, ExitReason::Completed);
    let failed = end("err400");
    assert_eq!(failed.reason, ExitReason::Failed);
    assert!(failed.message.is_some());
    let cut = end("abort-sigterm");
    assert_eq!(cut.message.as_deref(), Some("its output ended in the middle of a turn"));
    assert_eq!(read(None, b"done\n").1.reason, ExitReason::Completed);
    // OpenCode's run, by guess and by name.
    let recording = include_bytes!("../../../../tests/recordings/opencode/run-json-basic.jsonl");
    for format in [None, Some(Runtime::Opencode), Some(Runtime::Kilo)] {
        let (events, exit) = read(format, &[b"> agent start\n", recording.as_slice()].concat());
        assert_eq!(
            (exit.reason, events.iter().filter(|told| *told == "agent_tool_result").count()),
            (ExitReason::Completed, 6)
        );
    }
    let cut = read(None, OPENCODE.as_bytes()).1;
    assert_eq!(cut.message.as_deref(), Some("its output ended in the middle of a turn"));
    let error = "{\"type\":\"error\",\"timestamp\":1,\"sessionID\":\"s\",\"error\":{\"name\":\"APIError\",\"data\":{\"message\":\"bad request\"}}}\n";
    assert_eq!(read(None, error.as_bytes()).1.message.as_deref(), Some("bad request"));
}

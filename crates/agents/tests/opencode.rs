//! Recorded streams of the real OpenCode and Kilo through the decoder and the normaliser, and everything else that may
//! come along.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers

mod reading;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;
use std::path::PathBuf;

use proptest::prelude::*;
use townwatch_agents::cut;
use townwatch_agents::normalise::{Normalise, Opencode, Piece, RunContext};
use townwatch_agents::sse::{SseDecoder, SseMessage};
use townwatch_protocol::event::{AgentOutput, EventData, OutputStream};
use townwatch_protocol::time::Timestamp;

const RECORDINGS: [(&str, &str); 10] = [
    ("opencode", "basic"),
    ("opencode", "parallel"),
    ("opencode", "subagent"),
    ("opencode", "permission-ask"),
    ("opencode", "abort-api"),
    ("opencode", "err400"),
    ("opencode", "volume320"),
    ("kilo", "basic"),
    ("kilo", "abort-api"),
    ("kilo", "err400"),
];

fn recorded(program: &str, name: &str) -> Vec<u8> {
    let plain = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/recordings/{program}/{name}.sse"));
    if plain.exists() {
        return std::fs::read(plain).unwrap();
    }
    let mut bytes = Vec::new();
    let packed = std::fs::read(plain.with_extension("sse.gz")).unwrap();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
    bytes
}

/// A stream being read, a message every 10 ms.
#[derive(Clone)]
struct Reading {
    decoder: SseDecoder,
    normaliser: Opencode,
    millis: i64,
    events: Vec<EventData>,
    pieces: Vec<(usize, Piece)>,
}

impl Reading {
    fn new(program: &'static str) -> Self {
        let normaliser = Opencode::new(program, RunContext::default(), None);
        Self { decoder: SseDecoder::new(16 << 20), normaliser, millis: 0, events: Vec::new(), pieces: Vec::new() }
    }

    fn push(&mut self, bytes: &[u8]) {
        let Self { decoder, normaliser, millis, events, pieces } = self;
        decoder.push(bytes, |message| {
            *millis += 10;
            match message {
                SseMessage::Event { data, .. } => {
                    let meaning = normaliser.line(&data, Timestamp::from_millis(*millis));
                    events.extend(meaning.events);
                    pieces.extend(meaning.piece.map(|piece| (events.len(), piece)));
                }
                SseMessage::Oversized { bytes, sample } => events.extend(normaliser.oversized(bytes, &sample)),
            }
        });
    }

    fn end(mut self) -> Vec<EventData> {
        let succeeded = self.normaliser.failure().is_none();
        self.events.extend(self.normaliser.end(succeeded, Timestamp::from_millis(self.millis)));
        self.events
    }
}

fn program(name: &str) -> &'static str {
    if name == "kilo" { "kilo" } else { "opencode" }
}

fn events(of: &str, stream: &[u8], read_bytes: usize) -> Vec<EventData> {
    let mut reading = Reading::new(program(of));
    stream.chunks(read_bytes).for_each(|read| reading.push(read));
    reading.end()
}

fn told(events: &[EventData]) -> String {
    let mut told = String::new();
    for event in events {
        writeln!(told, "{} {}", event.name(), cut::bounded(event).get()).unwrap();
    }
    told
}

#[test]
fn small_recordings_whole() {
    for (program, name) in RECORDINGS.into_iter().filter(|(_, name)| *name != "volume320") {
        insta::assert_snapshot!(format!("{program}-{name}"), told(&events(program, &recorded(program, name), 1 << 16)));
    }
}

#[test]
fn a_large_recording_counted() {
    let mut counts = BTreeMap::new();
    for event in events("opencode", &recorded("opencode", "volume320"), 1 << 16) {
        let detail = match &event {
            EventData::ToolCall(call) => format!(" {}", call.category.as_str()),
            EventData::ToolResult(result) => format!(" success={}", result.success),
            EventData::Output(output) => format!(" {}", output.stream.as_str()),
            EventData::Status(changed) => format!(" {}", changed.status.as_str()),
            _ => String::new(),
        };
        *counts.entry(format!("{}{detail}", event.name())).or_insert(0) += 1;
    }
    insta::assert_snapshot!("opencode-volume320", format!("{counts:#?}"));
}

#[test]
fn no_frame_of_any_recording_is_unknown_or_malformed() {
    for (program, name) in RECORDINGS {
        let events = events(program, &recorded(program, name), 1 << 16);
        assert!(!events.iter().any(|event| matches!(event, EventData::ParserNotice(_))), "{program} {name}");
    }
}

#[test]
fn what_was_typed_is_what_the_event_says() {
    let mut counts = BTreeMap::new();
    for (program, name) in RECORDINGS {
        let mut reading = Reading::new(self::program(program));
        reading.push(&recorded(program, name));
        let (mut open, mut count) = (BTreeMap::<&str, String>::new(), 0);
        let mut pieces = reading.pieces.iter().peekable();
        for (index, event) in reading.events.iter().enumerate() {
            while let Some((_, piece)) = pieces.next_if(|(before, _)| *before <= index) {
                if piece.begins {
                    open.insert(&piece.message_id, piece.text.clone());
                } else {
                    open.get_mut(piece.message_id.as_str()).expect("a text has a beginning").push_str(&piece.text);
                }
            }
            let EventData::Output(AgentOutput { message_id: Some(id), text, stream, .. }) = event else { continue };
            if *stream == OutputStream::Assistant {
                assert_eq!(open.remove(id.as_str()).as_ref(), Some(text), "{program} {name}");
                count += 1;
            }
        }
        assert!(pieces.next().is_none() && open.is_empty(), "{program} {name}");
        counts.insert((program, name), count);
    }
    // As many as the recordings have texts.
    assert_eq!(counts[&("opencode", "basic")], 6);
    assert_eq!(counts[&("opencode", "volume320")], 109);
    assert_eq!(counts.values().sum::<i32>(), 134);
}

#[test]
fn how_the_stream_is_cut_into_reads_changes_nothing() {
    let stream = recorded("opencode", "permission-ask");
    let whole = told(&events("opencode", &stream, usize::MAX));
    for read_bytes in [1, 2, 3, 7, 997, 4096] {
        assert_eq!(told(&events("opencode", &stream, read_bytes)), whole, "{read_bytes}");
    }
}

#[test]
fn what_is_read_again_is_told_once() {
    for (program, name) in RECORDINGS {
        let stream = String::from_utf8(recorded(program, name)).unwrap();
        let mut reading = Reading::new(self::program(program));
        reading.push(stream.as_bytes());
        assert!(reading.events.len() > 2, "{program} {name}");
        for frame in stream.split("\n\n").filter_map(|message| message.strip_prefix("data: ")) {
            let status = frame.contains(r#""type":"session.status""#) || frame.contains(r#""type":"session.idle""#);
            if !status && !frame.contains(r#""type":"session.error""#) {
                let again = reading.normaliser.reread(frame, Timestamp::from_millis(reading.millis));
                assert_eq!(told(&again), "", "{program} {name}: {frame}");
            }
        }
    }
}

/// What a cut stream says is the beginning of what the whole one says, and then its end; nothing more.
#[test]
fn a_stream_that_breaks_off_anywhere_is_read_up_to_there() {
    for (program, name) in RECORDINGS {
        let stream = recorded(program, name);
        let mut whole = Reading::new(self::program(program));
        whole.push(&stream);
        let whole: Vec<String> = whole.events.iter().map(|event| told(std::slice::from_ref(event))).collect();
        let (mut reading, mut compared, mut cuts) = (Reading::new(self::program(program)), 0, 0);
        for part in stream.chunks(997) {
            reading.push(part);
            for event in &reading.events[compared..] {
                assert_eq!(told(std::slice::from_ref(event)), whole[compared], "{program} {name}, event {compared}");
                compared += 1;
            }
            let mut broken = reading.normaliser.clone();
            let said = broken.end(broken.failure().is_none(), Timestamp::from_millis(reading.millis));
            for event in said {
                match event {
                    EventData::Progress(_) => {}
                    // What was being typed is the beginning of what it would have been, and says so.
                    EventData::Output(said) if said.broken_off => {
                        let text = serde_json::to_string(&said.text).unwrap();
                        let beginning = format!("agent_output {{\"text\":{}", &text[..text.len() - 1]);
                        let mut rest = whole[compared..].iter();
                        assert!(rest.any(|text| text.starts_with(&beginning)), "{program} {name}: {said:?}");
                    }
                    other => unreachable!("{program} {name}: {}", other.name()),
                }
            }
            cuts += 1;
        }
        assert_eq!((compared, cuts), (whole.len(), stream.len().div_ceil(997)), "{program} {name}");
    }
}

/// A frame of the session `s`, which is the run's.
fn frame(kind: &str, properties: &str) -> String {
    format!(r#"{{"id":"e","type":"{kind}","properties":{{"sessionID":"s",{properties}}}}}"#)
}

fn part(part: &str) -> String {
    frame("message.part.updated", &format!(r#""part":{{"sessionID":"s","messageID":"m",{part}}}"#))
}

fn told_of(frames: &[String]) -> String {
    let mut normaliser = Opencode::new("opencode", RunContext::default(), Some("s".into()));
    let mut events = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        events.extend(normaliser.line(frame, Timestamp::from_millis(10 * i64::try_from(index).unwrap())).events);
    }
    events.extend(normaliser.end(false, Timestamp::from_millis(0)));
    told(&events)
}

#[test]
fn retries_and_failures_are_told_once_and_say_what_to_do() {
    insta::assert_snapshot!(told_of(&[
        frame("session.status", r#""status":{"type":"busy"}"#),
        frame("session.status", r#""status":{"type":"retry","attempt":2,"message":"Overloaded","next":4010}"#),
        frame(
            "session.error",
            r#""error":{"name":"APIError","data":{"message":"no key\n  at x.js:1","statusCode":401,"isRetryable":false}}"#
        ),
        frame("session.idle", r#""x":0"#),
        frame("session.error", r#""error":{"name":"UnknownError","data":{"message":"APIError: no key\n at y"}}"#),
        frame("session.idle", r#""x":0"#),
        frame("session.status", r#""status":{"type":"busy"}"#),
        frame("session.error", r#""error":{"name":"UnknownError"}"#),
        frame("session.error", r#""error":7"#),
    ]));
}

#[test]
fn to_dos_are_progress_and_what_was_given_up_is_none() {
    insta::assert_snapshot!(told_of(&[
        frame(
            "todo.updated",
            r#""todos":[{"content":"a","status":"completed","priority":"high"},{"content":"b","status":"in_progress","priority":"low"},{"content":"c","status":"cancelled","priority":"low"}]"#
        ),
        frame(
            "todo.updated",
            r#""todos":[{"content":"a","status":"completed"},{"content":"b","status":"in_progress"}]"#
        ),
    ]));
}

#[test]
fn questions_of_all_kinds_are_asked_and_answered() {
    insta::assert_snapshot!(told_of(&[
        frame(
            "permission.asked",
            r#""id":"p1","permission":"webfetch","patterns":["*"],"metadata":{"url":"http://a"},"always":[]"#
        ),
        frame(
            "permission.asked",
            r#""id":"p2","permission":"external_directory","patterns":["/etc/*"],"metadata":{},"tool":{"messageID":"m","callID":"c2"}"#
        ),
        frame("permission.asked", r#""id":"p2","permission":"external_directory","patterns":["/etc/*"],"metadata":{}"#),
        frame(
            "question.asked",
            r#""id":"q1","questions":[{"question":"Which?","header":"h","options":[{"label":"A","description":""},{"label":"B","description":""}]}]"#
        ),
        frame("permission.replied", r#""requestID":"p1","reply":"always""#),
        frame("permission.replied", r#""requestID":"p1","reply":"always""#),
        part(
            r#""id":"t","type":"tool","tool":"read","callID":"c2","state":{"status":"error","input":{},"error":"aborted","time":{"start":1,"end":3}}"#
        ),
        frame("question.rejected", r#""requestID":"q1""#),
    ]));
}

#[test]
fn a_call_that_is_seen_late_or_numbered_anew_is_told_once() {
    let state = r#""state":{"status":"completed","input":{"command":"a"},"output":"","metadata":{"exit":1},"time":{"start":5,"end":9}}"#;
    let call = |id: &str| part(&format!(r#""id":"{id}","type":"tool","tool":"bash","callID":"call_1",{state}"#));
    insta::assert_snapshot!(told_of(&[call("t1"), call("t1"), call("t2")]));
}

#[test]
fn a_sub_agents_sub_agent_is_nested_and_strangers_are_not_heard() {
    let text = |session: &str| {
        format!(
            r#"{{"type":"message.part.updated","properties":{{"part":{{"id":"{session}-text","sessionID":"{session}","messageID":"m{session}","type":"text","text":"of {session}","time":{{"start":1,"end":2}}}}}}}}"#
        )
    };
    let task = |session: &str, child: &str| {
        format!(
            r#"{{"type":"message.part.updated","properties":{{"sessionID":"{session}","part":{{"id":"task-{child}","messageID":"m","type":"tool","tool":"task","callID":"call-{child}","state":{{"status":"running","input":{{"description":"d"}},"metadata":{{"sessionId":"{child}"}},"time":{{"start":1}}}}}}}}}}"#
        )
    };
    let created = |child: &str, parent: &str| {
        format!(r#"{{"type":"session.created","properties":{{"info":{{"id":"{child}","parentID":"{parent}"}}}}}}"#)
    };
    insta::assert_snapshot!(told_of(&[
        created("x", "y"),
        text("x"),
        created("c1", "s"),
        task("s", "c1"),
        text("c1"),
        task("c1", "c2"), // one that was there before is not created again
        text("c2"),
        text("stranger"),
        r#"{"type":"session.idle","properties":{"sessionID":"c1"}}"#.into(),
        r#"{"type":"session.created","properties":{"info":{"id":"another","model":{"id":"m"}}}}"#.into(),
    ]));
}

#[test]
fn what_cannot_be_read_is_said_and_what_follows_is_read() {
    insta::assert_snapshot!(told_of(&[
        "plain".into(),
        "[1]".into(),
        "{}".into(),
        frame("from.the.future", r#""x":1"#),
        part(r#""id":"h","type":"hologram""#),
        part(r#""id":"t","type":"tool","tool":"bash","state":{"status":"paused"}"#),
        frame("message.part.updated", r#""part":7"#),
        frame("session.status", r#""status":{"type":"asleep"}"#),
        part(r#""id":"p","type":"text","text":"cut \ud83d here","time":{"start":1,"end":2}"#),
        part(
            r#""id":"u","type":"tool","tool":"no_such_tool","callID":"c","state":{"status":"running","input":{ "n":1e400 },"time":{"start":1}}"#
        ),
    ]));
}

/// A frame of the session `c`, which the call `call` handed its work to.
fn sub_frame(kind: &str, properties: &str) -> String {
    frame(kind, properties).replace(r#""sessionID":"s""#, r#""sessionID":"c""#)
}

fn handed_over() -> [String; 2] {
    [
        r#"{"type":"session.created","properties":{"info":{"id":"c","parentID":"s"}}}"#.to_owned(),
        part(
            r#""id":"task","type":"tool","tool":"task","callID":"call","state":{"status":"running","input":{"description":"d"},"metadata":{"sessionId":"c"},"time":{"start":1}}"#,
        ),
    ]
}

fn message(id: &str, tokens: &str) -> String {
    frame("message.updated", &format!(r#""info":{{"id":"{id}","role":"assistant","sessionID":"s","tokens":{tokens}}}"#))
}

fn lines_of(told: &str, name: &str) -> Vec<String> {
    told.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
}

#[test]
fn usage_is_the_last_figure_of_each_message_and_a_sub_agents_is_its_own() {
    let [created, task] = handed_over();
    let tokens =
        |output: u64| format!(r#"{{"input":10,"output":{output},"reasoning":1,"cache":{{"read":2,"write":0}}}}"#);
    let of_sub = message("m2", &tokens(7)).replace(r#""sessionID":"s""#, r#""sessionID":"c""#);
    let frames =
        [created, task, message("m1", &tokens(0)), message("m1", &tokens(5)), message("m1", &tokens(5)), of_sub];
    assert_eq!(
        lines_of(&told_of(&frames), "agent_usage"),
        [
            r#"agent_usage {"message_id":"m1","input_tokens":10,"output_tokens":1,"cache_read_input_tokens":2,"cache_creation_input_tokens":0}"#,
            r#"agent_usage {"message_id":"m1","input_tokens":10,"output_tokens":6,"cache_read_input_tokens":2,"cache_creation_input_tokens":0}"#,
            r#"agent_usage {"message_id":"m2","input_tokens":10,"output_tokens":8,"cache_read_input_tokens":2,"cache_creation_input_tokens":0,"parent_tool_use_id":"call"}"#,
        ]
    );
}

#[test]
fn a_sub_agents_to_dos_are_its_own() {
    let [created, task] = handed_over();
    let list = r#""todos":[{"content":"a","status":"completed"},{"content":"b","status":"in_progress"}]"#;
    let told = told_of(&[created, task, sub_frame("todo.updated", list)]);
    let told = lines_of(&told, "progress_update");
    assert!(told.len() == 1 && told[0].contains(r#""parent_tool_use_id":"call""#), "{told:?}");
}

#[test]
fn compactions_models_and_words_of_the_server_are_notices() {
    let user = frame("message.updated", r#""info":{"id":"u","role":"user","sessionID":"s"}"#);
    let of_user = |part: &str| frame("message.part.updated", &format!(r#""part":{{"messageID":"u",{part}}}"#));
    let model = |id: &str, model: &str, more: &str| {
        frame(
            "message.updated",
            &format!(r#""info":{{"id":"{id}","role":"assistant","providerID":"p","modelID":"{model}"{more}}}"#),
        )
    };
    insta::assert_snapshot!(told_of(&[
        user,
        of_user(r#""id":"k","type":"compaction","auto":true"#),
        of_user(r#""id":"k","type":"compaction","auto":true"#),
        model("m1", "large", ""),
        model("m2", "tiny", r#","summary":true,"mode":"compaction""#),
        frame("session.compacted", r#""x":0"#),
        model("m3", "small", ""),
        r#"{"type":"tui.toast.show","properties":{"title":"MCP Authentication Required","message":"Server \"files\" needs it","variant":"warning"}}"#.into(),
        r#"{"type":"mcp.browser.open.failed","properties":{"mcpName":"files","url":"https://e.org/in"}}"#.into(),
        r#"{"type":"worktree.failed","properties":{"message":"no space left"}}"#.into(),
        frame("message.removed", r#""messageID":"u""#),
        frame("message.removed", r#""messageID":"m3""#),
        frame("session.next.shell.started", r#""command":"x""#),
    ]), @r#"
    agent_notice {"kind":"compaction_started","level":"info","message":"The conversation is being summed up, to make room"}
    agent_session {"session_id":"s","model":"p/large"}
    agent_notice {"kind":"compaction_ended","level":"info","message":"The conversation was summed up, and goes on from there"}
    agent_notice {"kind":"model_changed","level":"info","message":"It goes on with the model p/small instead of p/large"}
    agent_session {"session_id":"s","model":"p/small"}
    agent_notice {"kind":"tool_server","level":"warning","message":"MCP Authentication Required: Server \"files\" needs it"}
    agent_notice {"kind":"tool_server","level":"warning","message":"The tool server files wants somebody to sign in: https://e.org/in"}
    agent_notice {"kind":"other","level":"warning","message":"no space left"}
    agent_notice {"kind":"other","level":"info","message":"A message was taken back, with what followed it: the agent no longer knows of it"}
    parser_notice {"kind":"unknown","count":1,"sample":"{\"id\":\"e\",\"type\":\"session.next.shell.started\",\"properties\":{\"sessionID\":\"s\",\"command\":\"x\"}}"}
    "#);
}

#[test]
fn what_was_said_to_the_agent_is_in_the_log_once() {
    let user = |id: &str| frame("message.updated", &format!(r#""info":{{"id":"{id}","role":"user","sessionID":"s"}}"#));
    let said = |id: &str, of: &str, rest: &str| {
        frame("message.part.updated", &format!(r#""part":{{"id":"{id}","messageID":"{of}","sessionID":"s",{rest}}}"#))
    };
    let [created, task] = handed_over();
    let frames = [
        user("u1"),
        said("p1", "u1", r#""type":"text","text":"Do it""#),
        said("p1", "u1", r#""type":"text","text":"Do it""#),
        said("p2", "u1", r#""type":"text","text":"Called the read tool","synthetic":true"#),
        said("p3", "u1", r#""type":"file","mime":"text/plain","filename":"notes.txt","url":"data:text/plain,x""#),
        created,
        task,
        user("u2").replace(r#""sessionID":"s""#, r#""sessionID":"c""#),
        said("p4", "u2", r#""type":"text","text":"Look around""#).replace(r#""sessionID":"s""#, r#""sessionID":"c""#),
        user("u3"),
        said("p5", "u3", r#""type":"text","text":"Go on""#),
        said("p6", "u3", r#""type":"text","text":"not for it","ignored":true"#),
    ];
    let words = |session_id: Option<&str>| {
        let mut normaliser = Opencode::new("opencode", RunContext::default(), session_id.map(str::to_owned));
        let start = [r#"{"type":"session.created","properties":{"info":{"id":"s"}}}"#.to_owned()];
        let mut line = |frame| normaliser.line(frame, Timestamp::from_millis(0)).events;
        let events: Vec<_> = start.iter().chain(&frames).flat_map(|frame: &String| line(frame)).collect();
        let said = events.iter().filter_map(|event| match event {
            EventData::UserMessage(said) => Some(format!(
                "{} {} {}{}",
                said.by,
                said.source.as_str(),
                said.text,
                said.parent_tool_use_id.as_ref().map_or(String::new(), |call| format!(" ({call})"))
            )),
            _ => None,
        });
        said.collect::<Vec<_>>()
    };
    let of_program = "opencode prompt Look around (call)";
    let recorded = [
        "operator prompt Do it",
        "opencode prompt Called the read tool",
        "operator prompt Attached: notes.txt",
        of_program,
        "operator message Go on",
    ];
    assert_eq!(words(None), recorded);
    // Whoever speaks to it has told its prompt.
    assert_eq!(words(Some("s")), ["opencode message Called the read tool", of_program, "operator message Go on"]);
}

#[test]
fn what_was_being_written_when_it_ended_is_kept_and_marked() {
    let begun = |id: &str, kind: &str| part(&format!(r#""id":"{id}","type":"{kind}","text":"","time":{{"start":1}}"#));
    let added = |id: &str, text: &str| {
        frame("message.part.delta", &format!(r#""messageID":"m","partID":"{id}","field":"text","delta":"{text}""#))
    };
    let frames = [
        begun("r", "reasoning"),
        added("r", "I sho"),
        begun("t", "text"),
        added("t", "Half a "),
        added("t", "sen"),
        begun("gone", "text"),
        added("gone", "taken out"),
        frame("message.part.removed", r#""messageID":"m","partID":"gone""#),
    ];
    let expected = [
        r#"agent_output {"text":"taken out","stream":"assistant","message_id":"m","broken_off":true}"#,
        r#"agent_output {"text":"I sho","stream":"thinking","message_id":"m","broken_off":true}"#,
        r#"agent_output {"text":"Half a sen","stream":"assistant","message_id":"m","broken_off":true}"#,
    ];
    assert_eq!(lines_of(&told_of(&frames), "agent_output"), expected);
    // The next turn does not go on with it; and what comes of it late is told already.
    let next = [
        frame("session.idle", r#""x":0"#),
        frame("session.status", r#""status":{"type":"busy"}"#),
        part(r#""id":"t","type":"text","text":"Half a sen","time":{"start":1,"end":2}"#),
    ];
    let frames: Vec<_> = frames.into_iter().chain(next).collect();
    assert_eq!(lines_of(&told_of(&frames), "agent_output"), expected);
}

#[test]
fn files_exit_codes_and_late_results_are_told() {
    let bash = |status: &str, rest: &str| {
        part(&format!(
            r#""id":"b","type":"tool","tool":"bash","callID":"c","state":{{"status":"{status}","input":{{"command":"make"}},"time":{{"start":1,"end":3}},{rest}}}"#
        ))
    };
    let picture = r#"{"type":"file","mime":"image/png","filename":"a.png","url":"data:image/png;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"}"#;
    let read = part(&format!(
        r#""id":"r","type":"tool","tool":"read","callID":"d","state":{{"status":"completed","input":{{}},"output":"Image read","time":{{"start":1,"end":3}},"attachments":[{picture},{{"mime":"application/pdf","url":"file:///w/a.pdf"}}]}}"#
    ));
    let frames = [
        bash("error", r#""error":"Tool execution aborted""#),
        frame("session.idle", r#""x":0"#),
        bash("completed", r#""output":"done","metadata":{"exit":0}"#),
        bash("completed", r#""output":"[pruned]","metadata":{"exit":0}"#),
        read.clone(),
        part(
            r#""id":"f","type":"file","mime":"image/gif","filename":"made.gif","url":"data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7""#,
        ),
    ];
    let id = r#""image_id":"ef1955ae757c8b966c83248350331bd3""#;
    assert_eq!(
        lines_of(&told_of(&frames), "agent_tool_result"),
        [
            r#"agent_tool_result {"tool_use_id":"c","success":false,"content":"Tool execution aborted","content_length":22,"duration_ms":2}"#.to_owned(),
            r#"agent_tool_result {"tool_use_id":"c","success":true,"content":"done","content_length":4,"duration_ms":2,"exit_code":0}"#.to_owned(),
            format!(r#"agent_tool_result {{"tool_use_id":"d","success":true,"content":"Image read","content_length":10,"duration_ms":2,"attachments":[{{"kind":"image","media_type":"image/gif","name":"a.png","size_bytes":42,{id}}},{{"kind":"document","media_type":"application/pdf","uri":"file:///w/a.pdf"}}]}}"#),
            format!(r#"agent_tool_result {{"tool_use_id":"f","success":true,"content":"","content_length":0,"duration_ms":0,"attachments":[{{"kind":"image","media_type":"image/gif","name":"made.gif","size_bytes":42,{id}}}]}}"#),
        ]
    );
    let mut normaliser = Opencode::new("opencode", RunContext::default(), Some("s".into()));
    assert_eq!(normaliser.line(&read, Timestamp::from_millis(0)).pictures.len(), 1);
}

#[test]
fn a_retry_says_until_when() {
    let status = r#""status":{"type":"retry","attempt":1,"message":"Too many requests","next":61000,"action":{"reason":"r","provider":"p","title":"t","message":"Add credits","label":"l"}}"#;
    assert_eq!(
        told_of(&[frame("session.status", status)]).trim_end(),
        r#"agent_error {"code":"rate_limited","message":"The model's API failed: Too many requests; attempt 1 follows in 61.0 s. Add credits","retryable":true,"until":"1970-01-01T00:01:01.000Z"}"#
    );
}

#[test]
fn a_limit_says_until_when_as_far_as_the_api_told_it() {
    let error = |data: &str| {
        let properties = format!(r#""error":{{"name":"APIError","data":{data}}}"#);
        let told = told_of(&[frame("session.error", &properties)]);
        lines_of(&told, "agent_error").concat()
    };
    let words = r#"{"message":"Rate limit reached, please try again in 1.5s","isRetryable":false}"#;
    let body = r#"{"message":"Slow down","statusCode":429,"responseBody":"{\"details\":[{\"retryDelay\":\"34s\"}]}"}"#;
    let header = r#"{"message":"Slow down","statusCode":429,"responseHeaders":{"date":"x","retry-after":"7"}}"#;
    let unknown = r#"{"message":"Quota exceeded, try again at 5:30 PM"}"#;
    let until = |told: &str| told.split_once(r#""until":"1970-01-01T00:00:"#).map(|(_, rest)| rest[..6].to_owned());
    for (data, expected) in [(words, Some("01.500")), (body, Some("34.000")), (header, Some("07.000")), (unknown, None)]
    {
        let told = error(data);
        assert!(told.starts_with(r#"agent_error {"code":"rate_limited","#), "{told}");
        assert_eq!(until(&told).as_deref(), expected, "{told}");
    }
}

/// JSON of any shape, with the words that the normaliser looks for in all places.
fn json() -> impl Strategy<Value = String> {
    reading::json(&[
        "type",
        "properties",
        "sessionID",
        "s",
        "info",
        "part",
        "parentID",
        "id",
        "session.created",
        "session.status",
        "session.idle",
        "session.error",
        "status",
        "busy",
        "idle",
        "retry",
        "attempt",
        "next",
        "message",
        "error",
        "name",
        "data",
        "message.updated",
        "role",
        "assistant",
        "user",
        "time",
        "start",
        "end",
        "completed",
        "tokens",
        "input",
        "cost",
        "message.part.updated",
        "message.part.delta",
        "text",
        "reasoning",
        "tool",
        "state",
        "running",
        "metadata",
        "exit",
        "filediff",
        "todo.updated",
        "todos",
        "permission.asked",
        "permission.replied",
        "requestID",
        "question.asked",
        "questions",
        "patch",
        "files",
    ])
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(frames in prop::collection::vec((prop::sample::select(vec![
        "session.created", "session.status", "session.error", "message.updated", "message.part.updated", "todo.updated",
        "message.part.delta", "permission.asked", "permission.replied", "question.asked",
    ]), json()), 1..8)) {
        let frame = |(kind, value): &(&str, String)| format!(r#"{{"type":"{kind}","properties":{value}}}"#);
        told_of(&frames.iter().map(frame).chain(frames.iter().map(|(_, value)| value.clone())).collect::<Vec<_>>());
    }

    #[test]
    fn no_damage_to_a_real_stream_makes_it_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), length in 0..200_usize) {
        let mut stream = recorded("opencode", "subagent");
        let at = at.index(stream.len());
        let end = (at + length).min(stream.len());
        stream.splice(at..end, [byte]);
        told(&events("opencode", &stream, 4096));
    }
}

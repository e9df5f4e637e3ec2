//! Recorded streams of the real OpenCode and Kilo through the decoder and the normaliser, and everything else that may
//! come along.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // test helpers

mod reading;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;
use std::path::PathBuf;

use proptest::prelude::*;
use townwatch::event::{AgentOutput, EventData, OutputStream};
use townwatch::time::Timestamp;
use townwatch_control::cut;
use townwatch_control::normalise::{Normalise, Opencode, Piece, Place};
use townwatch_control::sse::{Message, SseDecoder};

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
    let plain = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/golden/{program}/{name}.sse"));
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
        let normaliser = Opencode::new(program, Place::default(), None);
        Self { decoder: SseDecoder::new(16 << 20), normaliser, millis: 0, events: Vec::new(), pieces: Vec::new() }
    }

    fn push(&mut self, bytes: &[u8]) {
        let Self { decoder, normaliser, millis, events, pieces } = self;
        decoder.push(bytes, |message| {
            *millis += 10;
            match message {
                Message::Event { data, .. } => {
                    let meaning = normaliser.line(&data, Timestamp::from_millis(*millis));
                    events.extend(meaning.events);
                    pieces.extend(meaning.piece.map(|piece| (events.len(), piece)));
                }
                Message::Oversized { bytes, sample } => events.extend(normaliser.oversized(bytes, &sample)),
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
            assert!(said.iter().all(|event| matches!(event, EventData::Progress(_))), "{program} {name}: {said:?}");
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
    let mut normaliser = Opencode::new("opencode", Place::default(), Some("s".into()));
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

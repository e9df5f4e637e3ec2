//! Recorded streams of the real programs.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use townwatch_agents::normalise::{Normalise, Opencode, Piece, RunContext};
use townwatch_agents::sse::{SseDecoder, SseMessage};
use townwatch_protocol::event::{AgentOutput, EventData, OutputStream};
use townwatch_protocol::time::Timestamp;

use super::told;

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

pub(super) fn recorded(program: &str, name: &str) -> Vec<u8> {
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

pub(super) fn events(of: &str, stream: &[u8], read_bytes: usize) -> Vec<EventData> {
    let mut reading = Reading::new(program(of));
    stream.chunks(read_bytes).for_each(|read| reading.push(read));
    reading.end()
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

//! What a program printed, through the line decoder and its normaliser.
#![allow(dead_code)] // not every test uses all of it

use std::fmt::Write;

use proptest::prelude::*;
use townwatch_agents::cut;
use townwatch_agents::lines::{Line, LineDecoder};
use townwatch_agents::normalise::normaliser_of;
use townwatch_agents::normalise::{Meaning, Normalise, RunContext, Threads};
use townwatch_agents::recordings::{RECORDINGS, Recording};
use townwatch_protocol::event::EventData;
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::time::Timestamp;

/// One run's output being read, a line every 10 ms.
pub(crate) struct Reading {
    normaliser: Box<dyn Normalise>,
    decoder: LineDecoder,
    millis: i64,
    /// What the lines so far meant.
    pub(crate) meanings: Vec<Meaning>,
}

impl Reading {
    pub(crate) fn new(runtime: Runtime, context: RunContext) -> Self {
        let (normaliser, decoder) = (normaliser_of(runtime, context), LineDecoder::new(16 << 20));
        Self { normaliser, decoder, millis: 0, meanings: Vec::new() }
    }

    pub(crate) fn of(recording: &Recording) -> Self {
        Self::new(recording.runtime, recording.context())
    }

    /// Earlier runs are known.
    pub(crate) fn remember(mut self, threads: &Threads) -> Self {
        self.normaliser.remember(threads);
        self
    }

    /// What it was told is in the log already.
    pub(crate) fn will_repeat(mut self) -> Self {
        self.normaliser.will_repeat();
        self
    }

    pub(crate) fn read(&mut self, bytes: &[u8]) {
        let Self { normaliser, decoder, millis, meanings } = self;
        decoder.push(bytes, |line| meanings.push(understand(&mut **normaliser, line, millis)));
    }

    /// The program has ended; the events of all of it, the last ones by themselves.
    pub(crate) fn end(mut self) -> (Vec<EventData>, Vec<EventData>) {
        let Self { normaliser, decoder, millis, meanings } = &mut self;
        let mut last = Vec::new();
        decoder.finish(|line| last.extend(understand(&mut **normaliser, line, millis).events));
        let succeeded = normaliser.failure().is_none() && normaliser.finished();
        last.extend(normaliser.end(succeeded, Timestamp::from_millis(*millis)));
        (meanings.drain(..).flat_map(|meaning| meaning.events).collect(), last)
    }

    pub(crate) fn failure(&self) -> Option<&str> {
        self.normaliser.failure()
    }

    pub(crate) fn finished(&self) -> bool {
        self.normaliser.finished()
    }
}

fn understand(normaliser: &mut dyn Normalise, line: Line<'_>, millis: &mut i64) -> Meaning {
    *millis += 10;
    match line {
        Line::Text(text) => normaliser.line(&text, Timestamp::from_millis(*millis)),
        Line::Oversized { bytes, sample } => Meaning::of(normaliser.oversized(bytes, &sample)),
    }
}

/// All events of an output that comes in reads of so many bytes.
pub(crate) fn events(mut reading: Reading, output: &[u8], read_bytes: usize) -> Vec<EventData> {
    output.chunks(read_bytes).for_each(|read| reading.read(read));
    let (mut events, last) = reading.end();
    events.extend(last);
    events
}

/// All events of a recording.
pub(crate) fn recorded(name: &str) -> Vec<EventData> {
    let recording = Recording::find(name).unwrap();
    events(Reading::of(recording), &recording.bytes().unwrap(), 1 << 16)
}

/// All events of these lines.
pub(crate) fn of_lines(runtime: Runtime, lines: &[&str]) -> Vec<EventData> {
    let context = RunContext { working_dir: Some("/w".into()), ..RunContext::default() };
    events(Reading::new(runtime, context), lines.join("\n").as_bytes(), 1 << 16)
}

pub(crate) fn told(events: &[EventData]) -> String {
    let mut told = String::new();
    for event in events {
        writeln!(told, "{} {}", event.name(), cut::bounded(event).get()).unwrap();
    }
    told
}

/// How many events there are of each kind.
pub(crate) fn counts(events: &[EventData]) -> std::collections::BTreeMap<String, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for event in events {
        let detail = match event {
            EventData::ToolCall(call) => format!(" {}", call.category.as_str()),
            EventData::ToolResult(result) => format!(" success={}", result.success),
            EventData::Output(output) => format!(" {}", output.stream.as_str()),
            _ => String::new(),
        };
        *counts.entry(format!("{}{detail}", event.name())).or_default() += 1;
    }
    counts
}

/// The recordings of a program.
pub(crate) fn recordings(runtime: Runtime) -> impl Iterator<Item = &'static Recording> {
    RECORDINGS.iter().filter(move |recording| recording.runtime == runtime)
}

/// JSON of any shape, with these words in all places.
pub(crate) fn json(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let word = prop::sample::select(words);
    let text = prop_oneof![word.clone().prop_map(str::to_owned), any::<String>()];
    let text = text.prop_map(|text| serde_json::to_string(&text).unwrap());
    let odd =
        prop::sample::select(vec!["null", "true", "1e400", "-0", "18446744073709551616", r#""\ud800""#, "[]", "{}"]);
    let leaf =
        prop_oneof![text.clone(), any::<f64>().prop_map(|number| format!("{number:e}")), odd.prop_map(str::to_owned)];
    leaf.prop_recursive(6, 40, 6, move |inner| {
        let field = (word.clone(), inner.clone()).prop_map(|(name, value)| format!("{name:?}:{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(field, 0..6).prop_map(|fields| format!("{{{}}}", fields.join(","))),
        ]
    })
}

/// A recording with a part of it replaced by other bytes.
pub(crate) fn damaged(name: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let bytes = Recording::find(name).unwrap().bytes().unwrap();
    let length = bytes.len();
    (0..length, 0..200_usize, prop::collection::vec(any::<u8>(), 0..4)).prop_map(move |(at, gone, new)| {
        let mut output = bytes.to_vec();
        output.splice(at..(at + gone).min(length), new);
        output
    })
}

/// Whether text that was typed is what the events say, message by message, and how many messages there were.
pub(crate) fn typed_as_said(recording: &Recording) -> usize {
    let mut reading = Reading::of(recording);
    reading.read(&recording.bytes().unwrap());
    let (mut typed, mut messages) = (None::<(String, String)>, 0);
    let meanings = std::mem::take(&mut reading.meanings);
    let (_, last) = reading.end();
    for Meaning { events, piece, .. } in meanings.into_iter().chain([Meaning::of(last)]) {
        for event in events {
            let EventData::Output(said) = event else { continue };
            let typed = typed.take().expect("what is said was typed");
            assert_eq!(typed, (said.message_id.unwrap(), said.text));
            messages += 1;
        }
        let Some(piece) = piece else { continue };
        match &mut typed {
            Some((id, text)) if !piece.begins && *id == piece.message_id => text.push_str(&piece.text),
            _ => {
                assert!(piece.begins && typed.is_none(), "a text begins with a piece that says so");
                typed = Some((piece.message_id, piece.text));
            }
        }
    }
    assert_eq!(typed, None);
    messages
}

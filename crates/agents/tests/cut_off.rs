//! Every recording, broken off at every 997th byte: as when the program or its machine dies in the middle of a line.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)] // test helpers

use std::collections::VecDeque;

use townwatch_agents::lines::{Line, LineDecoder};
use townwatch_agents::normalise::{ClaudeCode, Codex, Gemini, Normalise, Opencode};
use townwatch_agents::recordings::{RECORDINGS, Recording};
use townwatch_protocol::event::EventData;
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::time::Timestamp;

const STEP_BYTES: usize = 997;

/// A reader that can be copied as it stands before a cut, so that not each cut has to be read from the start.
#[derive(Clone)]
struct Reader<N> {
    normaliser: N,
    decoder: LineDecoder,
    millis: i64,
}

impl<N: Normalise + Clone> Reader<N> {
    fn new(normaliser: N) -> Self {
        Self { normaliser, decoder: LineDecoder::new(16 << 20), millis: 0 }
    }

    /// The events of each line that ends here.
    fn read(&mut self, bytes: &[u8]) -> Vec<Vec<String>> {
        let Self { normaliser, decoder, millis } = self;
        let mut lines = Vec::new();
        decoder.push(bytes, |line| lines.push(understand(normaliser, line, millis).iter().map(text).collect()));
        lines
    }

    /// What the line without its line feed meant, and what is said at the end.
    fn end(&mut self) -> (Option<Vec<EventData>>, Vec<EventData>) {
        let Self { normaliser, decoder, millis } = self;
        let mut line_events = None;
        decoder.finish(|line| line_events = Some(understand(normaliser, line, millis)));
        let succeeded = normaliser.failure().is_none() && normaliser.finished();
        (line_events, normaliser.end(succeeded, Timestamp::from_millis(*millis)))
    }
}

fn understand(normaliser: &mut impl Normalise, line: Line<'_>, millis: &mut i64) -> Vec<EventData> {
    *millis += 10;
    let Line::Text(line) = line else { panic!("no line of a recording is too long") };
    normaliser.line(&line, Timestamp::from_millis(*millis)).events
}

fn text(event: &EventData) -> String {
    format!("{} {}", event.name(), event.to_raw().get())
}

#[test]
fn an_output_that_breaks_off_is_read_up_to_there() {
    let mut cuts = 0;
    for recording in RECORDINGS {
        let context = recording.context();
        cuts += match recording.runtime {
            Runtime::ClaudeCode => cut_everywhere(recording, &Reader::new(ClaudeCode::new(context))),
            Runtime::Codex => cut_everywhere(recording, &Reader::new(Codex::new(context))),
            Runtime::Gemini => cut_everywhere(recording, &Reader::new(Gemini::new(context))),
            program @ (Runtime::Opencode | Runtime::Kilo) => {
                cut_everywhere(recording, &Reader::new(Opencode::new(program.as_str(), context, None)))
            }
            other => panic!("{}: nothing here reads {}", recording.name, other.as_str()),
        };
    }
    assert!(cuts > 5_000, "{cuts}");
}

fn cut_everywhere<N: Normalise + Clone>(recording: &Recording, new: &Reader<N>) -> usize {
    let bytes = recording.bytes().unwrap();
    let mut whole: VecDeque<_> = new.clone().read(&bytes).into();
    let (mut reader, mut before) = (new.clone(), Vec::new());
    for (cut, read) in bytes.chunks(STEP_BYTES).enumerate() {
        check_cut(&format!("{}, cut {cut}", recording.name), &before, reader.clone(), &whole);
        for line in reader.read(read) {
            assert_eq!(Some(&line), whole.pop_front().as_ref(), "{} after cut {cut}", recording.name);
            before.extend(line);
        }
    }
    assert!(whole.is_empty());
    bytes.len().div_ceil(STEP_BYTES)
}

/// What is told after the last whole line, where `before` was told and `rest` would have followed.
fn check_cut(what: &str, before: &[String], mut reader: Reader<impl Normalise + Clone>, rest: &VecDeque<Vec<String>>) {
    let (line_events, last_events) = reader.end();
    // Only the line feed of a last line can be missing; else nothing is made of it.
    let next = rest.front().map_or(&[][..], Vec::as_slice);
    let whole = line_events.as_ref().is_some_and(|events| events.iter().map(text).eq(next.iter().cloned()));
    let noticed = matches!(line_events.as_deref(), None | Some([EventData::ParserNotice(_)]));
    assert!(whole || noticed, "{what}: {line_events:?}");
    let rest = rest.iter().skip(usize::from(whole)).flatten();
    for event in last_events {
        match &event {
            // A message of which only pieces came: it is the beginning of what it would have been, and says so.
            EventData::Output(said) => {
                assert!(said.broken_off, "{what}: {said:?}");
                let beginning = text(&event).split("\",\"stream\"").next().unwrap().to_owned();
                assert!(rest.clone().any(|text| text.starts_with(&beginning)), "{what}: {said:?}");
            }
            EventData::Progress(done) => {
                assert_eq!(done.percentage, Some(100.0), "{what}");
                let told = before.iter().chain(next.iter().filter(|_| whole));
                let status = told.rev().find(|text| text.starts_with("agent.status"));
                assert!(status.is_some_and(|text| text.contains("waiting")), "{what}: it is not done");
            }
            // Work in the background that was listed, and whose own line was to follow.
            EventData::TaskStarted(started) => {
                let id = format!("\"task_id\":{:?}", started.task_id);
                let next = rest.clone().find(|text| text.starts_with("agent_task_started"));
                assert!(next.is_some_and(|next| next.contains(&id)), "{what}: {started:?}");
            }
            // Work in the background of which the program said that it ended, and was about to say more.
            EventData::TaskEnded(ended) => {
                let id = format!("\"task_id\":{:?}", ended.task_id);
                let next = rest.clone().find(|text| text.starts_with("agent_task_ended"));
                assert!(next.is_some_and(|next| next.contains(&id)), "{what}: {ended:?}");
            }
            other => panic!("{what}: {}", text(other)),
        }
    }
}

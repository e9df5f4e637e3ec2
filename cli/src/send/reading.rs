//! From the bytes of standard input to events, by the control server's own parsers.

use serde::Deserialize;
use townwatch::event::{AgentExited, EventData, ExitReason, Runtime, Status};
use townwatch::limits::STDOUT_LINE_BYTES_MAX;
use townwatch::time::Timestamp;
use townwatch_control::lines::{Line, LineDecoder};
use townwatch_control::log::now;
use townwatch_control::normalise::Normalise;
use townwatch_control::redact::{KeyLines, Redactor};
use townwatch_control::{cut, environment, runtimes};

use crate::arguments::Format;

/// The reading of one run's output.
pub(super) struct Reading<'a> {
    decoder: LineDecoder,
    parser: Parser<'a>,
}

struct Parser<'a> {
    redactor: &'a Redactor,
    keys: KeyLines,
    format: Option<Format>,
    normaliser: Option<Box<dyn Normalise>>,
    /// Whether a turn of the agent is under way.
    in_turn: bool,
}

impl<'a> Reading<'a> {
    /// Reads a format; without one the first line that is not empty decides.
    pub(super) fn new(format: Option<Format>, redactor: &'a Redactor) -> Self {
        let parser = Parser { redactor, keys: KeyLines::default(), format, normaliser: None, in_turn: false };
        Self { decoder: LineDecoder::new(STDOUT_LINE_BYTES_MAX), parser }
    }

    /// Takes what one read gave.
    pub(super) fn push(&mut self, bytes: &[u8], take: &mut impl FnMut(&EventData, Timestamp)) {
        let parser = &mut self.parser;
        self.decoder.push(bytes, |line| parser.line(line, take));
    }

    /// The input has ended: what is still to be said, and how the run ended.
    pub(super) fn finish(mut self, take: &mut impl FnMut(&EventData, Timestamp)) -> AgentExited {
        let parser = &mut self.parser;
        self.decoder.finish(|line| parser.line(line, take));
        let failure = parser.failure();
        let at = now();
        if let Some(normaliser) = &mut parser.normaliser {
            normaliser.end(failure.is_none(), at).iter().for_each(|event| take(event, at));
        }
        let reason = if failure.is_none() { ExitReason::Completed } else { ExitReason::Failed };
        AgentExited { reason, exit_code: None, signal: None, message: failure.map(|text| cut::text(&text, 4 << 10)) }
    }
}

impl Parser<'_> {
    fn line(&mut self, line: Line<'_>, take: &mut impl FnMut(&EventData, Timestamp)) {
        let line = self.keys.clean(self.redactor, line);
        if self.format.is_none() && matches!(&line, Line::Text(text) if text.trim().is_empty()) {
            return;
        }
        let at = now();
        let format = *self.format.get_or_insert_with(|| guess(&line));
        let normaliser = self.normaliser.get_or_insert_with(|| {
            let place = environment::place(&std::env::current_dir().unwrap_or_default());
            let runtime = match format {
                Format::ClaudeCode => Runtime::ClaudeCode,
                Format::Codex => Runtime::Codex,
                Format::Gemini => Runtime::Gemini,
                Format::Process => Runtime::Process,
            };
            runtimes::normaliser_of(runtime, place)
        });
        let events = match line {
            Line::Text(text) => normaliser.line(&text, at).events,
            Line::Oversized { bytes, sample } => normaliser.oversized(bytes, &sample),
        };
        for event in &events {
            match event {
                EventData::Status(data) => self.in_turn = data.status == Status::Running,
                EventData::Session(_) => self.in_turn = true,
                _ => {}
            }
            take(event, at);
        }
    }

    /// Why the run failed, as far as its output tells: the exit code of a program before a pipe is not seen behind it.
    fn failure(&self) -> Option<String> {
        let own = self.normaliser.as_ref().and_then(|normaliser| normaliser.failure());
        let cut_short = || self.in_turn.then_some("its output ended in the middle of a turn");
        own.or_else(cut_short).map(str::to_owned)
    }
}

fn guess(line: &Line<'_>) -> Format {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        kind: String,
    }
    let Line::Text(text) = line else { return Format::Process };
    match serde_json::from_str::<Typed>(text).map(|typed| typed.kind).as_deref() {
        Ok("thread.started") => Format::Codex,
        Ok("init") => Format::Gemini,
        Ok(_) => Format::ClaudeCode,
        Err(_) => Format::Process,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use townwatch_control::redact::Secrets;
    use townwatch_control::runtimes::replay::Recording;

    fn read(format: Option<Format>, input: &[u8]) -> (Vec<&'static str>, AgentExited) {
        let mut names = Vec::new();
        let mut take = |event: &EventData, _| {
            names.extend(EventData::NAMES.iter().copied().find(|name| *name == event.name()));
        };
        let redactor = Redactor::new(Secrets::default()).unwrap();
        let mut reading = Reading::new(format, &redactor);
        input.chunks(1000).for_each(|chunk| reading.push(chunk, &mut take));
        let exit = reading.finish(&mut take);
        (names, exit)
    }

    #[test]
    fn the_first_line_tells_the_format() {
        let cases = [
            ("\n{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"s\"}\n", "agent_session"),
            ("{\"type\":\"thread.started\",\"thread_id\":\"t\"}\n", "agent_session"),
            ("{\"type\":\"init\",\"session_id\":\"s\",\"model\":\"m\"}\n", "agent_session"),
            ("{\"level\":\"info\"}\n", "agent_output"),
            ("plain\n{\"type\":\"system\"}\n", "agent_output"),
            ("[1]", "agent_output"),
        ];
        for (input, expected) in cases {
            assert_eq!(read(None, input.as_bytes()).0[0], expected, "{input}");
        }
        assert_eq!(read(Some(Format::Process), cases[0].0.as_bytes()).0, ["agent_output", "agent_output"]);
        assert_eq!(read(None, b"").0, [""; 0]);
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
    }
}

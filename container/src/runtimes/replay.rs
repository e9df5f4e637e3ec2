//! Recordings of real agents, printed by a child process: the same process, pipe, line reader and parser as live.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::time::Duration;

use serde::Deserialize;
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::event::Runtime;
use townwatch_protocol::limits::STDOUT_LINE_BYTES_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::StartAgent;

use super::{Input, Launch};
use crate::config::Config;
use crate::json;
use crate::normalise::Place;
use crate::sse::{Message, SseDecoder};

/// The hidden subcommand of this program that prints a recording.
pub const PRINT_COMMAND: &str = "replay-print";
/// No pause of a recording is longer than this at its own pace.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// A recording can be played at most this much faster; 0 is at once.
const SPEED_MAX: f64 = 1000.0;

/// A bundled recording.
#[derive(Debug)]
pub struct Recording {
    /// Its name.
    pub name: &'static str,
    /// Whose output it is.
    pub runtime: Runtime,
    bytes: &'static [u8],
    /// How the recorded program ended.
    pub exit_code: u8,
}

macro_rules! recordings {
    ($($name:literal $runtime:ident $dir:literal $file:literal $exit_code:literal;)*) => {
        /// What is bundled.
        pub const RECORDINGS: &[Recording] = &[$(Recording {
            name: $name,
            runtime: Runtime::$runtime,
            bytes: include_bytes!(concat!("../../../tests/golden/", $dir, "/", $file)),
            exit_code: $exit_code,
        },)*];
    };
}

recordings! {
    "basic" ClaudeCode "claude_code" "basic.jsonl" 0;
    "basic-nopartial" ClaudeCode "claude_code" "basic-nopartial.jsonl" 0;
    "parallel" ClaudeCode "claude_code" "parallel.jsonl" 0;
    "volume320" ClaudeCode "claude_code" "volume320.jsonl.gz" 0;
    "longtext-partial" ClaudeCode "claude_code" "longtext-partial.jsonl.gz" 0;
    "subagent" ClaudeCode "claude_code" "subagent.jsonl" 0;
    "permission-denied" ClaudeCode "claude_code" "permission-denied.jsonl" 0;
    "badtool" ClaudeCode "claude_code" "badtool.jsonl" 0;
    "abort-sigterm" ClaudeCode "claude_code" "abort-sigterm.jsonl" 143; // no last line: the program was ended by the signal
    "abort-in-tool-sigint" ClaudeCode "claude_code" "abort-in-tool-sigint.jsonl" 0; // after SIGINT it writes its result and ends well
    "err400" ClaudeCode "claude_code" "err400.jsonl" 1;
    "err529-then-ok" ClaudeCode "claude_code" "err529-then-ok.jsonl" 0;
    "codex/basic" Codex "codex" "basic.jsonl" 0;
    "codex/parallel" Codex "codex" "parallel.jsonl" 0;
    "codex/volume320" Codex "codex" "volume320.jsonl.gz" 0;
    "codex/abort-sigterm" Codex "codex" "abort-sigterm.jsonl" 143;
    "codex/err500-retries2" Codex "codex" "err500-retries2.jsonl" 1;
    "codex/errmid-response-failed" Codex "codex" "errmid-response-failed.jsonl" 1;
    "gemini/basic" Gemini "gemini" "basic.jsonl" 0;
    "gemini/parallel" Gemini "gemini" "parallel.jsonl" 0;
    "gemini/abort-sigterm" Gemini "gemini" "abort-sigterm.jsonl" 0; // it ends well by its own account
    "gemini/err400" Gemini "gemini" "err400.jsonl" 1;
    "opencode/basic" Opencode "opencode" "basic.sse" 0;
    "opencode/parallel" Opencode "opencode" "parallel.sse" 0;
    "opencode/volume320" Opencode "opencode" "volume320.sse.gz" 0;
    "opencode/subagent" Opencode "opencode" "subagent.sse" 0;
    "opencode/permission-ask" Opencode "opencode" "permission-ask.sse" 0;
    "opencode/abort-api" Opencode "opencode" "abort-api.sse" 0; // a turn was interrupted, not the server
    "opencode/err400" Opencode "opencode" "err400.sse" 0;
    "kilo/basic" Kilo "kilo" "basic.sse.gz" 0;
    "kilo/abort-api" Kilo "kilo" "abort-api.sse" 0;
    "kilo/err400" Kilo "kilo" "err400.sse" 0;
}

impl Recording {
    /// The recording of this name; `demo` is a good first one, and `claude_code/` may stand before a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        let name = name.strip_prefix("claude_code/").unwrap_or(name);
        let name = if name == "demo" { "basic" } else { name };
        RECORDINGS.iter().find(|recording| recording.name == name)
    }

    /// Where the recorded program ran.
    pub fn place(&self) -> Place {
        let working_dir = match self.runtime {
            Runtime::Codex | Runtime::Gemini => Some(format!("/workspace/{}", self.runtime.as_str())),
            _ => None, // it says so itself
        };
        Place { working_dir, ..Place::default() }
    }

    /// What the program printed, byte for byte; of a server the messages that it streamed, each a line.
    pub fn bytes(&self) -> io::Result<Cow<'static, [u8]>> {
        let file = self.file()?;
        Ok(if super::is_served(self.runtime) { lines_of(&file).into() } else { file })
    }

    /// What was recorded, byte for byte.
    pub fn file(&self) -> io::Result<Cow<'static, [u8]>> {
        if self.bytes.starts_with(&[0x1f, 0x8b]) {
            let mut bytes = Vec::new();
            flate2::read::GzDecoder::new(self.bytes).read_to_end(&mut bytes)?;
            return Ok(bytes.into());
        }
        Ok(self.bytes.into())
    }
}

/// The messages of an event stream, each a line: they are JSON, which needs no raw line feed.
fn lines_of(stream: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    SseDecoder::new(STDOUT_LINE_BYTES_MAX).push(stream, |message| {
        if let Message::Event { data, .. } = message {
            lines.extend_from_slice(data.replace('\n', " ").as_bytes());
            lines.push(b'\n');
        }
    });
    lines
}

/// This program itself, as the printer of the order's recording.
pub(super) fn launch(order: &StartAgent, config: &Config) -> Result<Launch> {
    let names = || RECORDINGS.iter().map(|recording| recording.name).collect::<Vec<_>>().join(", ");
    let Some(name) = &order.transcript else {
        return Err(Error::invalid("transcript", format!("name a recording: demo, {}", names())));
    };
    let Some(recording) = Recording::find(name) else {
        return Err(Error::invalid(
            "transcript",
            format!("no recording is called {name:?}; there are demo, {}", names()),
        ));
    };
    let speed = order.speed.unwrap_or(1.0);
    if !(0.0..=SPEED_MAX).contains(&speed) {
        return Err(Error::invalid("speed", format!("expected a number from 0 (at once) to {SPEED_MAX}")));
    }
    let arguments = [PRINT_COMMAND, recording.name, "--speed", &speed.to_string()].map(str::to_owned).to_vec();
    Ok(Launch { program: config.own_program.clone(), arguments, variables: Vec::new(), input: Input::None })
}

/// Prints a recording: `NAME [--speed S]`. Gives the exit code.
pub fn print(arguments: &[String], out: &mut impl Write) -> io::Result<u8> {
    let wrong = |problem: &str| io::Error::new(io::ErrorKind::InvalidInput, problem);
    let (name, speed) = match arguments {
        [name] => (name, 1.0),
        [name, option, speed] if option == "--speed" => (name, speed.parse().map_err(|_| wrong("--speed: a number"))?),
        _ => return Err(wrong("expected NAME [--speed S]")),
    };
    let recording = Recording::find(name).ok_or_else(|| wrong("no such recording"))?;
    let bytes = recording.bytes()?;
    if speed <= 0.0 {
        out.write_all(&bytes)?;
    } else {
        for (line, pause) in paced(&bytes) {
            std::thread::sleep(pause.div_f64(speed));
            out.write_all(line)?;
            out.flush()?;
        }
    }
    out.flush()?;
    Ok(recording.exit_code)
}

/// The lines, each with the pause before it. Only some lines bear a time: what passed between two of those is spread
/// evenly over the lines from one to the other.
fn paced(bytes: &[u8]) -> Vec<(&[u8], Duration)> {
    #[derive(Deserialize)]
    struct Stamped {
        #[serde(default, deserialize_with = "json::if_readable")]
        timestamp: Option<Timestamp>,
        #[serde(default, deserialize_with = "json::if_readable")]
        id: Option<String>,
    }
    let mut lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').map(|line| (line, Duration::ZERO)).collect();
    let mut last: Option<(usize, Timestamp)> = None;
    for index in 0..lines.len() {
        let stamped = serde_json::from_slice::<Stamped>(lines[index].0).ok();
        let stamped = stamped.and_then(|line| line.timestamp.or_else(|| time_in_id(line.id.as_deref()?)));
        let Some(at) = stamped else { continue };
        if let Some((last_index, last_at)) = last {
            let passed = Duration::from_millis(at.millis_since(last_at)).min(PAUSE_MAX);
            let steps = u32::try_from(index - last_index).unwrap_or(u32::MAX);
            lines[last_index + 1..=index].iter_mut().for_each(|(_, pause)| *pause = passed / steps);
        }
        last = Some((index, at));
    }
    lines
}

/// The time in an id of OpenCode: `evt_`, then in hexadecimal the milliseconds since some day, and three digits that count.
fn time_in_id(id: &str) -> Option<Timestamp> {
    let digits = id.strip_prefix("evt_")?.get(..12)?;
    Some(Timestamp::from_millis(i64::from_str_radix(digits, 16).ok()? >> 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recording_is_whole() {
        for recording in RECORDINGS {
            let bytes = recording.bytes().unwrap();
            assert!(bytes.ends_with(b"\n") && bytes.starts_with(b"{"), "{}", recording.name);
            let mut printed = Vec::new();
            let arguments = [recording.name.to_owned(), "--speed".into(), "0".into()];
            assert_eq!(print(&arguments, &mut printed).unwrap(), recording.exit_code);
            assert_eq!(printed, *bytes);
        }
    }

    #[test]
    fn pauses_are_the_recorded_ones_and_none_is_long() {
        let (a, b) = (r#"{"timestamp":"2026-11-22T14:46:39.000Z"}"#, r#"{"timestamp":"2026-11-22T14:46:39.400Z"}"#);
        let c = r#"{"timestamp":"2026-11-22T15:00:00.000Z"}"#;
        let recording = format!("{{}}\n{a}\n{{}}\nnot json\n{{}}\n{b}\n{c}\n{{}}");
        let pauses: Vec<u128> = paced(recording.as_bytes()).iter().map(|(_, pause)| pause.as_millis()).collect();
        assert_eq!(pauses, [0, 0, 100, 100, 100, 100, 2000, 0]);
        let stream = r#"{"id":"evt_203c5cfef001aa"}"#.to_owned() + "\n{}\n" + r#"{"id":"evt_203c5cfff000bb"}"#;
        let pauses: Vec<u128> = paced(stream.as_bytes()).iter().map(|(_, pause)| pause.as_millis()).collect();
        assert_eq!(pauses, [0, 8, 8]);
    }
}

//! Recordings of real agents, bundled: the output of each program, byte for byte.

use std::borrow::Cow;
use std::io::{self, Read};

use townwatch_protocol::limits::STDOUT_LINE_BYTES_MAX;
use townwatch_protocol::runtime::Runtime;

use crate::normalise::RunContext;
use crate::sse::{SseDecoder, SseMessage};

/// A bundled recording.
#[derive(Debug)]
pub struct Recording {
    /// The name: `kilo/basic` for example.
    pub name: &'static str,
    /// The program that was recorded.
    pub runtime: Runtime,
    bytes: &'static [u8],
    /// The exit code of the recorded program.
    pub exit_code: u8,
}

macro_rules! recordings {
    ($($name:literal $runtime:ident $dir:literal $file:literal $exit_code:literal;)*) => {
        /// All bundled recordings.
        pub const RECORDINGS: &[Recording] = &[$(Recording {
            name: $name,
            runtime: Runtime::$runtime,
            bytes: include_bytes!(concat!("../../../tests/recordings/", $dir, "/", $file)),
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
    /// The recording of this name. `demo` is a good first one. The prefix `claude_code/` may be left out.
    pub fn find(name: &str) -> Option<&'static Self> {
        let name = name.strip_prefix("claude_code/").unwrap_or(name);
        let name = if name == "demo" { "basic" } else { name };
        RECORDINGS.iter().find(|recording| recording.name == name)
    }

    /// The context in which the recorded program ran.
    pub fn context(&self) -> RunContext {
        let working_dir = match self.runtime {
            Runtime::Codex | Runtime::Gemini => Some(format!("/workspace/{}", self.runtime.as_str())),
            _ => None, // it says so itself
        };
        RunContext { working_dir, ..RunContext::default() }
    }

    /// The output of the program, byte for byte; for a server, each message of its stream as a line.
    pub fn bytes(&self) -> io::Result<Cow<'static, [u8]>> {
        let file = self.file()?;
        Ok(if self.runtime.is_served() { lines_of(&file).into() } else { file })
    }

    /// The recorded bytes.
    pub fn file(&self) -> io::Result<Cow<'static, [u8]>> {
        if self.bytes.starts_with(&[0x1f, 0x8b]) {
            let mut bytes = Vec::new();
            flate2::read::GzDecoder::new(self.bytes).read_to_end(&mut bytes)?;
            return Ok(bytes.into());
        }
        Ok(self.bytes.into())
    }
}

/// The messages of an event stream, each as a line. They are JSON, which needs no raw line feed.
fn lines_of(stream: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    SseDecoder::new(STDOUT_LINE_BYTES_MAX).push(stream, |message| {
        if let SseMessage::Event { data, .. } = message {
            lines.extend_from_slice(data.replace('\n', " ").as_bytes());
            lines.push(b'\n');
        }
    });
    lines
}

//! The programs that can be run: the start of each, and the reading of its output. Each has one file.

mod claude_code;
mod codex;
mod gemini;
pub mod opencode;
mod process;
pub mod replay;
mod sign_in;
mod versions;

pub use sign_in::not_signed_in;
pub use versions::saw;

use std::path::PathBuf;

use townwatch_agents::normalise::{Normalise, RunContext, normaliser_of};
use townwatch_agents::recordings::Recording;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::limits::PROMPT_BYTES_MAX;
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::wire::StartAgent;

use crate::config::Config;
use crate::search_path::find_on_path;

/// The size of one argument, 120 KiB; a longer one is refused with `invalid`. Linux itself takes at most 128 KiB.
const ARGUMENT_BYTES_MAX: usize = 120 << 10;

/// The way to start a run's process. The executor adds the environment and the working directory.
#[derive(Debug, PartialEq, Eq)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables that this runtime needs beside the agent's own.
    pub variables: Vec<(&'static str, String)>,
    /// The program's standard input.
    pub input: Input,
}

/// A program's standard input.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    /// No input.
    None,
    /// A text, and then the end of the input.
    Whole(String),
    /// A first line, and then the messages of people.
    Open(String),
}

/// The way to start the order's program.
///
/// # Errors
///
/// `not_supported_by_runtime` where the program is not installed, `invalid_request` with the order's field that is wrong.
pub fn launch(order: &StartAgent, config: &Config) -> Result<Launch> {
    let permissions = config.sandbox.permissions();
    match order.runtime {
        Runtime::ClaudeCode => claude_code::launch(order, &found(order.runtime)?, permissions),
        Runtime::Codex => codex::launch(order, &found(order.runtime)?, permissions),
        Runtime::Gemini => gemini::launch(order, &found(order.runtime)?, permissions),
        Runtime::Process => process::launch(order),
        Runtime::Replay => replay::launch(order, config),
        Runtime::Opencode | Runtime::Kilo => opencode::launch(order, &found(order.runtime)?, permissions),
    }
}

/// Makes the reader of the output of the order's program.
pub fn normaliser(order: &StartAgent, context: RunContext) -> Box<dyn Normalise> {
    let recording = order.transcript.as_deref().and_then(Recording::find);
    if let Some(recording) = recording.filter(|_| order.runtime == Runtime::Replay) {
        return normaliser_of(recording.runtime, recording.context());
    }
    let mut normaliser = normaliser_of(order.runtime, context);
    if order.prompt.is_some() {
        normaliser.will_repeat(); // the start has told it
    }
    normaliser
}

fn found(runtime: Runtime) -> Result<PathBuf> {
    let Some(program) = runtime.program() else {
        return Err(Error::internal(format!("{} is no program of its own", runtime.as_str())));
    };
    find_on_path(program.command).ok_or_else(|| {
        let (command, install) = (program.command, program.install_command());
        let message = format!("runtime: `{command}` is not on the control server's PATH; install it with `{install}`");
        Error::new(Code::NotSupportedByRuntime, message)
    })
}

/// The order's prompt, which must not be empty.
fn prompt(order: &StartAgent) -> Result<String> {
    match order.prompt.as_deref().filter(|prompt| !prompt.trim().is_empty()) {
        Some(prompt) => argument("prompt", prompt, PROMPT_BYTES_MAX),
        None => Err(Error::invalid("prompt", format!("say what {} is to do", order.runtime.properties().title))),
    }
}

/// Refuses a text that cannot be an argument of a process.
fn argument(field: &str, text: &str, bytes_max: usize) -> Result<String> {
    if text.contains('\0') {
        return Err(Error::invalid(field, "must not contain a NUL character"));
    }
    if text.len() > bytes_max {
        return Err(Error::invalid(field, format!("is {} bytes long; at most {bytes_max} are possible", text.len())));
    }
    Ok(text.to_owned())
}

//! Gemini CLI without a person: one prompt, and its events as lines of JSON.

use std::path::Path;

use townwatch_protocol::error::Result;
use townwatch_protocol::limits::PROMPT_BYTES_MAX;
use townwatch_protocol::wire::StartAgent;

use super::{Input, Launch, argument};
use crate::sandbox::Permissions;

/// Launches `gemini --output-format stream-json`, with the prompt through standard input.
///
/// The program can ask nobody. Without a sandbox around it, it may edit files of its working directory, and is refused
/// commands. It has no option for a system prompt that would keep its own one in place, so the system prompt stands
/// before the prompt.
pub(super) fn launch(order: &StartAgent, program: &Path, permissions: Permissions) -> Result<Launch> {
    let prompt = super::prompt(order)?;
    let input = match &order.system_prompt {
        Some(system_prompt) => format!("{}\n\n{prompt}", argument("system_prompt", system_prompt, PROMPT_BYTES_MAX)?),
        None => prompt,
    };
    let mode = match permissions {
        Permissions::Ask => "--approval-mode=auto_edit",
        Permissions::All => "--yolo",
    };
    let mut arguments = ["--output-format", "stream-json", mode].map(str::to_owned).to_vec();
    if let Some(model) = &order.model {
        arguments.push(format!("--model={}", argument("model", model, 200)?));
    }
    // Without this variable the program refuses to work in a folder that nobody has trusted yet.
    let variables = vec![("GEMINI_CLI_TRUST_WORKSPACE", "true".to_owned())];
    Ok(Launch { program: program.to_owned(), arguments, variables, input: Input::Whole(input) })
}

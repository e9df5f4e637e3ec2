//! Gemini CLI, unattended: one prompt, its events as lines of JSON.

use std::path::Path;

use townwatch_protocol::error::Result;
use townwatch_protocol::limits::PROMPT_BYTES_MAX;
use townwatch_protocol::wire::StartAgent;

use super::{Input, Launch, argument};
use crate::sandbox::Permissions;

/// `gemini --output-format stream-json`, with the prompt through standard input.
///
/// It can ask nobody. Where no sandbox is around it, it may edit files of its working directory, and is refused commands.
/// It has no option for a system prompt that would leave its own one in place, so that stands before the prompt.
pub(super) fn launch(order: &StartAgent, program: &Path, permissions: Permissions) -> Result<Launch> {
    let prompt = super::prompt(order, "Gemini CLI")?;
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
    // In a folder that nobody has trusted yet it does not work at all.
    let variables = vec![("GEMINI_CLI_TRUST_WORKSPACE", "true".to_owned())];
    Ok(Launch { program: program.to_owned(), arguments, variables, input: Input::Whole(input) })
}

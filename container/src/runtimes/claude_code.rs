//! Claude Code, run as its Agent SDK runs it: prompts go in line by line, and events and questions come out as lines of
//! JSON.

use std::path::Path;

use townwatch_agents::normalise::claude_code::user_line;
use townwatch_protocol::error::Result;
use townwatch_protocol::wire::StartAgent;

use super::{ARGUMENT_BYTES_MAX, Input, Launch, argument};
use crate::sandbox::Permissions;

/// Launches `claude -p` with its input left open.
///
/// Its questions come over its standard output, and people answer them on the page. In a sandbox it asks where its
/// settings tell it to (`permissions.ask` of the user or the repository), and where it wants to know something of
/// people. Outside of a sandbox it asks for everything that its settings do not allow. For that the mode is fixed,
/// because the settings could name another one.
pub(super) fn launch(order: &StartAgent, program: &Path, permissions: Permissions) -> Result<Launch> {
    let input = Input::Open(user_line(&super::prompt(order)?));
    let formats = ["-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"];
    let asking = ["--include-partial-messages", "--permission-prompt-tool", "stdio"];
    let mode: &[_] = match permissions {
        Permissions::Ask => &["--permission-mode", "default"],
        Permissions::All => &["--dangerously-skip-permissions"],
    };
    let fixed = formats.iter().chain(&asking).chain(mode);
    let mut arguments: Vec<String> = fixed.map(|word| (*word).to_owned()).collect();
    if let Some(model) = &order.model {
        arguments.push(format!("--model={}", argument("model", model, 200)?));
    }
    if let Some(system_prompt) = &order.system_prompt {
        let system_prompt = argument("system_prompt", system_prompt, ARGUMENT_BYTES_MAX)?;
        arguments.push(format!("--append-system-prompt={system_prompt}"));
    }
    // As root the program refuses to skip permissions unless it is told that it is in a sandbox.
    let is_told = permissions == Permissions::All && rustix::process::geteuid().is_root();
    let variables = if is_told { vec![("IS_SANDBOX", "1".to_owned())] } else { Vec::new() };
    Ok(Launch { program: program.to_owned(), arguments, variables, input })
}

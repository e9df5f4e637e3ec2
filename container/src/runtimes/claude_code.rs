//! Claude Code, unattended: one prompt, its events as lines of JSON.

use std::path::Path;

use townwatch::error::Result;
use townwatch::protocol::StartAgent;

use super::{ARGUMENT_BYTES_MAX, Launch, argument};

/// `claude -p …` as an agent that nobody sits in front of needs it: nothing may wait for a permission.
pub(super) fn launch(order: &StartAgent, program: &Path) -> Result<Launch> {
    let prompt = super::prompt(order, "Claude Code")?;
    // An argument that begins with a dash would be taken for an option.
    let by_input = prompt.len() > ARGUMENT_BYTES_MAX || prompt.starts_with('-');
    let mut arguments = vec!["-p".to_owned()];
    let input = if by_input {
        Some(prompt)
    } else {
        arguments.push(prompt);
        None
    };
    arguments.extend(["--output-format", "stream-json", "--verbose", "--include-partial-messages"].map(str::to_owned));
    arguments.push("--dangerously-skip-permissions".to_owned());
    if let Some(model) = &order.model {
        arguments.push(format!("--model={}", argument("model", model, 200)?));
    }
    if let Some(system_prompt) = &order.system_prompt {
        let system_prompt = argument("system_prompt", system_prompt, ARGUMENT_BYTES_MAX)?;
        arguments.push(format!("--append-system-prompt={system_prompt}"));
    }
    // As root it refuses to skip permissions unless it is told that it is in a sandbox, which a town's container is.
    let root = rustix::process::geteuid().is_root();
    let variables = if root { vec![("IS_SANDBOX", "1".to_owned())] } else { Vec::new() };
    Ok(Launch { program: program.to_owned(), arguments, variables, input })
}

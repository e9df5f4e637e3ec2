//! Claude Code, as its Agent SDK runs it: told what to do line by line, its events and questions as lines of JSON.

use std::path::Path;

use townwatch::error::Result;
use townwatch::protocol::StartAgent;

use super::{ARGUMENT_BYTES_MAX, Input, Launch, argument};
use crate::normalise::claude_code::user_line;

/// `claude -p` with its input left open.
///
/// A town's container is its sandbox, and most often nobody sits in front of it: what its settings do not tell it to ask
/// for (`permissions.ask` of the user's or the repository's) it may do. That, and what it wants to know of people, it asks
/// over its standard output.
pub(super) fn launch(order: &StartAgent, program: &Path) -> Result<Launch> {
    let input = Input::Open(user_line(&super::prompt(order, "Claude Code")?));
    let formats = ["-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"];
    let asking = ["--include-partial-messages", "--permission-prompt-tool", "stdio", "--dangerously-skip-permissions"];
    let mut arguments: Vec<String> = formats.into_iter().chain(asking).map(str::to_owned).collect();
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

//! Codex without a person: one prompt, and its events as lines of JSON.

use std::path::Path;

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::wire::StartAgent;

use super::{ARGUMENT_BYTES_MAX, Input, Launch, argument};
use crate::sandbox::Permissions;

/// Launches `codex exec --json`, with the prompt through standard input. There neither its length nor its first
/// character is a problem.
///
/// Nobody is there to approve anything. Without a sandbox around Codex, its own sandbox lets commands write in the
/// working directory only, and gives them no network. The repository check is off, because an agent of a town may work
/// in a folder that is no repository.
pub(super) fn launch(order: &StartAgent, program: &Path, permissions: Permissions) -> Result<Launch> {
    let input = Input::Whole(super::prompt(order)?);
    let reach = match permissions {
        Permissions::Ask => "--sandbox=workspace-write",
        Permissions::All => "--dangerously-bypass-approvals-and-sandbox",
    };
    let mut arguments = ["exec", "--json", "--skip-git-repo-check", reach].map(str::to_owned).to_vec();
    if let Some(model) = &order.model {
        arguments.push(format!("--model={}", argument("model", model, 200)?));
    }
    if let Some(system_prompt) = &order.system_prompt {
        let system_prompt = argument("system_prompt", system_prompt, ARGUMENT_BYTES_MAX)?;
        // The option takes a value of TOML, and a JSON string is one.
        let quoted = serde_json::to_string(&system_prompt).map_err(Error::internal)?;
        arguments.push(format!(
            "--config=developer_instructions={}",
            argument("system_prompt", &quoted, ARGUMENT_BYTES_MAX)?
        ));
    }
    arguments.push("-".to_owned());
    Ok(Launch { program: program.to_owned(), arguments, variables: Vec::new(), input })
}

//! OpenCode, and Kilo, which is made from it: a server with an HTTP API. Each run has a server to itself, because
//! working directory and environment differ from run to run, and belong to the server.

use std::path::Path;

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::limits::PROMPT_BYTES_MAX;
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::wire::StartAgent;

use super::{Input, Launch, argument};
use crate::sandbox::Permissions;

/// The rules by which the program asks for every action except reading and planning. Of several rules that fit one
/// tool, the last one counts.
const ASK: &str = r#"{"*":"ask","read":{"*":"allow","*.env":"ask","*.env.*":"ask"},"glob":"allow","grep":"allow","list":"allow","lsp":"allow","skill":"allow","task":"allow","todowrite":"allow","todoread":"allow","question":"allow"}"#;

/// Launches `opencode serve`. The prompt follows through its API, once the server is up.
pub(super) fn launch(order: &StartAgent, program: &Path, permissions: Permissions) -> Result<Launch> {
    if order.prompt.as_deref().is_none_or(|prompt| prompt.trim().is_empty()) {
        return Err(Error::invalid("prompt", format!("say what {} is to do", order.runtime.as_str())));
    }
    for (field, text) in [("prompt", &order.prompt), ("system_prompt", &order.system_prompt)] {
        argument(field, text.as_deref().unwrap_or_default(), PROMPT_BYTES_MAX)?;
    }
    if let Some(name) = &order.model {
        model(name)
            .ok_or_else(|| Error::invalid("model", "expected provider/model, as in \"anthropic/claude-opus-4\""))?;
    }
    let arguments = ["serve", "--hostname", "127.0.0.1", "--port", "0"].map(str::to_owned).to_vec();
    // Without the password any process of this machine could use the server, for example an agent of another town.
    let password = format!("{}{}", uuid::Uuid::now_v7().simple(), uuid::Uuid::now_v7().simple());
    let mut variables = vec![(password_variable(order.runtime), password)];
    if permissions == Permissions::Ask {
        variables.push((permission_variable(order.runtime), ASK.to_owned()));
    }
    Ok(Launch { program: program.to_owned(), arguments, variables, input: Input::None })
}

/// The variable with permission rules, which come after those of all settings.
fn permission_variable(runtime: Runtime) -> &'static str {
    if runtime == Runtime::Kilo { "KILO_PERMISSION" } else { "OPENCODE_PERMISSION" }
}

/// The variable with the password of the server.
pub fn password_variable(runtime: Runtime) -> &'static str {
    if runtime == Runtime::Kilo { "KILO_SERVER_PASSWORD" } else { "OPENCODE_SERVER_PASSWORD" }
}

/// Splits a whole name into provider and model: `anthropic` and `claude-opus-4` of `anthropic/claude-opus-4`. The
/// model's own name may have slashes, too.
pub fn model(name: &str) -> Option<(&str, &str)> {
    name.split_once('/').filter(|(provider, model)| !provider.is_empty() && !model.is_empty())
}

//! The runtime for any command.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::wire::StartAgent;

use super::{ARGUMENT_BYTES_MAX, Input, Launch, argument};

/// Launches the command of the order. Its first word is searched on `PATH`.
pub(super) fn launch(order: &StartAgent) -> Result<Launch> {
    let words = order.command.as_deref().unwrap_or_default();
    let words = words.iter().map(|word| argument("command", word, ARGUMENT_BYTES_MAX)).collect::<Result<Vec<_>>>()?;
    match words.split_first() {
        Some((program, arguments)) if !program.is_empty() => Ok(Launch {
            program: program.into(),
            arguments: arguments.to_vec(),
            variables: Vec::new(),
            input: Input::None,
        }),
        _ => Err(Error::invalid("command", "name the program and its arguments, as in [\"npm\", \"test\"]")),
    }
}

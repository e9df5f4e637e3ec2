//! The wall between agents and this machine, and with it the permissions that agents have without a question.

mod bubblewrap;

pub use bubblewrap::{Bubblewrap, Places};

use std::path::Path;

use townwatch_protocol::wire::SandboxKind;

use crate::setting;

/// The wall between agents and this machine.
#[derive(Debug, Clone)]
pub enum Sandbox {
    /// No wall.
    None,
    /// This server itself is in a sandbox, with everything that it runs: its image, or a place that the operator
    /// declares to be as good.
    Image,
    /// Each run gets a sandbox of its own.
    Bubblewrap(Bubblewrap),
}

/// The permissions that an agent has without a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permissions {
    /// The permissions that the agent's program gives where a person sits in front of it. An agent that can ask nobody
    /// is refused everything else.
    Ask,
    /// All permissions, because everything within the agent's reach is its own.
    All,
}

impl Sandbox {
    /// Reads `CONTROL_SANDBOX` and, for bubblewrap, the other settings about what agents see. The error is a sentence
    /// for a person.
    pub fn read(variable: impl Fn(&str) -> Option<String>, work_dir: &Path) -> Result<Self, String> {
        match variable(setting::SANDBOX.name).as_deref().map(str::trim) {
            None | Some("" | "0") => Ok(Self::None),
            Some("1") => Ok(Self::Image),
            Some("bubblewrap") => Bubblewrap::read(variable, work_dir).map(Self::Bubblewrap),
            Some(text) => Err(format!(
                "CONTROL_SANDBOX: expected 1 (this server is in a sandbox with all that it runs), bubblewrap (each run gets \
                 one) or nothing, not {text:?}"
            )),
        }
    }

    /// The permissions that agents have without a question.
    pub fn permissions(&self) -> Permissions {
        match self {
            Self::None => Permissions::Ask,
            Self::Image | Self::Bubblewrap(_) => Permissions::All,
        }
    }

    /// The sandbox's name on the wire.
    pub fn kind(&self) -> SandboxKind {
        match self {
            Self::None => SandboxKind::None,
            Self::Image => SandboxKind::Image,
            Self::Bubblewrap(_) => SandboxKind::Bubblewrap,
        }
    }
}

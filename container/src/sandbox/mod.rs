//! The wall between agents and this machine, and so the permissions that they have without asking.

mod bubblewrap;
mod logins;

pub use bubblewrap::{Bubblewrap, Places};

use std::path::Path;

use townwatch_protocol::wire::SandboxKind;

use crate::setting;

/// The wall between agents and this machine.
#[derive(Debug, Clone)]
pub enum Sandbox {
    /// Nothing.
    None,
    /// This server is in one, with all that it runs: its image, or what somebody says is as good.
    Image,
    /// Each run gets one of its own.
    Bubblewrap(Bubblewrap),
}

/// The permissions of an agent without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permissions {
    /// Those that its program gives where a person sits in front of it. An agent that can ask nobody is refused the rest.
    Ask,
    /// Everything: what it can reach is its own.
    All,
}

impl Sandbox {
    /// Reads `CONTROL_SANDBOX` and, for bubblewrap, what else says what agents see.
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

    /// The permissions of agents without asking.
    pub fn permissions(&self) -> Permissions {
        match self {
            Self::None => Permissions::Ask,
            Self::Image | Self::Bubblewrap(_) => Permissions::All,
        }
    }

    /// Its name on the wire.
    pub fn kind(&self) -> SandboxKind {
        match self {
            Self::None => SandboxKind::None,
            Self::Image => SandboxKind::Image,
            Self::Bubblewrap(_) => SandboxKind::Bubblewrap,
        }
    }
}

//! The status of a run, its end, and the session of its agent.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "schema")]
use ts_rs::TS;

use crate::event::{ExitReason, Status};

data! {
    /// Data of `agent.status`.
    AgentStatusChanged {
        /// The status now.
        status: Status,
    }
    /// Data of `agent.exited`.
    #[derive(PartialEq)]
    AgentExited {
        /// The reason.
        reason: ExitReason,
        /// The exit code of the process.
        exit_code: Option<i32>,
        /// The signal that ended it, by its name.
        signal: Option<String>,
        /// The text for a person.
        message: Option<String>,
    }
    /// Data of `agent_session`.
    AgentSession {
        /// The agent's own name of the session; absent where its program has none.
        session_id: Option<String>,
        /// The model that it uses.
        model: Option<String>,
        /// The working directory.
        working_dir: Option<String>,
        /// The branch checked out there.
        branch: Option<String>,
        /// The commit it began at.
        initial_commit: Option<String>,
        /// The repository's address.
        git_origin: Option<String>,
        /// The machine.
        hostname: Option<String>,
        /// The operating system.
        os: Option<String>,
        /// Whether it runs in a container.
        in_container: Option<bool>,
        /// The tools that it has.
        tools: Option<Vec<String>>,
        /// The agent's mode of asking for permission.
        permission_mode: Option<String>,
        /// The agent program's version.
        agent_version: Option<String>,
        /// Whether the agent takes messages while its run is open.
        takes_messages: Option<bool>,
    }
}

impl AgentExited {
    /// An end for which no agent gives a reason: the system gives its own.
    pub fn because(reason: ExitReason, message: &str) -> Self {
        Self { reason, exit_code: None, signal: None, message: Some(message.to_owned()) }
    }
}

impl Default for AgentSession {
    /// A session of which nothing is known.
    fn default() -> Self {
        Self {
            session_id: None,
            model: None,
            working_dir: None,
            branch: None,
            initial_commit: None,
            git_origin: None,
            hostname: None,
            os: None,
            in_container: None,
            tools: None,
            permission_mode: None,
            agent_version: None,
            takes_messages: None,
        }
    }
}

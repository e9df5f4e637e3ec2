//! The bounds of one run's use of the machine.
//!
//! Only a cgroup can bound a run's memory as a whole. The rlimits of a process are no substitute: `RLIMIT_AS` and
//! `RLIMIT_DATA` count memory that V8, Go and Java reserve and never touch, and would end healthy programs. A bound on
//! processes counts all processes of a user, so it is set where a run has a user of its own.
//!
//! The rlimits are set on this server itself, and inherited. To set them for a process of another user, the server
//! would need a right that containers do not have by default. The server itself writes no file of such a size, and
//! processes of root are not counted.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use townwatch_protocol::event::AgentExited;

use crate::setting::{RUN_FILE_BYTES_MAX, RUN_MEMORY_BYTES_MAX, RUN_PROCESSES_MAX};

/// The exit code of a shell whose command was ended by `SIGXFSZ`: 128 and the signal's number, 25.
const SHELL_FILE_TOO_LARGE: i32 = 128 + 25;

/// The bounds of each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimits {
    /// The size of a file that a process of the run writes.
    pub file_bytes_max: u64,
    /// The memory of all processes of the run together, where a cgroup holds them.
    pub memory_bytes_max: u64,
    /// The processes and threads of the run together, where a cgroup or a user of its own holds them.
    pub processes_max: u64,
}

/// The ways in which a run met its bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reached {
    /// The number of processes that were killed because the run had no memory left.
    pub(crate) killed_for_memory: u64,
    /// The number of processes that could not be started.
    pub(crate) processes_refused: u64,
}

impl RunLimits {
    /// Reads the three settings. The error is a sentence for a person.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        Ok(Self {
            file_bytes_max: RUN_FILE_BYTES_MAX.read(variable)?,
            memory_bytes_max: RUN_MEMORY_BYTES_MAX.read(variable)?,
            processes_max: RUN_PROCESSES_MAX.read(variable)?,
        })
    }

    /// Sets the inherited bounds for this process and all processes that it starts. A lower bound that it was itself
    /// started with stays.
    pub fn inherit(&self, have_own_users: bool) -> io::Result<()> {
        let set = |resource, most: u64| {
            let given = getrlimit(resource).maximum.map_or(most, |given| given.min(most));
            setrlimit(resource, Rlimit { current: Some(given), maximum: Some(given) })
        };
        set(Resource::Fsize, self.file_bytes_max)?;
        if have_own_users {
            set(Resource::Nproc, self.processes_max)?;
        }
        Ok(())
    }

    /// The bound that a failed run has met, in words for a person.
    pub(crate) fn said(&self, reached: Reached, exit: &AgentExited) -> Option<String> {
        let Self { file_bytes_max, memory_bytes_max, processes_max } = self;
        if exit.signal.as_deref() == Some("SIGXFSZ") || exit.exit_code == Some(SHELL_FILE_TOO_LARGE) {
            return Some(format!("a run's file may have {file_bytes_max} bytes ({})", RUN_FILE_BYTES_MAX.name));
        }
        match reached {
            Reached { killed_for_memory: 0, processes_refused: 0 } => None,
            Reached { killed_for_memory: 0, .. } => Some(format!(
                "it could not start a process, since a run may have {processes_max} at once ({})",
                RUN_PROCESSES_MAX.name
            )),
            Reached { killed_for_memory: killed, .. } => Some(format!(
                "{killed} of its processes were killed for want of memory, of which a run may have {memory_bytes_max} \
                 bytes ({})",
                RUN_MEMORY_BYTES_MAX.name
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use townwatch_protocol::event::ExitReason;

    #[test]
    fn a_run_is_told_which_bound_it_met() {
        let limits = RunLimits::read(&|_| None).unwrap();
        let said = |killed_for_memory, processes_refused, exit_code, signal: Option<&str>| {
            let mut exit = AgentExited::because(ExitReason::Failed, "");
            (exit.exit_code, exit.signal) = (exit_code, signal.map(str::to_owned));
            limits.said(Reached { killed_for_memory, processes_refused }, &exit).unwrap_or_default()
        };
        assert_eq!(said(0, 0, Some(1), None), "");
        for (code, signal) in [(None, Some("SIGXFSZ")), (Some(153), None)] {
            assert!(said(0, 0, code, signal).contains("68719476736 bytes (CONTROL_RUN_FILE_BYTES_MAX)"));
        }
        assert!(said(2, 9, None, Some("SIGKILL")).starts_with("2 of its processes were killed for want of memory"));
        assert!(said(0, 9, Some(1), None).contains("4096 at once (CONTROL_RUN_PROCESSES_MAX)"));
    }
}

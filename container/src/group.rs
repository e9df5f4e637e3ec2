//! Signals to a process and everything that it started.

use std::io;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use townwatch::event::StopSignal;

/// The variable by which what an agent started is recognised wherever it went.
const MARK_VARIABLE: &str = "TOWNWATCH_PROCESS_MARK";

/// An agent's process with all that it started.
///
/// The agent leads a process group, and most of what it starts belongs to it. But Claude Code gives each of its shells
/// a session, and so a group, of its own; these are found by a variable that they inherit. What is left of all that is
/// killed when this goes: it would work on unseen. It has to go soon after the leader was waited for, since the
/// group's number is its own only while a member lives.
#[derive(Debug)]
pub struct Group {
    leader: Pid,
    mark: String,
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(StopSignal::Kill);
    }
}

impl Group {
    /// Starts a command as the leader of a new group.
    pub fn spawn(command: &mut Command) -> io::Result<(Child, Self)> {
        let mark = uuid::Uuid::now_v7().to_string();
        let child = command.env(MARK_VARIABLE, &mark).process_group(0).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let leader = id.and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?; // only a child that was waited for
        Ok((child, Self { leader, mark }))
    }

    /// Sends the signal: SIGTERM to the group, whose leader may know best how to end the rest; SIGKILL to everything.
    /// What is gone already is as it should be.
    pub fn signal(&self, signal: StopSignal) {
        let _ = match signal {
            StopSignal::Term => kill_process_group(self.leader, Signal::TERM),
            StopSignal::Kill => kill_process_group(self.leader, Signal::KILL),
        };
        if signal == StopSignal::Kill {
            // What is being killed may just be starting something.
            for _ in 0..5 {
                if marked::kill(&format!("{MARK_VARIABLE}={}", self.mark)) == 0 {
                    return;
                }
            }
        }
    }
}

#[cfg(target_os = "linux")]
mod marked {
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    /// Kills all processes with this variable; how many there were.
    pub(super) fn kill(variable: &str) -> usize {
        let Ok(processes) = std::fs::read_dir("/proc") else { return 0 };
        let ids = processes.flatten().filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
        ids.filter(|id| kill_if(*id, variable.as_bytes())).count()
    }

    /// The process is held by a descriptor before it is looked at, so that its number cannot pass to another one in
    /// between.
    fn kill_if(id: Pid, variable: &[u8]) -> bool {
        let Ok(process) = pidfd_open(id, PidfdFlags::empty()) else { return false };
        let Ok(environment) = std::fs::read(format!("/proc/{}/environ", id.as_raw_nonzero())) else { return false };
        environment.split(|byte| *byte == 0).any(|one| one == variable)
            && pidfd_send_signal(&process, Signal::KILL).is_ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod marked {
    /// Elsewhere no process can look into another: only the group is killed.
    pub(super) fn kill(_variable: &str) -> usize {
        0
    }
}

/// The name of a signal's number.
pub fn signal_name(number: i32) -> String {
    let name = match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}

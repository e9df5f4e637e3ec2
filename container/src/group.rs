//! Signals to a process and everything that it started.

use rustix::process::{Pid, Signal, kill_process_group};
use townwatch::protocol::StopSignal;

/// A process group: an agent is started as the leader of its own, and what it starts belongs to it.
///
/// What is left of the group is killed when this goes: it would work on unseen. It has to go soon after the leader was
/// waited for, since the number is the group's own only while a member lives.
#[derive(Debug)]
pub struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(StopSignal::Kill);
    }
}

impl Group {
    /// The group that this process leads.
    pub fn of_leader(process_id: u32) -> Option<Self> {
        Pid::from_raw(i32::try_from(process_id).ok()?).map(Self)
    }

    /// Sends the signal to all of the group. A group that is gone already is as it should be.
    pub fn signal(&self, signal: StopSignal) {
        let signal = match signal {
            StopSignal::Term => Signal::TERM,
            StopSignal::Kill => Signal::KILL,
        };
        let _ = kill_process_group(self.0, signal);
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

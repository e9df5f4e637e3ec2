//! Signals to a process and to everything that it started.

use std::io;
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use townwatch_protocol::event::StopSignal;
use townwatch_protocol::id::RunId;

use crate::confinement::Confinement;
use crate::mark;
use crate::orphans::{self, leaders};
use crate::processes::{self, MARK_VARIABLE};

/// An agent's process with all processes that it started.
///
/// The agent leads a process group, and most of its processes belong to that group. But Claude Code gives each of its
/// shells a session, and so a group, of its own. These processes are found by a variable that they inherit, with all
/// their descendants, and by the run's cgroup where it has one. A process that has neither the variable nor a parent
/// any more is a child of the control server (`orphans.rs`), and goes with the last group.
///
/// All of these processes are killed when this value is dropped: otherwise they would work on unseen. The drop must
/// come soon after the leader was waited for, because the group's id is its own only while a member lives.
#[derive(Debug)]
pub struct Group {
    id: Pid,
    leader: Leader,
    mark: String,
    confinement: Arc<Confinement>,
}

/// The leader of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leader {
    /// The agent, or a command of this server's own.
    Agent,
    /// The keeper of the agent's sandbox. It ends at SIGTERM, and its end kills every process in the sandbox.
    Keeper,
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(StopSignal::Kill);
        leaders().remove(&self.id.as_raw_nonzero().get());
        orphans::end_strays();
    }
}

impl Group {
    /// Starts a command of a run as the leader of a new group.
    pub fn spawn(
        command: &mut Command,
        run_id: &RunId,
        leader: Leader,
        confinement: &Arc<Confinement>,
    ) -> io::Result<(Child, Self)> {
        let mark = mark::of_run(run_id);
        // The lock is held so that nobody takes the new child for a stray before it stands among the leaders.
        let mut leaders = leaders();
        let child = command.env(MARK_VARIABLE, &mark).process_group(0).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?; // only a child that was waited for
        leaders.insert(id.as_raw_nonzero().get());
        confinement.take(id.as_raw_nonzero().get());
        Ok((child, Self { id, leader, mark, confinement: confinement.clone() }))
    }

    /// Sends the signal. SIGTERM goes to the group, whose leader may know best how to end the rest; SIGKILL goes to
    /// every process. A process that has ended already is no error.
    pub fn signal(&self, signal: StopSignal) {
        let _ = match signal {
            StopSignal::Term => kill_process_group(self.agents_group(), Signal::TERM),
            StopSignal::Kill => kill_process_group(self.id, Signal::KILL),
        };
        if signal == StopSignal::Kill {
            self.confinement.kill();
            processes::end(|table| table.marked(|_, mark| mark == self.mark));
        }
    }

    /// The process group of the agent. A sandbox has a session of its own, whose leader is the sandbox's first process:
    /// the keeper's child. Like every first process it ignores signals that it has no handler for. A sandbox that is
    /// still starting has no agent yet.
    fn agents_group(&self) -> Pid {
        match self.leader {
            Leader::Agent => self.id,
            Leader::Keeper => processes::group_of_child(self.id).unwrap_or(self.id),
        }
    }
}

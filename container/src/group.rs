//! Signals to a process and everything that it started.

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

/// An agent's process with all that it started.
///
/// The agent leads a process group, and most of what it starts belongs to it. But Claude Code gives each of its shells
/// a session, and so a group, of its own; these are found by a variable that they inherit, with all that descends from
/// them, and by the run's cgroup where it has one. What has neither the variable nor a parent any more is a child of the control server (`orphans.rs`) and goes with
/// the last group. All of that is killed when this goes: it would work on unseen. It has to go soon after the leader was
/// waited for, since the group's number is its own only while a member lives.
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
    /// The keeper of the agent's sandbox. It ends at SIGTERM, and all in the sandbox is killed when it ends.
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
        // So that nobody takes the new child for a stray before it stands among the leaders.
        let mut leaders = leaders();
        let child = command.env(MARK_VARIABLE, &mark).process_group(0).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?; // only a child that was waited for
        leaders.insert(id.as_raw_nonzero().get());
        confinement.take(id.as_raw_nonzero().get());
        Ok((child, Self { id, leader, mark, confinement: confinement.clone() }))
    }

    /// Sends the signal: SIGTERM to the group, whose leader may know best how to end the rest; SIGKILL to everything.
    /// A process that is gone already is as it should be.
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

    /// The group in which the agent is. A sandbox has a session of its own, which its first process leads: the keeper's
    /// child, which is deaf to all that it does not listen to, as first processes are. One that is not up yet has no agent.
    fn agents_group(&self) -> Pid {
        match self.leader {
            Leader::Agent => self.id,
            Leader::Keeper => processes::group_of_child(self.id).unwrap_or(self.id),
        }
    }
}

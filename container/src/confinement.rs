//! The confinement of a run's processes: its bounds, its cgroup where the system allows one, and its place in the order
//! in which processes die when memory is short.
//!
//! A process is taken into the cgroup as soon as it was started, together with the processes that it has started by
//! then. To begin there at once would need a step between `fork` and `exec`, which only `unsafe` code can do.

use std::fs;

use townwatch_protocol::event::AgentExited;
use townwatch_protocol::id::RunId;

use crate::cgroup::{Cgroups, RunCgroup};
use crate::run_limits::RunLimits;

/// The agents' place in the order of deaths, on the scale from -1000 (never) to 1000 (first): before all processes
/// without a place of their own.
const AGENT_OOM_SCORE: &str = "800";
/// The server's place in that order: after all processes without a place of their own. The system allows only some
/// processes to ask for it.
const SERVER_OOM_SCORE: &str = "-500";

/// The confinement of one run. When it is dropped, the run's cgroup goes with every process that is left in it.
#[derive(Debug)]
pub struct Confinement {
    limits: RunLimits,
    cgroup: Option<RunCgroup>,
}

impl Confinement {
    /// Makes the confinement of a run that begins.
    pub(crate) fn new(limits: RunLimits, cgroups: Option<&Cgroups>, run_id: &RunId) -> Self {
        let made = cgroups.map(|cgroups| cgroups.make(run_id, &limits));
        if let Some(Err(error)) = &made {
            let fields = serde_json::json!({"run_id": run_id, "message": error.to_string()});
            crate::log::write("run_without_cgroup", fields);
        }
        Self { limits, cgroup: made.and_then(Result::ok) }
    }

    /// Takes in a process that has just been started, with the processes that it has started meanwhile.
    pub(crate) fn take(&self, leader: i32) {
        let mut open = vec![leader];
        while let Some(id) = open.pop() {
            if let Some(cgroup) = &self.cgroup {
                let _ = cgroup.take(id); // one that has ended already
            }
            let _ = fs::write(format!("/proc/{id}/oom_score_adj"), AGENT_OOM_SCORE);
            // The children come last: a process that is started from here on begins in the cgroup.
            open.extend(children_of(id));
        }
    }

    /// Kills all processes in the cgroup.
    pub(crate) fn kill(&self) {
        if let Some(cgroup) = &self.cgroup {
            cgroup.kill();
        }
    }

    /// The bound that a failed run has met, in words for a person.
    pub(crate) fn reached(&self, exit: &AgentExited) -> Option<String> {
        let reached = self.cgroup.as_ref().map(RunCgroup::reached).unwrap_or_default();
        self.limits.said(reached, exit)
    }
}

/// Lets agents die before this process when memory is short, as far as this process may ask for that.
pub fn spare_this_process() {
    let _ = fs::write("/proc/self/oom_score_adj", SERVER_OOM_SCORE);
}

fn children_of(id: i32) -> Vec<i32> {
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}

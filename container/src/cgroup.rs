//! A cgroup for each run, where the system has cgroup v2 and lets this server make cgroups.
//!
//! A process does not leave its cgroup by leaving its parent, session or environment. So `cgroup.kill` ends every
//! process of a run, and the cgroup of a server that was killed is found by its name. Below the server's own cgroup
//! lies `townwatch-MARK`, with one directory for each run.
//!
//! A cgroup can give controllers to its children only while it has no processes itself; only the root cgroup may have
//! both. Where that is in the way, the server moves into a child of its own, `server`. Where other processes are in its
//! cgroup, too, runs are held and killed there, but not bounded.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use townwatch_protocol::id::RunId;

use crate::mark::ServerMark;
use crate::processes::ProcessTable;
use crate::run_limits::{Reached, RunLimits};

/// The prefix of a server's directory, before its mark.
const NAME_PREFIX: &str = "townwatch-";
/// The directory of the server itself, if it has to move. No run has this name, because those have a prefix.
const SERVER_NAME: &str = "server";
/// The prefix of a run's directory, before its id.
const RUN_PREFIX: &str = "run-";
/// The number of tries to remove a cgroup, 100 within a second. A cgroup whose processes were killed is empty after
/// some milliseconds. A process that is still there hangs in the kernel, and the cgroup is left.
const REMOVE_TRIES_MAX: usize = 100;
/// The time between two tries.
const REMOVE_INTERVAL: Duration = Duration::from_millis(10);

/// The folder in which this server makes its runs' cgroups.
#[derive(Debug)]
pub struct Cgroups {
    dir: PathBuf,
    /// Whether the runs' cgroups bound memory.
    pub(crate) bounds_memory: bool,
    pub(crate) bounds_processes: bool,
}

/// A run's cgroup. When this value is dropped, every process in the cgroup is killed.
#[derive(Debug)]
pub(crate) struct RunCgroup {
    dir: PathBuf,
}

impl Cgroups {
    /// Makes the directory for the runs' cgroups below this process's own cgroup. The error is the reason why that is
    /// not possible, for a person.
    pub fn prepare() -> Result<Self, String> {
        let own = own_dir().ok_or("this system has no cgroup v2 here")?;
        Self::below(&own).map_err(|error| format!("none can be made below {}: {error}", own.display()))
    }

    /// Makes the directory below a cgroup that this process is in. Processes that earlier servers left there are ended.
    fn below(own: &Path) -> io::Result<Self> {
        sweep(own);
        let dir = own.join(format!("{NAME_PREFIX}{}", ServerMark::own()));
        fs::create_dir(&dir)?;
        // An old kernel has no `cgroup.kill` (Linux 5.14).
        fs::metadata(dir.join("cgroup.kill")).inspect_err(|_| drop(fs::remove_dir(&dir)))?;
        let given = give_controllers(own, &dir);
        Ok(Self { dir, bounds_memory: given.contains("memory"), bounds_processes: given.contains("pids") })
    }

    /// The directory of the runs' cgroups.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes the cgroup of a run that begins.
    pub(crate) fn make(&self, run_id: &RunId, limits: &RunLimits) -> io::Result<RunCgroup> {
        let dir = self.dir.join(format!("{RUN_PREFIX}{run_id}-{}", uuid::Uuid::now_v7().simple()));
        fs::create_dir(&dir)?;
        let run = RunCgroup { dir };
        if self.bounds_memory {
            fs::write(run.dir.join("memory.max"), limits.memory_bytes_max.to_string())?;
        }
        if self.bounds_processes {
            fs::write(run.dir.join("pids.max"), limits.processes_max.to_string())?;
        }
        Ok(run)
    }
}

/// The sentence about cgroups that a person should know before an agent runs.
pub fn how_runs_are_held(cgroups: &Result<Arc<Cgroups>, String>) -> String {
    let bounded = match cgroups {
        Err(problem) => return format!("runs have no cgroup of their own, and no bound of memory: {problem}"),
        Ok(cgroups) => match (cgroups.bounds_memory, cgroups.bounds_processes) {
            (true, true) => "its memory and its processes are bounded",
            (true, false) => "its memory is bounded",
            (false, true) => "its processes are bounded, its memory is not",
            (false, false) => "it has no bound of memory, since no controller of it can be used here",
        },
    };
    format!("each run has a cgroup of its own, which is killed as a whole; {bounded}")
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        end_all_in(&self.dir, "in_cgroups_of_this_server");
    }
}

impl RunCgroup {
    /// Takes a process in. Processes that it starts from now on begin in the cgroup.
    pub(crate) fn take(&self, process_id: i32) -> io::Result<()> {
        fs::write(self.dir.join("cgroup.procs"), process_id.to_string())
    }

    /// Kills every process in the cgroup.
    pub(crate) fn kill(&self) {
        kill(&self.dir);
    }

    /// The ways in which the cgroup's bounds were met.
    pub(crate) fn reached(&self) -> Reached {
        let count = |file: &str, name: &str| {
            let events = fs::read_to_string(self.dir.join(file)).unwrap_or_default();
            let value = events.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
            value.unwrap_or(0)
        };
        Reached {
            killed_for_memory: count("memory.events", "oom_kill"),
            processes_refused: count("pids.events", "max"),
        }
    }
}

impl Drop for RunCgroup {
    fn drop(&mut self) {
        end(&self.dir);
    }
}

/// Ends all runs in the directory of a server that is gone, and removes the directory if nothing else is in it. `kind`
/// is the text for the log about the end of that server.
pub(crate) fn end_all_in(server_dir: &Path, kind: &str) {
    let (mut ended, mut cgroups) = (0, BTreeSet::new());
    for run in directories_in(server_dir).filter(|dir| name_of(dir).starts_with(RUN_PREFIX)) {
        let processes = end(&run);
        if processes > 0 {
            ended += processes;
            cgroups.insert(name_of(&run).to_owned());
        }
    }
    remove(server_dir);
    if ended > 0 {
        let fields = serde_json::json!({"what": kind, "processes": ended, "cgroups": cgroups});
        crate::log::write("leftovers_ended", fields);
    }
}

/// Ends the runs that earlier servers left below a cgroup.
fn sweep(own: &Path) {
    let table = ProcessTable::read();
    let is_gone = |dir: &PathBuf| {
        let mark = name_of(dir).strip_prefix(NAME_PREFIX).and_then(ServerMark::parse);
        mark.is_some_and(|server| server.is_gone(&table))
    };
    directories_in(own).filter(is_gone).for_each(|left| end_all_in(&left, "in_cgroups_of_a_server_that_is_gone"));
}

/// Kills every process in a cgroup, and removes the cgroup; gives the number of processes.
fn end(dir: &Path) -> usize {
    let processes = fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default().lines().count();
    for _ in 0..REMOVE_TRIES_MAX {
        kill(dir);
        if remove(dir) {
            break;
        }
        std::thread::sleep(REMOVE_INTERVAL);
    }
    processes
}

fn kill(dir: &Path) {
    let _ = fs::write(dir.join("cgroup.kill"), "1"); // one that is gone has nothing in it
}

/// Removes a cgroup with those below it, which an agent may have made; true if it is gone.
fn remove(dir: &Path) -> bool {
    for below in directories_in(dir) {
        remove(&below);
    }
    fs::remove_dir(dir).is_ok() || !dir.exists()
}

/// Gives the available controllers to the runs' cgroups; gives their names.
fn give_controllers(own: &Path, dir: &Path) -> BTreeSet<&'static str> {
    let available = fs::read_to_string(own.join("cgroup.controllers")).unwrap_or_default();
    let mut given: BTreeSet<_> =
        ["memory", "pids"].into_iter().filter(|name| available.split_whitespace().any(|one| one == *name)).collect();
    let give = |cgroup: &Path, name: &str| fs::write(cgroup.join("cgroup.subtree_control"), format!("+{name}")).is_ok();
    let move_to = |cgroup: &Path| fs::write(cgroup.join("cgroup.procs"), std::process::id().to_string()).is_ok();
    if given.iter().all(|name| give(own, name)) {
        given.retain(|name| give(dir, name));
        return given;
    }
    let server = dir.join(SERVER_NAME);
    if fs::create_dir(&server).is_ok() && move_to(&server) {
        given.retain(|name| give(own, name) && give(dir, name));
        if !given.is_empty() || !move_to(own) {
            return given;
        }
    }
    let _ = fs::remove_dir(&server);
    BTreeSet::new()
}

/// This process's own cgroup.
fn own_dir() -> Option<PathBuf> {
    let memberships = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = memberships.lines().find_map(|line| line.strip_prefix("0::"))?;
    own_dir_of(path, &fs::read_to_string("/proc/self/mountinfo").ok()?)
}

/// Finds the folder of a cgroup's path among the mounts.
fn own_dir_of(path: &str, mounts: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        // `36 25 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw`
        let (mount, system) = line.split_once(" - ")?;
        let fields: Vec<&str> = mount.split(' ').collect();
        let below = Path::new(path).strip_prefix(fields.get(3)?).ok()?;
        (system.split(' ').next()? == "cgroup2").then_some(Path::new(fields.get(4)?).join(below))
    })
}

fn directories_in(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

fn name_of(dir: &Path) -> &str {
    dir.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests;

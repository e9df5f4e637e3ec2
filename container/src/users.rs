//! The users that agents run as, where the control server may give each run a user of its own.
//!
//! `CONTROL_AGENT_USERS` is a range of user ids that nobody else on the machine has. A run gets an id that no other run
//! has, with a HOME that goes with the run. So no agent can read another agent, its files, or the control server. The
//! ids are given in turn. So files that a run has left elsewhere are old before another run gets the same id.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, PidfdFlags, Signal, geteuid, pidfd_open, pidfd_send_signal};
use tokio::process::Command;
use townwatch_protocol::id::RunId;

use crate::work_dirs::HOMES;

/// The number of passes over the processes of a user that is to have none, 20. A process that is being killed may just
/// be starting another. Processes that survive all passes are left.
const KILL_PASSES_MAX: usize = 20;

/// All users of agents.
#[derive(Debug)]
pub struct Users {
    first: u32,
    last: u32,
    homes: PathBuf,
    held: Mutex<UserPool>,
}

#[derive(Debug)]
struct UserPool {
    next: u32,
    runs: BTreeMap<u32, RunId>,
}

/// The user of one run.
#[derive(Debug)]
pub struct User {
    id: u32,
    home: PathBuf,
    users: Arc<Users>,
}

impl Users {
    /// Reads `first-last`, for example `20000-20499`. The first user runs programs that only print their version, and
    /// the others run agents. The error is a sentence for a person.
    pub fn read(text: &str, work_dir: &Path) -> Result<Arc<Self>, String> {
        let range = text.split_once('-').and_then(|(first, last)| {
            let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (first >= 1_000 && last > first && last < u32::MAX - 1).then_some((first, last))
        });
        let Some((first, last)) = range else {
            return Err(format!(
                "CONTROL_AGENT_USERS: expected two numbers from 1000 on, as 20000-20499, not {text:?}"
            ));
        };
        if !geteuid().is_root() {
            return Err("CONTROL_AGENT_USERS: only root can run agents as other users".to_owned());
        }
        let held = Mutex::new(UserPool { next: first + 1, runs: BTreeMap::new() });
        Ok(Arc::new(Self { first, last, homes: work_dir.join(HOMES), held }))
    }

    /// Ends the processes of these users that an earlier server left running.
    pub fn end_leftovers(&self) {
        kill_all(self.first..=self.last);
    }

    /// Makes the directory of the HOMEs, and locks the directories that an earlier server left.
    pub fn prepare(&self, work_dir: &Path) -> io::Result<()> {
        passage(&self.homes)?;
        for town in fs::read_dir(work_dir)?.flatten().filter(|town| town.path() != self.homes) {
            for run in fs::read_dir(town.path()).into_iter().flatten().flatten() {
                if run.metadata().is_ok_and(|run| run.is_dir() && (self.first..=self.last).contains(&run.uid())) {
                    lock_away(&run.path())?;
                }
            }
        }
        Ok(())
    }

    /// Takes a user for a run.
    pub fn take(self: &Arc<Self>, run_id: &RunId) -> io::Result<User> {
        let id = self.number(run_id)?;
        let user = User { id, home: self.homes.join(run_id.as_str()), users: self.clone() };
        own_dir(&user.home, id)?;
        own_dir(&user.home.join("tmp"), id)?;
        Ok(user)
    }

    fn number(&self, run_id: &RunId) -> io::Result<u32> {
        let mut held = self.held();
        let all = (self.last - self.first) as usize;
        if held.runs.len() >= all {
            return Err(io::Error::other(format!("all {all} users of CONTROL_AGENT_USERS have a run")));
        }
        loop {
            let id = held.next;
            held.next = if id == self.last { self.first + 1 } else { id + 1 };
            if let Entry::Vacant(free) = held.runs.entry(id) {
                free.insert(run_id.clone());
                return Ok(id);
            }
        }
    }

    /// The run of a user.
    pub fn run_of(&self, id: u32) -> Option<RunId> {
        self.held().runs.get(&id).cloned()
    }

    /// Makes a program that only prints its version run as the user of no run.
    pub fn dress_probe(&self, command: &mut Command) {
        command.uid(self.first).gid(self.first).env("HOME", "/nonexistent").env_remove("USER").current_dir("/");
    }

    fn held(&self) -> std::sync::MutexGuard<'_, UserPool> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl User {
    /// Makes a command run as this user. The server's groups are dropped with its user.
    pub fn dress(&self, command: &mut Command) {
        let name = format!("agent-{}", self.id);
        command.uid(self.id).gid(self.id).env("HOME", &self.home).env("TMPDIR", self.home.join("tmp"));
        command.env("USER", &name).env("LOGNAME", &name);
    }

    /// Makes a directory that only this user can enter. The directories above it can be written only by the control
    /// server.
    pub fn own(&self, dir: &Path) -> io::Result<()> {
        own_dir(dir, self.id)
    }

    /// Ends every process of this user, and takes its directory from it, because another run may get the same id.
    pub fn leave(&self, dir: &Path) {
        kill_all(self.id..=self.id);
        let removed = fs::remove_dir_all(&self.home);
        if let Err(error) = lock_away(dir).and(removed)
            && error.kind() != io::ErrorKind::NotFound
        {
            crate::log::write(
                "user_left_something",
                serde_json::json!({"user": self.id, "message": error.to_string()}),
            );
        }
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.users.held().runs.remove(&self.id);
    }
}

/// Makes a directory that others may pass, but neither read nor write.
pub fn passage(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o711).create(dir)?;
    fs::set_permissions(dir, Permissions::from_mode(0o711))
}

/// Makes a directory for a user. The control server makes it, so it cannot exist already as the directory of somebody
/// else.
fn own_dir(dir: &Path, id: u32) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(dir)?;
    chown(dir, Some(id), Some(id))
}

/// Gives a directory to the control server, with the mode 0700. So nobody else can reach the files in it, whoever owns
/// them.
fn lock_away(dir: &Path) -> io::Result<()> {
    chown(dir, Some(geteuid().as_raw()), None)?;
    fs::set_permissions(dir, Permissions::from_mode(0o700))
}

/// Kills all processes of these users.
fn kill_all(users: std::ops::RangeInclusive<u32>) {
    for _ in 0..KILL_PASSES_MAX {
        let Ok(processes) = fs::read_dir("/proc") else { return };
        let ids = processes.flatten().filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
        if ids.filter(|id| kill_if(*id, &users)).count() == 0 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Kills a process if it is one of these users'. The process is held by a descriptor before it is checked, so that its
/// id cannot pass to another one in between.
fn kill_if(id: Pid, users: &std::ops::RangeInclusive<u32>) -> bool {
    let Ok(process) = pidfd_open(id, PidfdFlags::empty()) else { return false };
    let status = fs::read_to_string(format!("/proc/{}/status", id.as_raw_nonzero())).unwrap_or_default();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let user = field("Uid:").and_then(|users| users.split_whitespace().next()?.parse().ok());
    let is_dead = field("State:").is_some_and(|state| state.starts_with(['Z', 'X']));
    !is_dead && user.is_some_and(|user| users.contains(&user)) && pidfd_send_signal(&process, Signal::KILL).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_that_is_none_is_refused_by_name() {
        for text in ["", "20000", "20000-20000", "20001-20000", "0-10", "x-y", "20000-20001-20002", "-1-5"] {
            let refusal = Users::read(text, Path::new("/w")).unwrap_err();
            assert!(refusal.starts_with("CONTROL_AGENT_USERS: expected"), "{text}: {refusal}");
        }
    }
}

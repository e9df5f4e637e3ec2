//! The users that agents run as, where the control server may give each run one of its own.
//!
//! `CONTROL_AGENT_USERS` is a range of numbers that nobody else on the machine has. A run gets one that no other run has,
//! with a HOME that goes with the run; so no agent can look into another one, into its files, or into the control server.
//! Numbers are given in turn, so that what one left somewhere else lies there long before another has its number.

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

/// Passes over the processes of a user that is to have none: what is being killed may just be starting something.
const KILL_PASSES_MAX: usize = 20;

/// All of them.
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

/// A user in the hands of a run.
#[derive(Debug)]
pub struct User {
    id: u32,
    home: PathBuf,
    users: Arc<Users>,
}

impl Users {
    /// Reads `first-last`; the first one runs what only tells its version, the others agents.
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

    /// Ends what the server's last life left running.
    pub fn end_leftovers(&self) {
        kill_all(self.first..=self.last);
    }

    /// Makes the directory of the HOMEs, and locks away what the server's last life left.
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

    /// A user for a run.
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

    /// The run that a user has.
    pub fn run_of(&self, id: u32) -> Option<RunId> {
        self.held().runs.get(&id).cloned()
    }

    /// Lets a program that only tells something of itself run as nobody's user.
    pub fn dress_probe(&self, command: &mut Command) {
        command.uid(self.first).gid(self.first).env("HOME", "/nonexistent").env_remove("USER").current_dir("/");
    }

    fn held(&self) -> std::sync::MutexGuard<'_, UserPool> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl User {
    /// Lets a command run as this user. The server's groups go with its user.
    pub fn dress(&self, command: &mut Command) {
        let name = format!("agent-{}", self.id);
        command.uid(self.id).gid(self.id).env("HOME", &self.home).env("TMPDIR", self.home.join("tmp"));
        command.env("USER", &name).env("LOGNAME", &name);
    }

    /// Makes a directory that only this user can enter, below ones that only the control server writes to.
    pub fn own(&self, dir: &Path) -> io::Result<()> {
        own_dir(dir, self.id)
    }

    /// Ends all that runs as this user, and takes its directory from it: another run may get the number.
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

/// A directory that others may pass, but neither read nor write.
pub fn passage(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o711).create(dir)?;
    fs::set_permissions(dir, Permissions::from_mode(0o711))
}

/// Makes a directory for a user: the control server makes it, so it cannot be there already as somebody else's.
fn own_dir(dir: &Path, id: u32) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(dir)?;
    chown(dir, Some(id), Some(id))
}

/// Makes a directory the control server's, 0700: nobody else can reach what lies in it, whosever it is.
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

/// The process is held by a descriptor before it is looked at, so that its number cannot pass to another one in between.
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

//! What agents leave that has lost its parent: the control server adopts it, waits for it, and ends it; and what a control
//! server leaves that was killed is ended by its guard, or else by the next one.
//!
//! A death signal for children would not do: it reaches only an agent's first process, and the kernel sends it when the
//! thread ends that started it.

#[cfg(target_os = "linux")]
pub use linux::{end_all, end_of_the_gone, guard, prepare, reap, watch_over};

#[cfg(target_os = "linux")]
pub(crate) use linux::end_strays;

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeSet;
    use std::io::{self, Read};
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::sync::atomic::{AtomicI32, Ordering};
    use std::time::Duration;

    use rustix::process::{Pid, WaitId, WaitIdOptions, geteuid, getpid, set_child_subreaper, waitid};
    use serde_json::json;

    use crate::cgroup;
    use crate::group::leaders;
    use crate::mark::{self, ServerMark};
    use crate::processes::{self, Process, Table, own_id};

    /// How often it is looked for adopted processes that have ended.
    const REAP_INTERVAL: Duration = Duration::from_secs(1);
    /// The guard's number; 0 where there is none.
    static GUARD: AtomicI32 = AtomicI32::new(0);

    /// From now on what loses its parent below this process becomes its child.
    pub fn prepare() -> io::Result<()> {
        Ok(set_child_subreaper(Some(getpid()))?)
    }

    /// Ends what control servers that are gone have left running as this server's user.
    pub fn end_of_the_gone() {
        let user = geteuid().as_raw();
        let is_own = |id| std::fs::metadata(format!("/proc/{id}")).is_ok_and(|process| process.uid() == user);
        end_marked("of_a_server_that_is_gone", |table, server| server.is_gone(table), is_own);
    }

    /// Starts the process that outlives this one, to end what it leaves when it is killed. It reads its standard input,
    /// which ends with this process however that ends.
    pub fn guard(own_program: &Path, command: &str, cgroups_dir: Option<&Path>) -> io::Result<Child> {
        let mut guard = Command::new(own_program);
        guard.args([command, &ServerMark::own().to_string()]).args(cgroups_dir).env_clear().current_dir("/");
        // In a group of its own: a terminal's Ctrl-C is not for it.
        let guard = guard.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0).spawn()?;
        GUARD.store(i32::try_from(guard.id()).unwrap_or(0), Ordering::Relaxed);
        Ok(guard)
    }

    /// The guard at work.
    pub fn watch_over(server: &ServerMark, cgroups_dir: Option<&Path>) {
        let _ = io::stdin().lock().read(&mut [0]);
        end_marked("of_a_server_that_was_killed", |_, marked| marked == server, |_| true);
        if let Some(dir) = cgroups_dir {
            cgroup::end_all_in(dir, "in_cgroups_of_a_server_that_was_killed");
        }
    }

    fn end_marked(kind: &str, choose: impl Fn(&Table, &ServerMark) -> bool, may_end: impl Fn(i32) -> bool) {
        let mut run_ids = BTreeSet::new();
        let ended = processes::end(|table| {
            table.marked(|id, text| {
                let read = mark::read(text).filter(|(server, _)| choose(table, server) && may_end(id));
                read.map(|(_, run_id)| run_ids.insert(run_id.to_string())).is_some()
            })
        });
        if ended > 0 {
            crate::log::write("leftovers_ended", json!({"what": kind, "processes": ended, "run_ids": run_ids}));
        }
    }

    /// Ends what was adopted, once no group is open: nobody can tell any more whose it was.
    pub(crate) fn end_strays() {
        // The look is older than the leaders: who was there then and leads a group is among them.
        let strays = |table: &Table| adopted(table).map(|(id, _)| id).collect();
        processes::end(|table| if leaders().is_empty() { strays(table) } else { BTreeSet::new() });
    }

    /// Ends all that this server has started, before it goes itself.
    pub fn end_all() {
        let guard = GUARD.load(Ordering::Relaxed);
        let children =
            |table: &Table| table.children_of(own_id()).map(|(id, _)| id).filter(|id| *id != guard).collect();
        processes::end(|table| {
            let mut all: BTreeSet<i32> = children(table);
            let own = |text: &str| mark::read(text).is_some_and(|(server, _)| server == *ServerMark::own());
            all.append(&mut table.marked(|_, text| own(text)));
            all
        });
    }

    /// Waits again and again for adopted processes that have ended: nobody else does.
    pub async fn reap() {
        let mut interval = tokio::time::interval(REAP_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let any = waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT);
            if !matches!(any, Ok(Some(_))) {
                continue; // a look at all processes costs milliseconds
            }
            let leaders = leaders();
            let table = Table::read();
            for (id, _) in adopted(&table).filter(|(id, process)| process.is_dead && !leaders.contains(id)) {
                if let Some(id) = Pid::from_raw(id) {
                    let _ = waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
                }
            }
        }
    }

    /// Children that are no groups' leaders of ours, where none is open: what only tells its version is in this process's
    /// own group, agents lead groups of their own.
    fn adopted(table: &Table) -> impl Iterator<Item = (i32, Process)> {
        let own_group = table.0.get(&own_id()).map_or(0, |process| process.group);
        let guard = GUARD.load(Ordering::Relaxed);
        table.children_of(own_id()).filter(move |(id, process)| process.group != own_group && *id != guard)
    }
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{end_all, end_of_the_gone, guard, prepare, reap, watch_over};

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::end_strays;

/// Elsewhere nothing of that can be found.
#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::io;
    use std::path::Path;

    use crate::mark::ServerMark;

    /// Nothing is adopted.
    pub fn prepare() -> io::Result<()> {
        Ok(())
    }

    /// Nothing can be found.
    pub fn end_of_the_gone() {}

    /// There is no guard.
    pub fn guard(_own_program: &Path, _command: &str, _cgroups_dir: Option<&Path>) -> io::Result<()> {
        Ok(())
    }

    /// There is no guard.
    pub fn watch_over(_server: &ServerMark, _cgroups_dir: Option<&Path>) {}

    pub(crate) fn end_strays() {}

    /// Nothing can be found but groups, which end themselves.
    pub fn end_all() {}

    /// Nothing is adopted.
    pub async fn reap() {
        std::future::pending().await
    }
}

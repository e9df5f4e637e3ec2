//! The processes that a control server leaves at its end. Its own last act ends them; if not, its guard does; if not,
//! the next server does.

#[cfg(target_os = "linux")]
pub use linux::{end_all, end_of_the_gone, guard, watch_over};

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeSet;
    use std::io::{self, Read};
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};

    use rustix::process::geteuid;
    use serde_json::json;

    use crate::mark::{self, ServerMark};
    use crate::processes::{self, ProcessTable};
    use crate::{cgroup, orphans};

    /// Ends the processes that earlier control servers left running as this server's user.
    pub fn end_of_the_gone() {
        let user = geteuid().as_raw();
        let is_own = |id| std::fs::metadata(format!("/proc/{id}")).is_ok_and(|process| process.uid() == user);
        end_marked("of_a_server_that_is_gone", |table, server| server.is_gone(table), is_own);
    }

    /// Starts the guard, a process that outlives this control server. If the server is killed, the guard ends the
    /// processes that the server has left running. The guard waits on its standard input: that pipe closes when the
    /// server ends, in whatever way.
    pub fn guard(own_program: &Path, command: &str, cgroups_dir: Option<&Path>) -> io::Result<Child> {
        let mut guard = Command::new(own_program);
        guard.args([command, &ServerMark::own().to_string()]).args(cgroups_dir).env_clear().current_dir("/");
        // The guard has a group of its own, because a terminal's Ctrl-C is not meant for it.
        let guard = guard.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0).spawn()?;
        orphans::spare(guard.id());
        Ok(guard)
    }

    /// Does the guard's work: waits for the server's end, and ends its processes.
    pub fn watch_over(server: &ServerMark, cgroups_dir: Option<&Path>) {
        let _ = io::stdin().lock().read(&mut [0]);
        end_marked("of_a_server_that_was_killed", |_, marked| marked == server, |_| true);
        if let Some(dir) = cgroups_dir {
            cgroup::end_all_in(dir, "in_cgroups_of_a_server_that_was_killed");
        }
    }

    fn end_marked(kind: &str, choose: impl Fn(&ProcessTable, &ServerMark) -> bool, may_end: impl Fn(i32) -> bool) {
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

    /// Ends every process that this server has started, before the server itself ends.
    pub fn end_all() {
        processes::end(|table| {
            let mut all: BTreeSet<i32> = orphans::children(table).map(|(id, _)| id).collect();
            let own = |text: &str| mark::read(text).is_some_and(|(server, _)| server == *ServerMark::own());
            all.append(&mut table.marked(|_, text| own(text)));
            all
        });
    }
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{end_all, end_of_the_gone, guard, watch_over};

/// On other systems these processes cannot be found.
#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::io;
    use std::path::Path;

    use crate::mark::ServerMark;

    /// Does nothing, because no process can be found.
    pub fn end_of_the_gone() {}

    /// Does nothing, because there is no guard.
    pub fn guard(_own_program: &Path, _command: &str, _cgroups_dir: Option<&Path>) -> io::Result<()> {
        Ok(())
    }

    /// Does nothing, because there is no guard.
    pub fn watch_over(_server: &ServerMark, _cgroups_dir: Option<&Path>) {}

    /// Does nothing, because only groups are known, and these end themselves.
    pub fn end_all() {}
}

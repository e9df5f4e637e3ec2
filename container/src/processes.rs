//! The machine's processes, as `/proc` shows them: the parent of each, its mark, and the way to end it.
//!
//! The system may give a process's id to another process at any time. So a process is first held by a descriptor, and
//! checked once more before it is killed.

use std::collections::BTreeSet;

/// The variable that marks the processes of an agent. Every child inherits it, so they are recognised wherever they
/// are.
pub(crate) const MARK_VARIABLE: &str = "TOWNWATCH_PROCESS_MARK";
/// The number of passes over the processes that are to end, 50. A process that is being killed may just be starting
/// another, so passes go on until none is left. A process that survives all of them hangs in the kernel, and is left.
const KILL_PASSES_MAX: usize = 50;

/// Kills the chosen processes and all their descendants, until none is left; gives their number.
pub(crate) fn end(mut choose: impl FnMut(&ProcessTable) -> BTreeSet<i32>) -> usize {
    let mut ended = BTreeSet::new();
    for pass in 0..KILL_PASSES_MAX {
        let table = ProcessTable::read();
        let chosen = choose(&table);
        let mut killed = table.and_below(chosen);
        killed.retain(|id| table.kill(*id));
        if killed.is_empty() {
            break;
        }
        ended.extend(killed);
        std::thread::sleep(std::time::Duration::from_millis(if pass < 10 { 1 } else { 10 }));
    }
    ended.len()
}

#[cfg(target_os = "linux")]
pub(crate) use linux::{Process, ProcessTable, group_of_child, namespace, own_id};

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;

    use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

    use super::MARK_VARIABLE;

    /// A process at the moment of reading.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct Process {
        pub(crate) parent: i32,
        pub(crate) group: i32,
        /// The moment of the process's start, in the kernel's own unit. Together with the id it names a process once
        /// and for ever.
        pub(crate) started: u64,
        /// Whether the process has ended, and its parent has not waited for it yet.
        pub(crate) is_dead: bool,
    }

    impl Process {
        /// Reads one process.
        pub(crate) fn read(id: i32) -> Option<Self> {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            // The name stands before these fields, in parentheses, and may have any characters.
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            Some(Self {
                parent: fields.get(1)?.parse().ok()?,
                group: fields.get(2)?.parse().ok()?,
                started: fields.get(19)?.parse().ok()?,
                is_dead: matches!(*fields.first()?, "Z" | "X"),
            })
        }
    }

    /// The processes of the machine at one moment.
    #[derive(Debug)]
    pub(crate) struct ProcessTable(pub(crate) BTreeMap<i32, Process>);

    impl ProcessTable {
        /// Reads all processes.
        pub(crate) fn read() -> Self {
            let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
            let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
            Self(ids.filter_map(|id| Some((id, Process::read(id)?))).collect())
        }

        /// The living processes whose mark is chosen.
        pub(crate) fn marked(&self, mut choose: impl FnMut(i32, &str) -> bool) -> BTreeSet<i32> {
            let living = self.0.iter().filter(|(_, process)| !process.is_dead);
            living.filter_map(|(id, _)| choose(*id, &mark_of(*id)?).then_some(*id)).collect()
        }

        /// The children of a process.
        pub(crate) fn children_of(&self, parent: i32) -> impl Iterator<Item = (i32, Process)> {
            self.0.iter().filter(move |(_, process)| process.parent == parent).map(|(id, process)| (*id, *process))
        }

        /// The chosen processes, and all their descendants.
        pub(super) fn and_below(&self, mut chosen: BTreeSet<i32>) -> BTreeSet<i32> {
            let mut open: Vec<i32> = chosen.iter().copied().collect();
            while let Some(parent) = open.pop() {
                open.extend(self.children_of(parent).map(|(id, _)| id).filter(|id| chosen.insert(*id)));
            }
            chosen
        }

        /// Kills a process, if it is still the one of this table; true if it was alive.
        pub(super) fn kill(&self, id: i32) -> bool {
            let seen = self.0.get(&id).filter(|process| !process.is_dead && id != own_id());
            let held = Pid::from_raw(id).and_then(|id| pidfd_open(id, PidfdFlags::empty()).ok());
            let (Some(seen), Some(held)) = (seen, held) else { return false };
            Process::read(id).is_some_and(|now| now.started == seen.started && !now.is_dead)
                && pidfd_send_signal(&held, Signal::KILL).is_ok()
        }
    }

    /// The process group that a child of this process leads.
    pub(crate) fn group_of_child(parent: Pid) -> Option<Pid> {
        let table = ProcessTable::read();
        let leading = table.children_of(parent.as_raw_nonzero().get()).find(|(id, child)| child.group == *id);
        leading.and_then(|(id, _)| Pid::from_raw(id))
    }

    fn mark_of(id: i32) -> Option<String> {
        let environment = fs::read(format!("/proc/{id}/environ")).ok()?;
        let mut variables = environment.split(|byte| *byte == 0);
        let value = variables.find_map(|one| one.strip_prefix(MARK_VARIABLE.as_bytes())?.strip_prefix(b"="))?;
        String::from_utf8(value.to_vec()).ok()
    }

    /// The id of this process.
    pub(crate) fn own_id() -> i32 {
        getpid().as_raw_nonzero().get()
    }

    /// The namespace of process ids. In another container the same id is another process.
    pub(crate) fn namespace() -> String {
        let link = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        link.to_string_lossy().chars().filter(char::is_ascii_digit).collect()
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{ProcessTable, group_of_child};

/// On other systems no process can read another one. No marked process is found, and only an agent's group is killed.
#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::collections::BTreeSet;

    use rustix::process::Pid;

    /// Gives `None`, because there are no sandboxes.
    pub(crate) fn group_of_child(_parent: Pid) -> Option<Pid> {
        None
    }

    #[derive(Debug)]
    pub(crate) struct ProcessTable;

    impl ProcessTable {
        pub(crate) fn read() -> Self {
            Self
        }

        pub(crate) fn marked(&self, _choose: impl FnMut(i32, &str) -> bool) -> BTreeSet<i32> {
            BTreeSet::new()
        }

        pub(super) fn and_below(&self, chosen: BTreeSet<i32>) -> BTreeSet<i32> {
            chosen
        }

        pub(super) fn kill(&self, _id: i32) -> bool {
            false
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_found_by_its_mark_and_ended_with_what_descends_from_it() {
        let mark = uuid::Uuid::now_v7().to_string();
        let script = "env -i sleep 300 & echo $!; exec sleep 300";
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script]).env(MARK_VARIABLE, &mark).stdout(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut().unwrap()), &mut line).unwrap();
        let unmarked: i32 = line.trim().parse().unwrap();
        assert_eq!(end(|table| table.marked(|_, text| text == "another")), 0);
        assert!(Process::read(unmarked).is_some_and(|process| !process.is_dead));
        assert_eq!(end(|table| table.marked(|_, text| text == mark)), 2);
        assert!(Process::read(unmarked).is_none_or(|process| process.is_dead));
        child.wait().unwrap();
    }
}

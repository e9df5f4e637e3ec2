//! Processes that have lost their parent. The control server adopts them, waits for those that have ended, and ends the
//! others once nobody can tell any more which run they belong to.
//!
//! A death signal for children would not be enough. It reaches only an agent's first process, and the kernel sends it
//! when the thread that started the process ends.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(target_os = "linux")]
pub use linux::{adopt, reap};

#[cfg(target_os = "linux")]
pub(crate) use linux::{children, end_strays, spare};

/// The leaders of all groups that are open here.
static LEADERS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Locks the leaders of the open groups. While the lock is held no leader is added.
pub(crate) fn leaders() -> MutexGuard<'static, BTreeSet<i32>> {
    LEADERS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeSet;
    use std::io;
    use std::sync::atomic::{AtomicI32, Ordering};
    use std::time::Duration;

    use rustix::process::{Pid, WaitId, WaitIdOptions, getpid, set_child_subreaper, waitid};

    use super::leaders;
    use crate::processes::{self, Process, ProcessTable, own_id};

    /// The time between two checks for adopted processes that have ended, 1 s.
    const REAP_INTERVAL: Duration = Duration::from_secs(1);
    /// The process id of the one child that is no agent's: the guard. 0 where there is none.
    static SPARED: AtomicI32 = AtomicI32::new(0);

    /// Makes this process, from now on, the parent of every process below it that loses its own parent.
    pub fn adopt() -> io::Result<()> {
        Ok(set_child_subreaper(Some(getpid()))?)
    }

    /// Excepts a child of this process, its guard, from everything that is ended here.
    pub(crate) fn spare(id: u32) {
        SPARED.store(i32::try_from(id).unwrap_or(0), Ordering::Relaxed);
    }

    /// Ends the adopted processes once no group is open, because nobody can tell any more which run they belong to.
    pub(crate) fn end_strays() {
        // The table is read before the leaders are. So a process in the table that leads a group is among the leaders.
        let strays = |table: &ProcessTable| adopted(table).map(|(id, _)| id).collect();
        processes::end(|table| if leaders().is_empty() { strays(table) } else { BTreeSet::new() });
    }

    /// Waits again and again for adopted processes that have ended, because nobody else waits for them.
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
            let table = ProcessTable::read();
            for (id, _) in adopted(&table).filter(|(id, process)| process.is_dead && !leaders.contains(id)) {
                if let Some(id) = Pid::from_raw(id) {
                    let _ = waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
                }
            }
        }
    }

    /// The children of this process, without the spared one.
    pub(crate) fn children(table: &ProcessTable) -> impl Iterator<Item = (i32, Process)> {
        let spared = SPARED.load(Ordering::Relaxed);
        table.children_of(own_id()).filter(move |(id, _)| *id != spared)
    }

    /// The adopted children, while no group of ours is open. A program that only prints its version is in this
    /// process's own group, and is left out; agents lead groups of their own.
    fn adopted(table: &ProcessTable) -> impl Iterator<Item = (i32, Process)> {
        let own_group = table.0.get(&own_id()).map_or(0, |process| process.group);
        children(table).filter(move |(_, process)| process.group != own_group)
    }
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{adopt, reap};

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::end_strays;

/// On other systems no adopted process can be found.
#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::io;

    /// Does nothing, because nothing is adopted.
    pub fn adopt() -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn end_strays() {}

    /// Waits for ever, because nothing is adopted.
    pub async fn reap() {
        std::future::pending().await
    }
}

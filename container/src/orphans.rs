//! Processes that have lost their parent: the control server adopts them, waits for them when they have ended, and ends them
//! once nobody can tell any more whose they were.
//!
//! A death signal for children would not do: it reaches only an agent's first process, and the kernel sends it when the
//! thread ends that started it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(target_os = "linux")]
pub use linux::{adopt, reap};

#[cfg(target_os = "linux")]
pub(crate) use linux::{children, end_strays, spare};

/// The leaders of all groups that are open here.
static LEADERS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// The leaders of the groups that are open, and none is added while this is held.
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
    use crate::processes::{self, Process, Table, own_id};

    /// The time between two looks for adopted processes that have ended.
    const REAP_INTERVAL: Duration = Duration::from_secs(1);
    /// The number of the one child that is no agent's; 0 where there is none.
    static SPARED: AtomicI32 = AtomicI32::new(0);

    /// Makes what loses its parent below this process its child, from now on.
    pub fn adopt() -> io::Result<()> {
        Ok(set_child_subreaper(Some(getpid()))?)
    }

    /// Excepts a child of this process, its guard, from all that is ended here.
    pub(crate) fn spare(id: u32) {
        SPARED.store(i32::try_from(id).unwrap_or(0), Ordering::Relaxed);
    }

    /// Ends what was adopted, once no group is open: nobody can tell any more whose it was.
    pub(crate) fn end_strays() {
        // The look is older than the leaders: who was there then and leads a group is among them.
        let strays = |table: &Table| adopted(table).map(|(id, _)| id).collect();
        processes::end(|table| if leaders().is_empty() { strays(table) } else { BTreeSet::new() });
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

    /// The children of this process, without the one that is spared.
    pub(crate) fn children(table: &Table) -> impl Iterator<Item = (i32, Process)> {
        let spared = SPARED.load(Ordering::Relaxed);
        table.children_of(own_id()).filter(move |(id, _)| *id != spared)
    }

    /// Children that are no groups' leaders of ours, where none is open: what only tells its version is in this process's
    /// own group, agents lead groups of their own.
    fn adopted(table: &Table) -> impl Iterator<Item = (i32, Process)> {
        let own_group = table.0.get(&own_id()).map_or(0, |process| process.group);
        children(table).filter(move |(_, process)| process.group != own_group)
    }
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{adopt, reap};

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::end_strays;

/// Elsewhere nothing of that can be found.
#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::io;

    /// Nothing is adopted.
    pub fn adopt() -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn end_strays() {}

    /// Nothing is adopted.
    pub async fn reap() {
        std::future::pending().await
    }
}

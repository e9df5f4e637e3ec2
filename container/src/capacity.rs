//! The capacity of a control server: the number of open runs, and the free disk that a new run needs.

use std::path::Path;
use std::sync::Arc;

use rustix::fs::statvfs;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use townwatch_protocol::error::{Code, Error, Result};

use crate::setting::{DISK_FREE_MIN_BYTES, RUNS_MAX};

/// The settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// The number of open runs, of all towns together.
    pub runs_max: usize,
    /// The free bytes below which no run is started; 0: not checked.
    pub disk_free_min_bytes: u64,
}

impl Capacity {
    /// Reads `CONTROL_RUNS_MAX` and `CONTROL_DISK_FREE_MIN_BYTES`. The error is a sentence for a person.
    pub fn read(variable: &impl Fn(&str) -> Option<String>) -> std::result::Result<Self, String> {
        let runs_max = RUNS_MAX.read(variable)?;
        let disk_free_min_bytes = DISK_FREE_MIN_BYTES.read(variable)?;
        Ok(Self { runs_max: usize::try_from(runs_max).unwrap_or(usize::MAX), disk_free_min_bytes })
    }
}

/// The slots for open runs.
#[derive(Debug)]
pub(crate) struct RunSlots {
    capacity: Capacity,
    free: Arc<Semaphore>,
}

/// The slot of one run. The slot is free again when this value is dropped.
#[derive(Debug)]
pub struct RunSlot {
    _permit: OwnedSemaphorePermit,
}

impl RunSlots {
    pub(crate) fn new(capacity: Capacity) -> Self {
        Self { capacity, free: Arc::new(Semaphore::new(capacity.runs_max)) }
    }

    /// Takes a slot for one more run that works below this directory.
    ///
    /// # Errors
    /// `rate_limited`: all slots are taken, or the disk has too little free space.
    pub(crate) fn take(&self, work_dir: &Path) -> Result<RunSlot> {
        let Capacity { runs_max, disk_free_min_bytes } = self.capacity;
        let refused = |message| Err(Error::new(Code::RateLimited, message));
        let Ok(permit) = self.free.clone().try_acquire_owned() else {
            return refused(format!(
                "this control server has {runs_max} runs open, as many as it takes at once: wait until one ends, stop \
                 one, or set {} higher",
                RUNS_MAX.name
            ));
        };
        match free_disk_bytes(work_dir) {
            Some(free) if free < disk_free_min_bytes => refused(format!(
                "the control server's disk has {free} bytes left where agents work, and none starts below \
                 {disk_free_min_bytes}: make room there, or set {} lower",
                DISK_FREE_MIN_BYTES.name
            )),
            _ => Ok(RunSlot { _permit: permit }),
        }
    }
}

/// The free bytes for this server in the file system of a directory; `None` where the system does not tell. The
/// directory need not exist yet.
pub(crate) fn free_disk_bytes(dir: &Path) -> Option<u64> {
    let disk = dir.ancestors().find_map(|dir| statvfs(dir).ok())?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use townwatch_protocol::id::POSITION_MAX;

    use super::*;

    fn slots(runs_max: usize, disk_free_min_bytes: u64) -> RunSlots {
        RunSlots::new(Capacity { runs_max, disk_free_min_bytes })
    }

    #[test]
    fn a_slot_is_free_again_when_its_run_is_gone() {
        let (slots, dir) = (slots(2, 0), std::env::temp_dir());
        let (one, _two) = (slots.take(&dir).unwrap(), slots.take(&dir).unwrap());
        let refusal = slots.take(&dir).unwrap_err();
        assert_eq!(refusal.code, Code::RateLimited);
        assert!(refusal.message.contains("has 2 runs open") && refusal.message.contains(RUNS_MAX.name), "{refusal:?}");
        drop(one);
        assert!(slots.take(&dir).is_ok());
    }

    #[test]
    fn a_full_disk_takes_no_slot_away() {
        let full = slots(1, POSITION_MAX);
        for _ in 0..2 {
            let refusal = full.take(Path::new("/no/such/directory")).unwrap_err();
            assert!(refusal.message.contains(DISK_FREE_MIN_BYTES.name), "{refusal:?}");
        }
    }
}

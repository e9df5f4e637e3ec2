//! The directories in which runs work. They are below a folder that belongs to this server alone, and go some days
//! after their run.
//!
//! The time of a directory is the end of its run, so nothing has to be remembered. Where the server was killed, it is
//! the time of the last change in the directory. A directory is moved aside before it is removed. A server that ends in
//! between finds it there at its next start, and no run ever finds half of a directory.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::json;
use townwatch_protocol::id::{RunId, TownId};

use crate::folders::{check_parent, folders, own, remove};

/// The folder of the HOMEs, for runs that have one of their own. No town's id begins with a dot.
pub(crate) const HOMES: &str = ".homes";
/// The folder of everything that is being removed.
const GONE: &str = ".gone";
/// The file whose lock shows that no other server works here.
const LOCK: &str = ".lock";
/// The time between two sweeps, one hour.
const SWEEP_INTERVAL: Duration = Duration::from_hours(1);

/// The directories of all runs.
#[derive(Debug)]
pub struct WorkDirs {
    root: PathBuf,
    kept: Duration,
    open: Mutex<HashMap<RunId, OpenDir>>,
    /// The file of the lock. It is locked as long as it is open, which is as long as the process lives.
    _lock: File,
}

/// The directory of an open run.
#[derive(Debug)]
struct OpenDir {
    town_id: TownId,
    /// Whether the directory goes at the end of its run, because its town no longer exists.
    is_forgotten: bool,
}

/// The directory of an open run. When this value is dropped, the directory stays for some more days.
#[derive(Debug)]
pub struct WorkDir {
    dir: PathBuf,
    run_id: RunId,
    dirs: Arc<WorkDirs>,
}

impl WorkDirs {
    /// Takes possession of `root`, where directories stay for the time `kept` after the end of their run. With
    /// `others_may_pass` other users may pass through it, as is needed where runs have users of their own.
    ///
    /// # Errors
    /// Another control server works there, or a folder cannot be used safely.
    pub fn open(root: &Path, kept: Duration, others_may_pass: bool) -> io::Result<Arc<Self>> {
        if let Some(parent) = root.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
            check_parent(parent)?;
        }
        own(root, if others_may_pass { 0o711 } else { 0o700 })?;
        let root = root.canonicalize()?;
        let lock = File::options().create(true).truncate(false).write(true).open(root.join(LOCK))?;
        lock.try_lock().map_err(|_| {
            let problem = "another control server works there; give this one its own CONTROL_WORK_DIR";
            io::Error::other(format!("{}: {problem}", root.display()))
        })?;
        for left in [GONE, HOMES] {
            remove(&root.join(left))?;
        }
        Ok(Arc::new(Self { root, kept, open: Mutex::default(), _lock: lock }))
    }

    /// The folder of all directories.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the directory of a run. `make` is called with its path.
    pub fn begin(
        self: &Arc<Self>,
        town_id: &TownId,
        run_id: &RunId,
        make: impl FnOnce(&Path) -> io::Result<()>,
    ) -> io::Result<WorkDir> {
        let dir = self.root.join(town_id.as_str()).join(run_id.as_str());
        let mut open = self.held();
        make(&dir)?;
        open.insert(run_id.clone(), OpenDir { town_id: town_id.clone(), is_forgotten: false });
        Ok(WorkDir { dir, run_id: run_id.clone(), dirs: self.clone() })
    }

    /// Removes directories whose time is over; gives their number.
    pub fn sweep(&self, now: SystemTime) -> usize {
        let is_over = |dir: &Path| {
            let ended = dir.symlink_metadata().and_then(|dir| dir.modified());
            ended.is_ok_and(|ended| now.duration_since(ended).is_ok_and(|since| since >= self.kept))
        };
        // Folders that begin with a dot are this server's own.
        let is_town = |dir: &PathBuf| dir.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b"."));
        let towns: Vec<_> = folders(&self.root).filter(is_town).collect();
        towns.iter().map(|town| self.put_away(town, is_over)).sum()
    }

    /// Removes the directories of all runs of a town that no longer exists. The directories of open runs go when these
    /// end.
    pub fn forget(&self, town_id: &TownId) {
        self.held().values_mut().filter(|open| open.town_id == *town_id).for_each(|open| open.is_forgotten = true);
        self.put_away(&self.root.join(town_id.as_str()), |_| true);
    }

    /// Removes the chosen directories of a town, but never that of an open run; gives their number.
    fn put_away(&self, town: &Path, choose: impl Fn(&Path) -> bool) -> usize {
        let gone = self.root.join(GONE);
        let open = self.held();
        let is_open =
            |dir: &Path| open.keys().any(|run_id| dir.file_name().is_some_and(|name| name == run_id.as_str()));
        let mut moved = Vec::new();
        for dir in folders(town).filter(|dir| !is_open(dir) && choose(dir)).collect::<Vec<_>>() {
            let aside = gone.join(uuid::Uuid::now_v7().simple().to_string());
            match own(&gone, 0o700).and_then(|()| fs::rename(&dir, &aside)) {
                Ok(()) => moved.push(aside),
                Err(error) => complain(&dir, &error),
            }
        }
        let _ = fs::remove_dir(town); // only an empty one goes
        drop(open);
        // The slow removal comes last, when nobody waits for the lock any more.
        for aside in &moved {
            remove(aside).unwrap_or_else(|error| complain(aside, &error));
        }
        moved.len()
    }

    fn held(&self) -> MutexGuard<'_, HashMap<RunId, OpenDir>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WorkDir {
    /// The directory's path.
    pub fn path(&self) -> &Path {
        &self.dir
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.dir); // only an empty one goes: what an agent made is its work
        let _ = File::open(&self.dir).and_then(|dir| dir.set_modified(SystemTime::now()));
        let open = self.dirs.held().remove(&self.run_id);
        if let Some(OpenDir { town_id, is_forgotten: true }) = open {
            self.dirs.forget(&town_id);
        }
    }
}

/// Sweeps every [`SWEEP_INTERVAL`], as long as the server lives.
pub async fn watch(work_dirs: Arc<WorkDirs>) {
    loop {
        let dirs = work_dirs.clone();
        let swept = tokio::task::spawn_blocking(move || dirs.sweep(SystemTime::now())).await.unwrap_or_default();
        if swept > 0 {
            crate::log::write("work_dirs_removed", json!({"runs": swept}));
        }
        tokio::time::sleep(SWEEP_INTERVAL).await;
    }
}

fn complain(dir: &Path, error: &io::Error) {
    crate::log::write("work_dir_stays", json!({"dir": dir, "message": error.to_string()}));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    const KEPT: Duration = Duration::from_hours(48);

    /// A folder for a test, which goes with it.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Self {
            let dir = std::env::temp_dir().join(format!("townwatch-work-dirs-{}", uuid::Uuid::now_v7()));
            fs::create_dir(&dir).unwrap();
            Self(dir)
        }

        fn dirs(&self) -> Arc<WorkDirs> {
            WorkDirs::open(&self.0.join("work"), KEPT, false).unwrap()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = remove(&self.0);
        }
    }

    /// The directory of a run that has made a file.
    fn at_work(dirs: &Arc<WorkDirs>, town: &str, run: &str) -> WorkDir {
        let (town, run) = (TownId::parse(town).unwrap(), RunId::parse(run).unwrap());
        let make = |dir: &Path| own(dir.parent().unwrap(), 0o700).and_then(|()| own(dir, 0o700));
        let dir = dirs.begin(&town, &run, make).unwrap();
        fs::write(dir.path().join("made"), "x").unwrap();
        dir
    }

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o777
    }

    #[test]
    fn a_directory_goes_some_days_after_its_run_and_never_before_it_has_ended() {
        let scratch = Scratch::new();
        let dirs = scratch.dirs();
        let (open, ended) = (at_work(&dirs, "t", "open"), at_work(&dirs, "t", "ended"));
        assert_eq!((mode(dirs.root()), mode(ended.path())), (0o700, 0o700));
        // As if it had begun long ago: what counts is its end.
        let path = ended.path().to_owned();
        File::open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        drop(ended);
        let later = |time| SystemTime::now() + time;
        assert_eq!((dirs.sweep(later(KEPT.checked_sub(Duration::from_mins(1)).unwrap())), path.exists()), (0, true));
        assert_eq!((dirs.sweep(later(KEPT + Duration::from_mins(1))), path.exists()), (1, false));
        assert!(open.path().join("made").exists());
        let town = open.path().parent().unwrap().to_owned();
        drop(open);
        assert_eq!((dirs.sweep(later(KEPT + Duration::from_mins(1))), town.exists()), (1, false), "nor an empty town");
    }

    #[test]
    fn a_directory_goes_with_its_town_and_that_of_an_open_run_when_it_ends() {
        let scratch = Scratch::new();
        let dirs = scratch.dirs();
        let (open, ended, other) =
            (at_work(&dirs, "t", "open"), at_work(&dirs, "t", "ended"), at_work(&dirs, "u", "r"));
        let paths = [&open, &ended, &other].map(|dir| dir.path().to_owned());
        drop(ended);
        let are_there = || paths.each_ref().map(|path| path.exists());
        dirs.forget(&TownId::parse("t").unwrap());
        assert_eq!(are_there(), [true, false, true]);
        drop(open);
        assert_eq!(are_there(), [false, false, true]);
        assert!(!dirs.root().join("t").exists());
        assert_eq!(fs::read_dir(dirs.root().join(GONE)).unwrap().count(), 0);
    }

    #[test]
    fn what_a_server_was_removing_when_it_was_killed_goes_at_the_next_start() {
        let scratch = Scratch::new();
        drop(scratch.dirs());
        for left in [GONE, HOMES] {
            fs::create_dir_all(scratch.0.join("work").join(left).join("x/y")).unwrap();
        }
        let dirs = scratch.dirs();
        assert!(!dirs.root().join(GONE).exists() && !dirs.root().join(HOMES).exists());
    }

    #[test]
    fn two_servers_do_not_share_a_place() {
        let scratch = Scratch::new();
        let dirs = scratch.dirs();
        let refusal = WorkDirs::open(dirs.root(), KEPT, false).unwrap_err().to_string();
        assert!(refusal.contains("another control server works there"), "{refusal}");
    }
}

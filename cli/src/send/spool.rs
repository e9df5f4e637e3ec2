//! The spool, in which events wait on disk: `…/townwatch/spool/<server>/<rig>/<agent>/<run>/`, one folder for each run.
//!
//! A run's folder contains its segments (`00000001.jsonl`, …: one event a line), `sent` (the position up to which the
//! server has them) and `owner`, which the run's process keeps locked until it ends in any way. A folder whose lock is
//! free is from an earlier `send`. The next process sends its events before its own.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use townwatch_protocol::id::{AgentId, RigId};

use super::spooled_run::{SpooledRun, WaitingEvents};

/// The spool of an agent: the runs of earlier processes, and this process's own run.
pub(super) struct AgentSpool {
    pub(super) dir: PathBuf,
    pub(super) left: Vec<Arc<SpooledRun>>,
    pub(super) run: SpooledRun,
}

impl AgentSpool {
    /// Opens the spool of an agent: takes over the runs of earlier processes, and makes a new run.
    pub(super) fn open(base: &str, rig: &RigId, agent: &AgentId) -> Result<Self, String> {
        let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let state = state.or_else(|| Some(std::env::home_dir()?.join(".local/state")));
        let Some(state) = state else { return Err("no place for the spool: set HOME or XDG_STATE_HOME".to_owned()) };
        let host = base.split_once("://").map_or(base, |(_, host)| host);
        let host: String = host.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '_' }).collect();
        let dir = state.join("townwatch/spool").join(host).join(rig.as_str()).join(agent.as_str());
        Self::open_in(&dir).map_err(|error| format!("the spool {} cannot be used ({error})", dir.display()))
    }

    pub(super) fn open_in(dir: &Path) -> io::Result<Self> {
        // What agents print is nobody else's business.
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        // Held while folders are taken over and made: between a folder and its lock nobody else may look.
        let claims = OpenOptions::new().create(true).truncate(false).write(true).open(dir.join("claims"))?;
        claims.lock()?;
        let waiting = Arc::new(WaitingEvents::default());
        let mut names: Vec<PathBuf> = fs::read_dir(dir)?.flatten().map(|entry| entry.path()).collect();
        names.retain(|path| path.is_dir());
        names.sort(); // a run's name begins with its time
        let mut left = Vec::new();
        for path in names {
            if let Some(run) = SpooledRun::take_over(&path, &waiting)? {
                left.push(Arc::new(run));
            }
        }
        let run = SpooledRun::make(dir, &waiting)?;
        Ok(Self { dir: dir.to_owned(), left, run })
    }
}

//! Where a run works: its directory, where each run has one its user, what holds its processes, and its place among the runs.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::process::Command;
use townwatch::id::{RunId, TownId};

use crate::capacity::Place;
use crate::confinement::Confinement;
use crate::environment;
use crate::users::{self, User, Users};

/// The room of a run. When it goes, nothing of the run is left that could go on.
#[derive(Debug)]
pub struct Room {
    dir: PathBuf,
    user: Option<User>,
    confinement: Arc<Confinement>,
    _place: Place,
}

impl Room {
    /// Makes a run's room under the directory of all.
    pub fn make(
        root: &Path,
        users: Option<&Arc<Users>>,
        town_id: &TownId,
        run_id: &RunId,
        confinement: Confinement,
        place: Place,
    ) -> io::Result<Self> {
        let confinement = Arc::new(confinement);
        let town = root.join(town_id.as_str());
        let dir = town.join(run_id.as_str());
        let Some(users) = users else {
            DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
            return Ok(Self { dir: dir.canonicalize()?, user: None, confinement, _place: place });
        };
        users::passage(&town)?;
        let user = users.take(run_id)?;
        let dir = town.canonicalize()?.join(run_id.as_str());
        user.own(&dir)?;
        Ok(Self { dir, user: Some(user), confinement, _place: place })
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What holds its run's processes.
    pub fn confinement(&self) -> &Arc<Confinement> {
        &self.confinement
    }

    /// Lets a command work in it: there, as its user, and with the variables that agents get of the control server.
    pub fn dress(&self, command: &mut Command) {
        command.current_dir(&self.dir).env_clear().envs(environment::inherited());
        if let Some(user) = &self.user {
            user.dress(command);
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some(user) = &self.user {
            user.leave(&self.dir);
        }
        let _ = fs::remove_dir(&self.dir); // only an empty one goes: what an agent made is its work
    }
}

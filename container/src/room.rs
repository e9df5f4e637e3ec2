//! The room in which a run works: its directory, its HOME and, where each run has one, its user or its sandbox; and its
//! hold on processes.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::process::Command;
use townwatch_protocol::id::{RunId, TownId};
use townwatch_protocol::runtime::Runtime;

use crate::capacity::RunSlot;
use crate::confinement::Confinement;
use crate::environment;
use crate::folders;
use crate::group::Leader;
use crate::sandbox::{Bubblewrap, Places, Sandbox};
use crate::users::{self, User, Users};
use crate::work_dirs::{HOMES, WorkDir, WorkDirs};

/// The room of a run. When this value is dropped, no process or user of the run is left.
#[derive(Debug)]
pub struct Room {
    isolation: Isolation,
    dir: WorkDir,
    holding: Holding,
}

/// The hold of a run: on its processes, and on its slot among the runs.
#[derive(Debug)]
pub struct Holding {
    confinement: Arc<Confinement>,
    _slot: RunSlot,
}

impl Holding {
    /// Makes a hold of the confinement of the run's processes and of one slot.
    pub fn new(confinement: Confinement, slot: RunSlot) -> Self {
        Self { confinement: Arc::new(confinement), _slot: slot }
    }
}

/// The isolation of a run from other runs, beside its own directory: none, a user of its own, or a sandbox.
#[derive(Debug)]
enum Isolation {
    Nothing,
    User(User),
    Sandbox { bubblewrap: Bubblewrap, home: PathBuf },
}

impl Room {
    /// Makes a run's room.
    pub fn make(
        dirs: &Arc<WorkDirs>,
        users: Option<&Arc<Users>>,
        sandbox: &Sandbox,
        (town_id, run_id): (&TownId, &RunId),
        holding: Holding,
    ) -> io::Result<Self> {
        let isolation = match (users, sandbox) {
            (Some(users), _) => Isolation::User(users.take(run_id)?),
            (None, Sandbox::Bubblewrap(bubblewrap)) => {
                let home = dirs.root().join(HOMES).join(run_id.as_str());
                DirBuilder::new().recursive(true).mode(0o700).create(home.join("tmp"))?;
                Isolation::Sandbox { bubblewrap: bubblewrap.clone(), home }
            }
            (None, Sandbox::None | Sandbox::Image) => Isolation::Nothing,
        };
        let dir = dirs.begin(town_id, run_id, |dir| match (&isolation, dir.parent()) {
            (Isolation::User(user), Some(town)) => users::passage(town).and_then(|()| user.own(dir)),
            (_, Some(town)) => folders::own(town, 0o700).and_then(|()| folders::own(dir, 0o700)),
            (_, None) => Err(io::ErrorKind::InvalidInput.into()),
        })?;
        Ok(Self { isolation, dir, holding })
    }

    /// The run's directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Makes the command of the run's program, which works in the room, and in a sandbox where each run has one.
    pub fn command(&self, runtime: Runtime, program: &Path, arguments: &[String]) -> (Command, Leader) {
        let Isolation::Sandbox { bubblewrap, home } = &self.isolation else {
            let mut command = Command::new(program);
            self.dress(command.args(arguments));
            return (command, Leader::Agent);
        };
        let mut command = bubblewrap.command(&Places { dir: self.dir(), home }, runtime, program, arguments);
        self.dress(&mut command);
        bubblewrap.dress(&mut command);
        (command, Leader::Keeper)
    }

    /// The confinement of the run's processes.
    pub fn confinement(&self) -> &Arc<Confinement> {
        &self.holding.confinement
    }

    /// Makes a command of this server's own work in the room: in its directory, as its user, and with the variables
    /// that agents get from the control server.
    pub fn dress(&self, command: &mut Command) {
        command.current_dir(self.dir()).env_clear().envs(environment::inherited());
        if let Isolation::User(user) = &self.isolation {
            user.dress(command);
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        match &self.isolation {
            Isolation::Nothing => {}
            Isolation::User(user) => user.leave(self.dir()),
            Isolation::Sandbox { home, .. } => {
                if let Err(error) = folders::remove(home) {
                    let fields = serde_json::json!({"dir": home, "message": error.to_string()});
                    crate::log::write("work_dir_stays", fields);
                }
            }
        }
    }
}

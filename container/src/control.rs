//! The state that all requests share: the settings, the towns, the versions of programs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use townwatch_agents::redact::SecretValues;
use townwatch_host::known;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::StopSignal;
use townwatch_protocol::id::TownId;
use townwatch_protocol::limits::TOWNS_MAX;
use townwatch_protocol::wire::{ControlHealth, ControlStart, ControlStarted, RunsHeld, StartAgent, check_timeout};

use crate::caller::Callers;
use crate::capacity::{RunSlots, free_disk_bytes};
use crate::cgroup::Cgroups;
use crate::checkout;
use crate::config::Config;
use crate::confinement::Confinement;
use crate::environment;
use crate::executor;
use crate::health::Versions;
use crate::life;
use crate::room::{Holding, Room};
use crate::run::RunHandle;
use crate::runtimes;
use crate::runtimes::Launch;
use crate::town::Town;
use crate::work_dirs::WorkDirs;

/// A control server.
#[derive(Debug)]
pub struct Control {
    /// The settings.
    pub config: Config,
    pub(crate) work_dirs: Arc<WorkDirs>,
    pub(crate) callers: Arc<Callers>,
    towns: Mutex<Towns>,
    versions: Versions,
    slots: RunSlots,
    /// The cgroups of runs; `None` where the system has none for them.
    cgroups: Option<Arc<Cgroups>>,
    started: Instant,
}

#[derive(Debug, Default)]
struct Towns {
    by_id: HashMap<TownId, Arc<Town>>,
    closing: bool,
}

impl Control {
    /// Makes a control server without agents.
    pub fn new(config: Config, work_dirs: Arc<WorkDirs>, cgroups: Option<Arc<Cgroups>>) -> Arc<Self> {
        let (towns, versions, slots) = (Mutex::default(), Versions::default(), RunSlots::new(config.capacity));
        let callers = Arc::new(Callers::new(config.public_key, config.users.clone()));
        let started = Instant::now();
        Arc::new(Self { config, work_dirs, callers, towns, versions, slots, cgroups, started })
    }

    /// Gives the town with this id. Its life here, and so its epoch, begins with the first request that names it.
    pub fn town(&self, id: &TownId) -> Result<Arc<Town>> {
        let mut towns = self.towns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(town) = towns.by_id.get(id) {
            town.asked();
            return Ok(town.clone());
        }
        if towns.by_id.len() as u64 >= TOWNS_MAX {
            let message = format!("this control server serves {TOWNS_MAX} towns already");
            return Err(Error::new(Code::RateLimited, message));
        }
        let town = Arc::new(Town::new(self.config.bounds.clone(), self.work_dirs.root().to_owned())?);
        towns.by_id.insert(id.clone(), town.clone());
        Ok(town)
    }

    /// Starts a run, or finds that it was started before.
    pub fn start(&self, town_id: &TownId, start: ControlStart) -> Result<ControlStarted> {
        let ControlStart { run_id, agent_id, order } = start;
        check_timeout(order.timeout_seconds)?;
        environment::check(order.env_vars.as_ref())?;
        environment::check_declared(&order)?;
        checkout::check(&order)?;
        let town = self.town(town_id)?;
        let started = ControlStarted { epoch: town.epoch().clone(), run_id: run_id.clone() };
        let launch = runtimes::launch(&order, &self.config)?;
        if self.towns.lock().unwrap_or_else(PoisonError::into_inner).closing {
            return Err(Error::new(Code::ContainerUnavailable, "the control server is shutting down"));
        }
        let secrets = secrets(&order, &launch, &self.config);
        if town.has_begun(&agent_id, &run_id) {
            return Ok(started); // also where there is no slot for another one
        }
        let slot = self.slots.take(&self.config.work_dir)?;
        let Some(run) = RunHandle::begin(&town, &agent_id, &run_id, order.runtime, secrets)? else {
            return Ok(started);
        };
        let runtime = order.runtime.as_str();
        crate::log::write(
            "run_started",
            serde_json::json!({"town_id": town_id, "agent_id": agent_id, "run_id": run_id, "runtime": runtime}),
        );
        let Config { users, sandbox, run_limits, .. } = &self.config;
        let confinement = Confinement::new(*run_limits, self.cgroups.as_deref(), &run_id);
        let holding = Holding::new(confinement, slot);
        match Room::make(&self.work_dirs, users.as_ref(), sandbox, (town_id, &run_id), holding) {
            Ok(room) => executor::start(run, order, launch, room, &self.config),
            Err(error) => run.fail(&life::no_work_dir(&error)),
        }
        Ok(started)
    }

    /// Removes the directories of a deleted town's runs, those of open runs when these end.
    pub fn forget(&self, town_id: &TownId) {
        let (work_dirs, town_id) = (self.work_dirs.clone(), town_id.clone());
        tokio::task::spawn_blocking(move || work_dirs.forget(&town_id)); // it may be much to remove
    }

    /// The server's health, and the programs that it can run.
    pub async fn health(&self) -> ControlHealth {
        ControlHealth {
            status: "ok".to_owned(),
            agents: self.all_towns().iter().map(|town| town.open_runs() as u64).sum(),
            uptime_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            runtimes: self.versions.runtimes(self.config.users.as_deref()).await,
            agents_apart: Some(self.config.are_apart()),
            sandbox: Some(self.config.sandbox.kind()),
            runs: Some(RunsHeld {
                max: self.config.capacity.runs_max as u64,
                cgroup: self.cgroups.is_some(),
                memory: self.cgroups.as_ref().is_some_and(|cgroups| cgroups.bounds_memory),
                processes: self.config.users.is_some()
                    || self.cgroups.as_ref().is_some_and(|cgroups| cgroups.bounds_processes),
            }),
            disk_free_bytes: free_disk_bytes(self.work_dirs.root()),
        }
    }

    /// Takes no more runs, and tells all agents to end. Returns when they have ended, or when the time is over.
    pub async fn close(&self, signal: StopSignal, time: Duration) {
        self.towns.lock().unwrap_or_else(PoisonError::into_inner).closing = true;
        let deadline = tokio::time::Instant::now() + time;
        loop {
            // Each pass reads the runs anew: a start may have passed the check just before the server closed.
            let open: usize = self.all_towns().iter().map(|town| town.stop_all(signal)).sum();
            if open == 0 || tokio::time::Instant::now() >= deadline {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn towns_by_id(&self) -> Vec<(TownId, Arc<Town>)> {
        let towns = self.towns.lock().unwrap_or_else(PoisonError::into_inner);
        towns.by_id.iter().map(|(id, town)| (id.clone(), town.clone())).collect()
    }

    fn all_towns(&self) -> Vec<Arc<Town>> {
        self.towns.lock().unwrap_or_else(PoisonError::into_inner).by_id.values().cloned().collect()
    }
}

/// The values that an agent may know and nobody may see.
fn secrets(order: &StartAgent, launch: &Launch, config: &Config) -> SecretValues {
    let own = launch.variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let variables = environment::inherited_texts().chain(own).chain(environment::ordered(order));
    let home = environment::home(order, config.users.is_some());
    known(variables, order.secret_env.as_deref().unwrap_or_default(), home.as_deref())
}

//! The archive: agents that nobody needs to see at present. They leave the town's lists and do not count toward its bound of
//! agents; their log, runs and pictures stay, and are read by their id. An archived agent has no open run.
//!
//! An agent that posts has its rig, another object, so its archive takes steps as its deletion does:
//!
//! 1. The town holds the agent (in memory): nothing of it is registered or started meanwhile.
//! 2. Its rig refuses what is new of it, and hands over what it had taken. So nothing that a rig has promised to keep comes
//!    to an agent that the town's lists may have no room for. Who dies behind this has an agent that cannot post and is told
//!    how to: it can be archived, registered, or brought back.
//! 3. The town archives it, unless what was handed over has begun a run: then the rig is told to take its posts again.
//!
//! Back it comes the other way round: the town first, and then its rig. Whoever registers it goes that way, too; of one that
//! is started, or that a container tells a new run of, the rig is told behind it, and if that is lost its next post is told
//! to register.

use std::rc::Rc;

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::Role;
use townwatch_protocol::id::{AgentId, RigId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::AgentState;

use crate::agents;
use crate::agents::holds::{Hold, HoldPurpose, Subject};
use crate::agents::runs;
use crate::decision::{Decide, Decision};
use crate::log::ingest::Outcome;
use crate::relay::silence::silence;
use crate::store::{Store, atomically};
use crate::town::{Town, presented};

/// The steps in other objects that have to succeed before agents may be archived.
#[derive(Debug, PartialEq, Eq)]
pub struct ArchivePlan {
    /// The rig that has to refuse them.
    pub rig_id: RigId,
    /// The agents.
    pub agents: Vec<AgentId>,
    is_whole_rig: bool,
    hold: Hold,
}

impl Town {
    /// Begins to archive an agent, which is held until [`Town::abandon_archive`] or [`ArchiveCompletion`]; none where it is archived
    /// already.
    pub fn begin_archive(&mut self, agent_id: &AgentId) -> Result<Option<ArchivePlan>> {
        let agent = agents::load(self.store.as_ref(), agent_id)?.ok_or_else(|| Error::not_found("agent"))?;
        let subject = Subject::Agent(agent_id.clone());
        self.holds.check_stays(&subject)?;
        self.holds.check_stays(&Subject::Rig(agent.rig_id.clone()))?;
        if agent.archived_at.is_some() {
            return Ok(None);
        }
        check_at_rest(self.store.as_ref(), agent_id)?;
        let hold = self.holds.hold(subject, HoldPurpose::Archive);
        Ok(Some(ArchivePlan { rig_id: agent.rig_id, agents: vec![agent_id.clone()], is_whole_rig: false, hold }))
    }

    /// Begins to archive a rig with those of its agents that are not archived yet.
    pub fn begin_rig_archive(&mut self, rig_id: &RigId) -> Result<ArchivePlan> {
        let store = Rc::clone(&self.store);
        let subject = Subject::Rig(rig_id.clone());
        if !self.has_rig(rig_id)? {
            return Err(Error::not_found("rig"));
        }
        self.holds.check_stays(&subject)?;
        let mut all = Vec::new();
        for (state, _) in agents::load_states(store.as_ref())? {
            if state.rig_id == *rig_id {
                self.holds.check_stays(&Subject::Agent(state.agent_id.clone()))?;
                check_at_rest(store.as_ref(), &state.agent_id)?;
                all.push(state.agent_id);
            }
        }
        let hold = self.holds.hold(subject, HoldPurpose::Archive);
        Ok(ArchivePlan { rig_id: rig_id.clone(), agents: all, is_whole_rig: true, hold })
    }

    /// The archive ends here, and all is as it was; whether it was under way until now.
    pub fn abandon_archive(&mut self, plan: &ArchivePlan) -> bool {
        self.holds.release(&plan.hold)
    }

    /// Lets agents be registered and started in a rig again; those that were archived with it stay so.
    pub fn bring_rig_back(&mut self, rig_id: &RigId) -> Result<()> {
        if !self.has_rig(rig_id)? {
            return Err(Error::not_found("rig"));
        }
        self.holds.check(&Subject::Rig(rig_id.clone()))?;
        self.store.query("UPDATE rigs SET archived_at_ms = NULL WHERE rig_id = ?", &[rig_id.as_str().into()])?;
        Ok(())
    }

    /// The states of so many archived agents, by id, behind one of them.
    pub fn archived_agents(&self, after: Option<&AgentId>, limit: u64) -> Result<Vec<AgentState>> {
        let store = self.store.as_ref();
        let silent = silence(store)?;
        let page = agents::load_archived_page(store, after, limit)?;
        page.into_iter().map(|(state, is_silent)| presented(store, state, silent.as_ref(), is_silent)).collect()
    }
}

/// The archive of agents whose rig takes nothing new of them. Viewers are told by their states.
#[derive(Debug)]
pub struct ArchiveCompletion<'a> {
    /// The plan of which this is the last step.
    pub plan: &'a ArchivePlan,
}

/// The return of an agent into the lists. The answer is the rig that has to take its posts again, also where it was there already.
#[derive(Debug)]
pub struct BringAgentBack<'a> {
    /// The agent.
    pub agent_id: &'a AgentId,
}

/// The registration of an agent that runs elsewhere. The same agent again, in the same rig, takes over name and role, and comes
/// back where it was archived. The answer is its state.
#[derive(Debug)]
pub struct AgentRegistration<'a> {
    /// The rig that it posts to.
    pub rig_id: &'a RigId,
    /// The agent's id.
    pub agent_id: &'a AgentId,
    /// The agent's name for people.
    pub name: &'a str,
    /// The agent's role.
    pub role: Role,
}

impl Decide for ArchiveCompletion<'_> {
    type Answer = ();

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<()>> {
        let plan = self.plan;
        town.check_lasting(&plan.hold, "the archive was interrupted; ask for it again")?;
        let store = town.store.as_ref();
        atomically(store, || {
            for agent_id in &plan.agents {
                check_at_rest(store, agent_id)?;
            }
            if plan.is_whole_rig {
                let sql = "UPDATE rigs SET archived_at_ms = coalesce(archived_at_ms, ?) WHERE rig_id = ?";
                store.query(sql, &[now.millis().into(), plan.rig_id.as_str().into()])?;
            }
            agents::archive(store, &plan.agents, now)
        })?;
        town.holds.release(&plan.hold);
        for agent_id in &plan.agents {
            town.states.mark(agent_id.clone());
        }
        Ok(Decision::seen((), Outcome::default()))
    }
}

impl Decide for BringAgentBack<'_> {
    type Answer = RigId;

    fn decide(self, town: &mut Town, _now: Timestamp) -> Result<Decision<RigId>> {
        let agent_id = self.agent_id;
        let agent = agents::load(town.store.as_ref(), agent_id)?.ok_or_else(|| Error::not_found("agent"))?;
        town.holds.check(&Subject::Agent(agent_id.clone()))?;
        town.check_rig_takes(&agent.rig_id)?;
        if agent.archived_at.is_some() {
            agents::bring_back(town.store.as_ref(), agent_id)?;
            town.states.mark(agent_id.clone());
        }
        Ok(Decision::seen(agent.rig_id, Outcome::default()))
    }
}

impl Decide for AgentRegistration<'_> {
    type Answer = AgentState;

    fn decide(self, town: &mut Town, _now: Timestamp) -> Result<Decision<AgentState>> {
        let Self { rig_id, agent_id, name, role } = self;
        let store = town.store.as_ref();
        let (state, was_archived) = atomically(store, || {
            let mut agent = town.agent_for(rig_id, agent_id, name, role)?;
            let was_archived = agent.archived_at.is_some();
            if was_archived {
                agents::bring_back(store, agent_id)?;
            }
            for snapshot in [&mut agent.now, agent.base.read()?] {
                name.clone_into(&mut snapshot.state.name);
                snapshot.state.role = role;
            }
            agents::save(store, &agent)?;
            Ok((agent.now.state, was_archived))
        })?;
        if was_archived {
            town.states.mark(agent_id.clone());
        }
        Ok(Decision::seen(state, Outcome::default()))
    }
}

/// 409 for an agent with an open run.
fn check_at_rest(store: &dyn Store, agent_id: &AgentId) -> Result<()> {
    runs::newest_open(store, agent_id)?.map_or(Ok(()), |run| {
        let message = format!("agent {agent_id} has an open run, {}; stop it first, and archive it then", run.run_id);
        Err(Error::new(Code::Conflict, message))
    })
}

//! The end of a posted run from here, because the agent is silent or the operator stops it. The agent's rig has to know
//! of it, too: it refuses posts to that run.

use townwatch_protocol::calls::EndedRuns;
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::event::{AgentExited, Draft, ExitReason};
use townwatch_protocol::id::{AgentId, RigId, RunId};
use townwatch_protocol::time::Timestamp;

use crate::agents::runs::{self, Run, Source};
use crate::agents::{self, Agent};
use crate::decision::{Decide, Decision};
use crate::log::ingest::Outcome;
use crate::store::atomically;
use crate::town::Town;

/// The places where an agent has to be stopped.
#[derive(Debug, PartialEq, Eq)]
pub struct StopPlan {
    /// The rig that it posts to, with its open runs; none where it does not post.
    pub posted: Option<(RigId, Vec<RunId>)>,
    /// Whether the control server is to be told.
    pub in_container: bool,
}

/// Runs of an agent that posts, ended.
#[derive(Debug, PartialEq, Eq)]
pub struct PostedEnd {
    /// The agent's rig.
    pub rig_id: RigId,
    /// Something that the rig has to know.
    pub ends: EndedRuns,
}

/// The operator's stop of what an agent has open and posts. The answer is none where nothing is open.
#[derive(Debug)]
pub struct StopPosted<'a> {
    /// The agent.
    pub agent_id: &'a AgentId,
}

impl Decide for StopPosted<'_> {
    type Answer = Option<PostedEnd>;

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<Self::Answer>> {
        let exit = AgentExited::because(ExitReason::Stopped, "it was stopped by the operator");
        let (ends, outcome) = town.end_posted(std::slice::from_ref(self.agent_id), &exit, now)?;
        Ok(Decision::seen(ends.into_iter().next(), outcome))
    }
}

impl Town {
    /// The places where the agent has to be stopped: those of its open runs, else that of its newest run. An agent
    /// without runs can only be about to post.
    pub fn stop_plan(&self, agent_id: &AgentId) -> Result<StopPlan> {
        let Agent { rig_id, .. } = self.known(agent_id)?;
        let newest = runs::newest_source(self.store.as_ref(), agent_id)?;
        let posted = self.open_posted(&rig_id, agent_id)?;
        let contained = !runs::open_of_agent(self.store.as_ref(), &Source::Container, agent_id)?.is_empty();
        let is_in_container = newest.as_deref() == Some(Source::Container.key().as_str());
        let posts = !posted.is_empty() || !(contained || is_in_container);
        Ok(StopPlan {
            posted: posts.then(|| (rig_id, posted.into_iter().map(|run| run.run_id).collect())),
            in_container: contained || is_in_container,
        })
    }

    /// The agent's rig, if the agent has posted. The rig's notes about an earlier run must not stop the next one.
    pub fn posts_to(&self, agent_id: &AgentId) -> Result<Option<RigId>> {
        let Agent { rig_id, .. } = self.known(agent_id)?;
        let posted = runs::any_of(self.store.as_ref(), &Source::Rig(rig_id.clone()), agent_id)?;
        Ok(posted.then_some(rig_id))
    }

    /// Ends the runs of agents that post and of which nothing was heard for too long.
    pub(crate) fn end_lost(&mut self, now: Timestamp) -> Result<(Vec<PostedEnd>, Outcome)> {
        let due = self.deadlines.lost(now);
        let why = format!("nothing was heard of the agent for {}", in_words(self.config.posted_lost_ms));
        self.end_posted(&due, &AgentExited::because(ExitReason::Lost, &why), now)
    }

    /// Ends what these agents have open and post, in one transaction.
    fn end_posted(
        &mut self,
        agents: &[AgentId],
        exit: &AgentExited,
        now: Timestamp,
    ) -> Result<(Vec<PostedEnd>, Outcome)> {
        if agents.is_empty() {
            return Ok((Vec::new(), Outcome::default()));
        }
        let ended = atomically(self.store.as_ref(), || {
            let (mut all, mut outcome) = (Vec::new(), Outcome::default());
            for agent_id in agents {
                let Agent { rig_id, .. } = self.known(agent_id)?;
                let open = self.open_posted(&rig_id, agent_id)?;
                if open.is_empty() {
                    continue;
                }
                let mut ingest = self.ingest(Source::Rig(rig_id.clone()), None, now)?;
                for run in &open {
                    ingest.take(&Draft::new(agent_id.clone(), run.run_id.clone(), exit.clone(), now))?;
                }
                outcome.add(ingest.finish()?);
                let run_ids = open.into_iter().map(|run| run.run_id).collect();
                let ends = EndedRuns { agent_id: agent_id.clone(), run_ids, reason: exit.reason };
                all.push(PostedEnd { rig_id, ends });
            }
            Ok((all, outcome))
        })?;
        for agent_id in agents {
            self.deadlines.forget(agent_id);
        }
        Ok(ended)
    }

    fn open_posted(&self, rig_id: &RigId, agent_id: &AgentId) -> Result<Vec<Run>> {
        runs::open_of_agent(self.store.as_ref(), &Source::Rig(rig_id.clone()), agent_id)
    }

    fn known(&self, agent_id: &AgentId) -> Result<Agent> {
        agents::load(self.store.as_ref(), agent_id)?.ok_or_else(|| Error::not_found("agent"))
    }
}

/// A time as people say it, in the largest unit that it is whole in.
fn in_words(millis: i64) -> String {
    let seconds = millis / 1_000;
    match seconds {
        _ if seconds % 3_600 == 0 => format!("{} h", seconds / 3_600),
        _ if seconds % 60 == 0 => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

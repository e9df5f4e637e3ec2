//! The run that an event belongs to, which it may begin.

use townwatch_protocol::error::{Code, Result};
use townwatch_protocol::event::Draft;
use townwatch_protocol::id::{AgentId, RunId};

use super::Ingest;
use crate::agents::runs::{self, Run, Source};
use crate::agents::{self, deletion};

/// The most events of old runs that are deleted when a run begins. If an old run has more, the rest is deleted when
/// the next run begins.
const OUTLIVED_EVENTS_MAX: u64 = 64;

impl Ingest<'_> {
    /// Brings an agent back from the archive, because a run of it begins. True also for an agent that is not
    /// archived.
    ///
    /// False where the town has no room for the agent. Then its event is passed over, like those of every agent of a
    /// container beyond the town's room. Only a run that a container began by itself comes to this: a start and a rig
    /// ask for the room before.
    fn bring_back(&mut self, agent_id: &AgentId) -> Result<bool> {
        let store = self.store;
        let Some(agent) = self.agent(agent_id)?.filter(|agent| agent.archived_at.is_some()) else { return Ok(true) };
        match agents::bring_back(store, agent_id) {
            Err(error) if error.code == Code::RateLimited => return Ok(false),
            outcome => outcome?,
        }
        agent.archived_at = None;
        let returned = (agent.rig_id.clone(), agent_id.clone());
        self.outcome.returned.push(returned);
        Ok(true)
    }

    /// The event's run: the run that it names, else the agent's open run, else a new run.
    ///
    /// `None` means that the event is passed over. Its run is one of a deleted agent that had this id; or it begins a
    /// run of an archived agent for which the town has no room.
    pub(super) fn run_of(&mut self, draft: &Draft) -> Result<Option<Run>> {
        let named = match &draft.run_id {
            Some(run_id) => self.known_run(run_id)?,
            None => None,
        };
        // A name that another agent's run has says nothing of this agent's: the event counts as unnamed.
        let is_foreign = named.as_ref().is_some_and(|run| run.agent_id != draft.agent_id);
        let (named, run_id) = match (named, &draft.run_id) {
            (Some(run), _) if !is_foreign => (Some(run), None),
            (None, Some(run_id)) => (None, Some(run_id.clone())),
            _ => (self.open_run_of(&draft.agent_id)?, None),
        };
        let mut run = if let Some(run) = named {
            run
        } else {
            if let Some(run_id) = &run_id
                && self.source == Source::Container
                && deletion::is_erased(self.store, run_id)?
            {
                return Ok(None);
            }
            if !self.bring_back(&draft.agent_id)? {
                return Ok(None);
            }
            self.make_room_for_run(&draft.agent_id)?;
            self.open_runs.remove(&draft.agent_id);
            let run_id = run_id.unwrap_or_else(|| (self.fresh_run)());
            self.outcome.begun.push(run_id.clone());
            let (epoch, first_id) = (self.epoch.as_ref(), self.head.next());
            let run = runs::open(self.store, &run_id, &draft.agent_id, &self.source, epoch, first_id, draft.at)?;
            self.let_old_runs_go(&run)?;
            run
        };
        if let Some(epoch) = &self.epoch
            && run.source_epoch != self.epoch
            && !run.ended
        {
            run.source_epoch.clone_from(&self.epoch);
            runs::found_in(self.store, &run.run_id, epoch)?;
        }
        self.runs.insert(run.run_id.clone(), run.clone());
        Ok(Some(run))
    }

    /// The run of an event that names none: the agent's newest open run; `None` where a new run has to begin.
    ///
    /// In a posted batch the town may end a run itself, for example because a budget is used up. Later events of that
    /// agent in the same batch then belong to the ended run, as late events. Without this rule each of them would
    /// begin a run, which the used-up budget would end at once.
    fn open_run_of(&mut self, agent_id: &AgentId) -> Result<Option<Run>> {
        match (self.newest_open(agent_id)?, self.ended_here.get(agent_id).cloned()) {
            (None, Some(run_id)) if self.is_posted => self.known_run(&run_id),
            (open, _) => Ok(open),
        }
    }

    fn newest_open(&mut self, agent_id: &AgentId) -> Result<Option<Run>> {
        match self.open_runs.get(agent_id) {
            Some(Some(run_id)) => self.known_run(run_id),
            Some(None) => Ok(None),
            None => {
                let open = runs::newest_open(self.store, agent_id)?;
                let run_id = open.as_ref().map(|run| run.run_id.clone());
                self.open_runs.insert(agent_id.clone(), run_id);
                Ok(open)
            }
        }
    }

    /// Deletes runs that the agent has beyond the newest ones, because a run begins. The events of a run are deleted
    /// first, a bounded number at a time.
    fn let_old_runs_go(&mut self, newest: &Run) -> Result<()> {
        let Some((_, agent)) = self.agents.get_mut(&newest.agent_id).and_then(Option::as_mut) else { return Ok(()) };
        let mut events_left = OUTLIVED_EVENTS_MAX;
        for (run_id, last_id) in runs::outlived(self.store, newest)? {
            while events_left > 0 && self.writer.delete_oldest(agent, last_id, self.head.next())? {
                events_left -= 1;
            }
            if events_left == 0 {
                break;
            }
            runs::forget(self.store, &run_id)?;
        }
        Ok(())
    }

    fn known_run(&self, run_id: &RunId) -> Result<Option<Run>> {
        match self.runs.get(run_id) {
            Some(run) => Ok(Some(run.clone())),
            None => runs::load(self.store, run_id),
        }
    }
}

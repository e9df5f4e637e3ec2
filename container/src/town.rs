//! One town on this control server: its epoch, its buffer, and the newest run of each of its agents.
//!
//! Invariants: an agent has at most one open run. A run's last event is its `agent.exited`. Events that are appended to
//! a run after it are dropped here, so that no other place has to check.

mod agent_runs;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agent_runs::AgentRuns;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::Instant;
use townwatch_agents::normalise::pictures::Picture;
use townwatch_agents::normalise::{Piece, Threads};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::{AgentQuestionAnswered, EventData, StopSignal};
use townwatch_protocol::id::{AgentId, Epoch, ImageId, RunId};
use townwatch_protocol::limits::AGENTS_PER_TOWN_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{AnswerAgent, ControlStatus};

use crate::buffer::{Bounds, Buffer};
use crate::command::{self, AgentCommand, CommandSender};
use crate::page::{EventText, Page, PageQuery};
use crate::pictures::Pictures;
use crate::previews::TownPreviews;
use crate::stop::{self, StopCause, StopReceiver, StopRequest};

/// A town.
#[derive(Debug)]
pub struct Town {
    epoch: Epoch,
    held: Mutex<TownState>,
    /// The buffer's head, for requests that wait for an event.
    head: watch::Sender<u64>,
    /// The signal that something was typed, for requests that wait for previews.
    typed: watch::Sender<()>,
    /// The moment of the town's last request.
    asked_at: Mutex<Instant>,
    /// The totals of threads that later runs may continue.
    pub(crate) threads: Threads,
}

/// The time for which a start waits for the end of the run before it, 3 s: less than the 5 s after which a town asks
/// about its start.
const STOP_WAIT: Duration = Duration::from_secs(3);

#[derive(Debug)]
struct TownState {
    buffer: Buffer,
    previews: TownPreviews,
    pictures: Pictures,
    agents: HashMap<AgentId, AgentRuns>,
}

impl Town {
    /// Makes a town that begins a new life here.
    pub fn new(bounds: Bounds, spool_dir: PathBuf) -> Result<Self> {
        let minted = uuid::Uuid::now_v7().to_string();
        let epoch = Epoch::parse(&minted).ok_or_else(|| Error::internal("a UUID is no epoch"))?;
        let buffer = Buffer::new(bounds, spool_dir);
        let (previews, pictures, agents) = (TownPreviews::default(), Pictures::default(), HashMap::new());
        let held = Mutex::new(TownState { buffer, previews, pictures, agents });
        Ok(Self {
            epoch,
            held,
            head: watch::Sender::new(0),
            typed: watch::Sender::new(()),
            asked_at: Mutex::new(Instant::now()),
            threads: Threads::default(),
        })
    }

    /// The life of the town's buffers.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// Whether a run was opened before.
    pub(crate) fn has_begun(&self, agent_id: &AgentId, run_id: &RunId) -> bool {
        self.held().agents.get(agent_id).is_some_and(|runs| runs.run_ids.contains(run_id))
    }

    /// Opens a run that has to be executed now, and gives the receiver of orders to stop it; `None` for a run that was
    /// opened before.
    ///
    /// # Errors
    ///
    /// `already_running` where another run of the agent is open, `rate_limited` where the town has as many agents as it
    /// may.
    pub(crate) fn begin(&self, agent_id: &AgentId, run_id: &RunId) -> Result<Option<StopReceiver>> {
        let mut held = self.held();
        let agents = held.agents.len() as u64;
        let (stop, receiver) = stop::channel();
        if let Some(runs) = held.agents.get_mut(agent_id) {
            if runs.run_ids.contains(run_id) {
                return Ok(None);
            }
            if runs.exit.is_none() {
                let open = runs.newest().map_or("", RunId::as_str);
                let message = format!("agent {agent_id} has an open run ({open}); stop it first");
                return Err(Error::new(Code::AlreadyRunning, message));
            }
            runs.begin_next(run_id.clone(), stop);
        } else {
            if agents >= AGENTS_PER_TOWN_MAX {
                let message = format!("this town has {AGENTS_PER_TOWN_MAX} agents here already");
                return Err(Error::new(Code::RateLimited, message));
            }
            held.agents.insert(agent_id.clone(), AgentRuns::begin(run_id.clone(), stop));
        }
        Ok(Some(receiver))
    }

    /// Waits for the end of an agent's open run, if that was told to end, but at most [`STOP_WAIT`]. So a person who
    /// deletes an agent and starts it anew at once need not try again. A start after a run that takes longer is
    /// refused.
    pub async fn stop_is_over(&self, agent_id: &AgentId) {
        let mut changes = self.head.subscribe();
        let is_stopping = || {
            let held = self.held();
            held.agents.get(agent_id).is_some_and(|runs| runs.exit.is_none() && runs.stop.is_ordered())
        };
        let end = async { while is_stopping() && changes.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(STOP_WAIT, end).await;
    }

    /// Orders an agent's open run to end, if it is the named one. An agent without an open run counts as stopped. A run
    /// that never began here is `not_found`, because its start may be under way.
    pub fn stop(&self, agent_id: &AgentId, run_id: Option<&RunId>, signal: StopSignal) -> Result<()> {
        if let Some(run_id) = run_id
            && !self.has_begun(agent_id, run_id)
        {
            return Err(Error::not_found("run"));
        }
        if let Some(runs) = self.held().agents.get(agent_id)
            && run_id.is_none_or(|run_id| runs.newest() == Some(run_id))
        {
            runs.stop.order(StopRequest { signal, cause: StopCause::Asked });
        }
        Ok(())
    }

    /// Orders every open run to end; gives their number.
    pub fn stop_all(&self, signal: StopSignal) -> usize {
        let held = self.held();
        let open: Vec<_> = held.agents.values().filter(|runs| runs.exit.is_none()).collect();
        for runs in &open {
            runs.stop.order(StopRequest { signal, cause: StopCause::Asked });
        }
        open.len()
    }

    /// Notes a request of the town, of any kind.
    pub(crate) fn asked(&self) {
        *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Orders open runs to end if the town has sent no request for the time of the lease; gives those that had no order
    /// before.
    pub(crate) fn end_unasked(&self, lease: Duration) -> Vec<RunId> {
        let asked_at = *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        if asked_at.elapsed() < lease {
            return Vec::new();
        }
        let held = self.held();
        let runs = held.agents.values().filter(|runs| runs.exit.is_none() && !runs.stop.is_ordered());
        let end = |runs: &AgentRuns| {
            runs.stop.order(StopRequest { signal: StopSignal::Term, cause: StopCause::LeaseOver(lease) });
            runs.newest().cloned()
        };
        runs.filter_map(end).collect()
    }

    /// Notes that a run takes commands.
    pub(crate) fn take_commands(&self, agent_id: &AgentId, run_id: &RunId, commands: CommandSender) {
        if let Some(runs) = self.held().agents.get_mut(agent_id).filter(|runs| runs.newest() == Some(run_id)) {
            runs.commands = Some(commands);
        }
    }

    /// Sends a command to an agent, and waits for its outcome. `refusal` is the message for an agent that takes none.
    ///
    /// # Errors
    /// `not_found`: there is no such agent. `not_supported_by_runtime`: the agent takes no commands. Otherwise the
    /// errors of [`CommandSender::send`].
    pub async fn command(&self, agent_id: &AgentId, command: AgentCommand, refusal: &str) -> Result<()> {
        let commands = match self.held().agents.get(agent_id) {
            None => return Err(Error::not_found("agent")),
            Some(AgentRuns { commands: None, .. }) => return Err(Error::new(Code::NotSupportedByRuntime, refusal)),
            Some(AgentRuns { exit: Some(_), .. }) => return Err(command::ended()),
            Some(AgentRuns { commands: Some(commands), .. }) => commands.clone(),
        };
        commands.send(command).await
    }

    /// Answers a question of an agent. A person who comes too late is told who was first, and with which answer.
    pub async fn answer(&self, agent_id: &AgentId, answer: AnswerAgent, by: String) -> Result<()> {
        let request_id = answer.request_id.clone();
        let became = self.command(agent_id, AgentCommand::Answer { answer, by }, "this agent asks no questions").await;
        became.map_err(|error| match error.code {
            Code::Conflict => self.answered(agent_id, &request_id).unwrap_or(error),
            _ => error,
        })
    }

    fn answered(&self, agent_id: &AgentId, request_id: &str) -> Option<Error> {
        let held = self.held();
        let mut answered = held.agents.get(agent_id)?.answered.iter();
        let AgentQuestionAnswered { answer, by, .. } = answered.find(|answered| answered.request_id == request_id)?;
        Some(Error::answered(request_id, *answer, by))
    }

    /// The number of open runs.
    pub fn open_runs(&self) -> usize {
        self.held().agents.values().filter(|runs| runs.exit.is_none()).count()
    }

    /// The status of an agent's newest run.
    pub fn status(&self, agent_id: &AgentId) -> Option<ControlStatus> {
        let held = self.held();
        let runs = held.agents.get(agent_id)?;
        let (run_id, exit) = (runs.newest()?.clone(), runs.exit.clone());
        Some(ControlStatus {
            agent_id: agent_id.clone(),
            run_id,
            epoch: Some(self.epoch.clone()),
            status: runs.status,
            result: runs.outcome.view(),
            exit,
        })
    }

    /// Notes that the town has stored everything up to this id.
    pub fn acknowledge(&self, id: u64) {
        self.held().buffer.acknowledge(id);
    }

    /// Reads the events of one agent or of all.
    pub fn read(&self, agent_id: Option<&AgentId>, range: PageQuery) -> Page {
        Page::of(&self.held().buffer, agent_id, range)
    }

    /// Reads the events of all agents and, if `previews` is set, the previews. If there are none, it waits for some, at
    /// most `wait`.
    pub async fn wait(&self, range: PageQuery, previews: bool, wait: Duration) -> Page {
        // Subscribed before the first read, so that no event between the two is missed.
        let (mut head, mut typed) = (self.head.subscribe(), self.typed.subscribe());
        let deadline = Instant::now() + wait;
        loop {
            let (page, due) = self.look(range, previews, Instant::now());
            if !page.is_empty() || Instant::now() >= deadline {
                return page;
            }
            tokio::select! {
                _ = head.changed() => {}
                _ = typed.changed(), if previews && due.is_none() => {}
                () = tokio::time::sleep_until(due.map_or(deadline, |due| due.min(deadline))) => {}
            }
        }
    }

    /// Reads the present page, and the moment from which further previews are due.
    fn look(&self, range: PageQuery, previews: bool, now: Instant) -> (Page, Option<Instant>) {
        let mut held = self.held();
        let mut page = Page::of(&held.buffer, None, range);
        if !previews || held.buffer.has_more(range.after, page.texts.len()) {
            return (page, None); // what was typed comes after what happened
        }
        page.previews = held.previews.take(now);
        (page, held.previews.due(now))
    }

    /// Takes a piece of a message that a run is typing.
    pub(crate) fn type_on(&self, agent_id: &AgentId, run_id: &RunId, piece: Piece) {
        let mut held = self.held();
        let open = |runs: &AgentRuns| runs.newest() == Some(run_id) && runs.exit.is_none();
        if held.agents.get(agent_id).is_some_and(open) {
            held.previews.add(agent_id, run_id, piece);
            drop(held);
            self.typed.send_replace(());
        }
    }

    /// Keeps a picture that the run's next events name.
    pub(crate) fn keep(&self, agent_id: &AgentId, run_id: &RunId, picture: Picture) {
        self.held().pictures.keep(agent_id, run_id, picture);
    }

    /// Gives a picture of an agent, if it is still here.
    pub fn picture(&self, agent_id: &AgentId, image_id: &ImageId) -> Option<Arc<Picture>> {
        self.held().pictures.fetch(agent_id, image_id.as_str())
    }

    /// Takes events of a run with the texts of their data. Gives the id of the last one, if the run was still open.
    pub(crate) fn append(
        &self,
        agent_id: &AgentId,
        run_id: &RunId,
        events: Vec<(Box<RawValue>, EventData)>,
        at: Timestamp,
    ) -> Option<u64> {
        let mut held = self.held();
        let TownState { buffer, previews, agents, .. } = &mut *held;
        let runs = agents.get_mut(agent_id).filter(|runs| runs.newest() == Some(run_id))?;
        let mut last_id = None;
        for (data, event) in events {
            if runs.exit.is_some() {
                break;
            }
            let text = |id| {
                let (event, data) = (event.name(), &*data);
                let text = EventText { id, agent_id, run_id, event, data, timestamp: at };
                serde_json::to_string(&text).unwrap_or_default()
            };
            last_id = Some(buffer.push(agent_id, text));
            previews.end(agent_id, &event);
            runs.outcome.take(&event, &data);
            runs.take(event);
        }
        let newest = buffer.head();
        drop(held);
        self.head.send_replace(newest);
        last_id
    }

    /// Removes the events of a run that ended a while ago. The events of a newer run of the agent have later ids, and
    /// stay.
    pub(crate) fn expire(&self, agent_id: &AgentId, run_id: &RunId, last_event_id: u64) {
        let mut held = self.held();
        held.buffer.expire(agent_id, last_event_id);
        held.pictures.expire(agent_id, run_id);
        if held.agents.get(agent_id).is_some_and(|runs| runs.newest() == Some(run_id)) {
            held.agents.remove(agent_id);
        }
    }

    fn held(&self) -> MutexGuard<'_, TownState> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

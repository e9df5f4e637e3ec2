//! Takes drafts into the log: finds each one's run, gives it its id, stores it and moves its agent's state. Everything
//! here happens inside one transaction that the caller opened. What it came to is in its [`Outcome`], and in the tables.

mod open_runs;
mod run_of_event;
mod spending;

use std::collections::BTreeMap;

pub(crate) use self::spending::BudgetScope;
use crate::agents::budgets::{self, DayMeter, Spent};
use crate::agents::runs::{self, Run, Source};
use crate::agents::{self, Agent};
use crate::log::recent::RecentEvents;
use crate::log::writer::LogWriter;
use crate::log::{images, space};
use crate::store::Store;
use crate::town::Town;
use crate::{git_url, log};
use townwatch_protocol::error::Result;
use townwatch_protocol::event::{AgentSession, Draft, EventData, EventKind, ExitReason};
use townwatch_protocol::id::{AgentId, Epoch, EventId, RigId, RunId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::AgentState;

/// A source of names for runs that no one named.
pub type RunIdSource = dyn Fn() -> RunId;

/// The result of a transaction of events.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Events stored.
    pub stored: u64,
    /// Events that were not: their run had ended, or their agent is not of this town.
    pub dropped: u64,
    /// The newest event that was pruned: who has not had it yet misses it.
    pub pruned_id: EventId,
    /// Whether an event named a picture that is to be fetched.
    pub wants_images: bool,
    /// Whether runs were stopped, by a budget or as one too many, which somebody has to be told.
    pub orders_stops: bool,
    /// States before and after, of the agents that were touched.
    pub states: Vec<(AgentState, AgentState)>,
    /// Agents that counted as silent and are heard of again.
    pub roused: Vec<AgentId>,
    /// Agents that were archived and are back, since a run of theirs began, each with the rig that has to take its posts
    /// again.
    pub returned: Vec<(RigId, AgentId)>,
    /// Runs that began, and runs that ended with why.
    pub begun: Vec<RunId>,
    /// See `begun`.
    pub ended: Vec<(RunId, ExitReason)>,
    /// The log's head after the transaction; `None` where nothing was taken.
    pub(crate) head: Option<EventId>,
    /// The stored events; `None` where nobody watched.
    pub(crate) recent: Option<RecentEvents>,
}

impl Outcome {
    /// Takes what another transaction came to, which was part of this one.
    pub(crate) fn add(&mut self, other: Self) {
        let Self {
            stored,
            dropped,
            pruned_id,
            wants_images,
            orders_stops,
            states,
            roused,
            returned,
            begun,
            ended,
            head,
            recent,
        } = other;
        self.stored += stored;
        self.dropped += dropped;
        self.pruned_id = self.pruned_id.max(pruned_id);
        self.wants_images |= wants_images;
        self.orders_stops |= orders_stops;
        self.states.extend(states);
        self.roused.extend(roused);
        self.returned.extend(returned);
        self.begun.extend(begun);
        self.ended.extend(ended);
        self.head = self.head.max(head);
        RecentEvents::join(&mut self.recent, recent);
    }

    /// Whether there is anything to count or to report.
    pub(crate) fn has_news(&self) -> bool {
        self.stored + self.dropped > 0 || self.orders_stops || self.pruned_id > EventId::START
    }
}

/// One transaction of events from one source.
pub(crate) struct Ingest<'a> {
    store: &'a dyn Store,
    writer: LogWriter<'a>,
    source: Source,
    epoch: Option<Epoch>,
    fresh_run: &'a RunIdSource,
    /// The time of the transaction.
    now: Timestamp,
    /// Whether agents have posted it.
    is_posted: bool,
    head: EventId,
    agents: BTreeMap<AgentId, Option<(AgentState, Agent)>>,
    runs: BTreeMap<RunId, Run>,
    /// The newest open run of agents, as far as it was looked for since one of theirs began or ended.
    open_runs: BTreeMap<AgentId, Option<RunId>>,
    /// The town's budget, once something was spent.
    town_budget: Option<DayMeter>,
    late: BTreeMap<RunId, u64>,
    /// The newest run of each agent that the town itself has ended while it took this batch.
    ended_here: BTreeMap<AgentId, RunId>,
    outcome: Outcome,
}

impl Town {
    /// Begins a transaction's worth of events from a source, at this moment.
    pub(crate) fn ingest(&self, source: Source, epoch: Option<Epoch>, now: Timestamp) -> Result<Ingest<'_>> {
        Ok(self.ingest_behind(log::head(self.store.as_ref())?, source, epoch, now))
    }

    /// [`Town::ingest`] for a caller that has read the log's head within the transaction. `epoch` is the life of the
    /// source's buffers that the events come from.
    pub(crate) fn ingest_behind(
        &self,
        head: EventId,
        source: Source,
        epoch: Option<Epoch>,
        now: Timestamp,
    ) -> Ingest<'_> {
        let store = self.store.as_ref();
        let mut writer = LogWriter::new(store, self.config.event_cap);
        writer.recent = self.is_watched().then(|| RecentEvents::new(head));
        Ingest {
            store,
            writer,
            source,
            epoch,
            fresh_run: self.fresh_run.as_ref(),
            now,
            is_posted: false,
            head,
            agents: BTreeMap::new(),
            runs: BTreeMap::new(),
            open_runs: BTreeMap::new(),
            town_budget: None,
            late: BTreeMap::new(),
            ended_here: BTreeMap::new(),
            outcome: Outcome::default(),
        }
    }
}

impl Ingest<'_> {
    /// Marks the events as posts of agents, which count as signs of life.
    #[must_use]
    pub(crate) fn posted(mut self) -> Self {
        self.is_posted = true;
        self
    }

    /// Lets go of what the tables have no room for, before a batch that a source brings. Only where no agent was loaded yet.
    pub(crate) fn with_space(mut self) -> Result<Self> {
        self.outcome.pruned_id = space::make(self.store, &mut self.writer, self.head)?;
        Ok(self)
    }

    /// Says of which agents the next events are, so that what they replace is read ahead.
    pub(crate) fn expect<'e>(&mut self, agents: impl Iterator<Item = &'e AgentId>) {
        self.writer.expect(agents);
    }

    /// Takes one event. One of an unknown agent, or of a run that has ended or went with its agent, is counted and dropped.
    pub(crate) fn take(&mut self, draft: &Draft) -> Result<()> {
        if self.agent(&draft.agent_id)?.is_none() {
            self.outcome.dropped += 1;
            return Ok(());
        }
        let begun = self.outcome.begun.len();
        let Some(run) = self.run_of(draft)? else {
            self.outcome.dropped += 1;
            return Ok(());
        };
        if run.ended {
            *self.late.entry(run.run_id).or_default() += 1;
            self.outcome.dropped += 1;
            return Ok(());
        }
        if self.outcome.begun.len() > begun
            && !draft.event.is(EventKind::Session)
            && let Some(session) = self.known_session(draft, &run)?
        {
            self.append(&run, &session)?;
        }
        let is_end = draft.event.is(EventKind::Exited);
        let end = if is_end { self.end_by_budget(&run, draft)? } else { None };
        let draft = end.as_ref().unwrap_or(draft);
        self.append(&run, draft)?;
        if is_end
            && let EventData::Exited(exit) = EventData::read(&draft.event, &draft.data)
            && let Some((_, agent)) = self.agents.get(&draft.agent_id).and_then(Option::as_ref)
        {
            runs::close(self.store, &run, &exit, self.head, draft.at, &agent.now.state)?;
            self.outcome.ended.push((run.run_id.clone(), exit.reason));
            self.open_runs.remove(&draft.agent_id);
            if let Some(run) = self.runs.get_mut(&run.run_id) {
                run.ended = true;
            }
        }
        Ok(())
    }

    fn append(&mut self, run: &Run, draft: &Draft) -> Result<()> {
        let Some((_, agent)) = self.agents.get_mut(&draft.agent_id).and_then(Option::as_mut) else { return Ok(()) };
        let id = self.head.next();
        let spent = draft.event.is(EventKind::Usage).then(|| Spent::by(&agent.now.state, &run.run_id));
        self.writer.append(id, agent, run, draft)?;
        self.outcome.wants_images |= images::note(self.store, id, agent.pruned_id, draft, &self.source)?;
        self.head = id;
        self.outcome.stored += 1;
        if self.is_posted {
            agent.heard_at = self.now;
        }
        // The end of another run, which the town tells itself, says nothing of an agent that is silent in its present one.
        let is_of_present_run = agent.now.state.run_id.as_ref() == Some(&run.run_id);
        if (self.is_posted || is_of_present_run) && std::mem::take(&mut agent.is_silent) {
            self.outcome.roused.push(draft.agent_id.clone());
        }
        spent.map_or(Ok(()), |before| self.spend(run, before))
    }

    /// The town's own facts about a run that an agent posts and does not introduce: the repository of its rig. `None`
    /// where the town has no facts.
    fn known_session(&self, draft: &Draft, run: &Run) -> Result<Option<Draft>> {
        let Source::Rig(rig_id) = &self.source else { return Ok(None) };
        let rows = self.store.query("SELECT git_url FROM rigs WHERE rig_id = ?", &[rig_id.as_str().into()])?;
        let Some(git_url) = rows.first().and_then(|row| row.maybe_text(0)) else { return Ok(None) };
        let session = AgentSession { git_origin: Some(git_url::shown(git_url)), ..AgentSession::default() };
        Ok(Some(Draft::new(draft.agent_id.clone(), run.run_id.clone(), session, draft.at)))
    }

    /// Takes an event that the town itself says of a run: unlike the source's own it does not tell where the run is.
    pub(crate) fn take_own_word(&mut self, draft: &Draft) -> Result<()> {
        let epoch = self.epoch.take();
        let taken = self.take(draft);
        self.epoch = epoch;
        if draft.event.is(EventKind::Exited)
            && let Some(run_id) = &draft.run_id
        {
            self.ended_here.insert(draft.agent_id.clone(), run_id.clone());
        }
        taken
    }

    /// An agent whose row the caller has changed or made.
    pub(crate) fn put_agent(&mut self, before: AgentState, agent: Agent) {
        self.agents.insert(agent.id().clone(), Some((before, agent)));
    }

    /// Prunes, writes the agents back and says what came of it all.
    pub(crate) fn finish(mut self) -> Result<Outcome> {
        self.writer.flush()?;
        for (before, mut agent) in self.agents.into_values().flatten() {
            self.writer.prune(&mut agent, self.head)?;
            agents::save(self.store, &agent)?;
            self.outcome.pruned_id = self.outcome.pruned_id.max(agent.pruned_id);
            self.outcome.states.push((before, agent.now.state));
        }
        if let Some(budget) = &self.town_budget {
            budgets::save_of_town(self.store, budget)?;
        }
        for (run_id, count) in self.late {
            runs::dropped(self.store, &run_id, count)?;
        }
        self.outcome.head = Some(self.head);
        self.outcome.recent = self.writer.recent;
        Ok(self.outcome)
    }

    fn agent(&mut self, agent_id: &AgentId) -> Result<Option<&mut Agent>> {
        if !self.agents.contains_key(agent_id) {
            let loaded = agents::load(self.store, agent_id)?;
            self.agents.insert(agent_id.clone(), loaded.map(|agent| (agent.now.state.clone(), agent)));
        }
        Ok(self.agents.get_mut(agent_id).and_then(Option::as_mut).map(|(_, agent)| agent))
    }
}

//! A town: its tables, and the streams that are open at present. Everything that the town knows is in the tables.
//! Another instance that opens the town on the same tables continues from there.

use std::collections::BTreeSet;
use std::rc::Rc;

use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::event::Role;
use townwatch_protocol::id::{AgentId, Epoch, RigId, RunId, TownId};
use townwatch_protocol::limits::{BUCKET_EVENTS_MAX, EVENTS_PER_AGENT_MAX, NAME_CHARS_MAX};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{Activity, ActivityKind, AgentState, ContainerView, SettingsView, TownView};

use crate::account::ended_sessions::EndedSessions;
use crate::agents::budgets;
use crate::agents::deletion;
use crate::agents::holds::{Holds, Subject};
use crate::agents::posted_end::PostedEnd;
use crate::agents::posted_silence::{self, Deadlines};
use crate::agents::runs::{self, moment};
use crate::agents::{self, Agent, parse};
use crate::decision::{Decide, Decision};
use crate::input::RigNotice;
use crate::log;
use crate::log::ingest::RunIdSource;
use crate::log::previews::Previews;
use crate::log::reducer::Snapshot;
use crate::log::states::StateFrames;
use crate::reading::resumption::Seats;
use crate::relay::silence::{Silence, silence};
use crate::schema;
use crate::store::Store;
use crate::viewers::frames::{Occasion, Pace};
use crate::viewers::state_list::StateTexts;
use crate::viewers::{Effect, Viewers};

/// The settings that a town's decisions depend on.
#[derive(Debug, Clone, Copy)]
pub struct TownConfig {
    /// Events kept per agent.
    pub event_cap: u64,
    /// The time between two requests of the relay while a run is open and there is no reader.
    pub drain_interval_ms: i64,
    /// The silence after which a posted run is lost.
    pub posted_lost_ms: i64,
    /// The life of a ticket.
    pub ticket_ttl_ms: i64,
    /// The pace of streams.
    pub pace: Pace,
    /// The settings that viewers get.
    pub settings: SettingsView,
}

impl Default for TownConfig {
    fn default() -> Self {
        let pace = Pace { frame_interval_ms: 20, window_events: 1_000, bucket_events: BUCKET_EVENTS_MAX };
        let settings = SettingsView {
            stream_enabled: true,
            stream_rate_limit: 50,
            stream_batch_ms: 100,
            stream_window_events: pace.window_events,
            event_cap: EVENTS_PER_AGENT_MAX,
            ticket_ttl_seconds: 60,
        };
        Self {
            event_cap: settings.event_cap,
            drain_interval_ms: 15_000,
            posted_lost_ms: 86_400_000,
            ticket_ttl_ms: 60_000,
            pace,
            settings,
        }
    }
}

/// A town that exists.
pub struct Town {
    pub(crate) store: Rc<dyn Store>,
    pub(crate) config: TownConfig,
    pub(crate) viewers: Viewers,
    pub(crate) states: StateFrames,
    pub(crate) previews: Previews,
    pub(crate) deadlines: Deadlines,
    pub(crate) seats: Seats,
    pub(crate) ended: EndedSessions,
    pub(crate) holds: Holds,
    pub(crate) fresh_run: Rc<RunIdSource>,
    /// The effects that the edge has not taken yet.
    pub(crate) effects: Vec<Effect>,
    /// The town's id.
    pub town_id: TownId,
    /// The life of the town's log.
    pub epoch: Epoch,
}

impl Town {
    /// Makes the tables of a new town. A second creation of the same town changes nothing.
    pub fn create(store: &dyn Store, town_id: &TownId, name: &str, epoch: &Epoch, now: Timestamp) -> Result<()> {
        schema::migrate(store, schema::TOWN)?;
        store.query(
            "INSERT OR IGNORE INTO town (one, town_id, name, epoch, created_at_ms) VALUES (1, ?, ?, ?, ?)",
            &[town_id.as_str().into(), name.into(), epoch.as_str().into(), now.millis().into()],
        )?;
        Ok(())
    }

    /// Opens the town in the tables. Without a town it gives `None`, and writes nothing. `fresh_run` makes ids for runs
    /// that have none.
    pub fn open(store: Rc<dyn Store>, config: TownConfig, fresh_run: Rc<RunIdSource>) -> Result<Option<Self>> {
        if !schema::open(store.as_ref(), schema::TOWN)? {
            return Ok(None);
        }
        let rows = store.query("SELECT town_id, epoch, erased_head FROM town", &[])?;
        let Some(row) = rows.first() else { return Ok(None) };
        store.known_head().newest.set(None);
        store.known_head().erased.set(agents::position(row, 2)?);
        Ok(Some(Self {
            town_id: parse(TownId::parse(row.text(0)?))?,
            epoch: parse(Epoch::parse(row.text(1)?))?,
            config,
            viewers: Viewers::new(config.pace),
            states: StateFrames::default(),
            previews: Previews::default(),
            deadlines: Deadlines::load(store.as_ref(), config.posted_lost_ms)?,
            seats: Seats::default(),
            ended: EndedSessions::default(),
            holds: Holds::default(),
            fresh_run,
            effects: Vec::new(),
            store,
        }))
    }

    /// Reads the whole town, for its page.
    ///
    /// # Errors
    /// `not_found`: the tables have no town. Otherwise they cannot be read.
    pub fn view(&self, container: ContainerView) -> Result<TownView> {
        let rows = self.store.query("SELECT name, created_at_ms FROM town", &[])?;
        let row = rows.first().ok_or_else(|| Error::not_found("town"))?;
        Ok(TownView {
            town_id: self.town_id.clone(),
            name: row.text(0)?.to_owned(),
            created_at: moment(row, 1)?,
            epoch: self.epoch.clone(),
            head: log::head(self.store.as_ref())?,
            oldest_id: log::oldest(self.store.as_ref())?,
            rigs: self.rigs()?,
            agents: self.agents()?,
            archived_agents: agents::count_archived(self.store.as_ref())?,
            day_budget: budgets::of_town(self.store.as_ref())?.view(),
            container,
        })
    }

    /// Gives the town another name.
    pub fn rename(&self, name: &str) -> Result<()> {
        self.store.query("UPDATE town SET name = ?", &[name.into()])?;
        Ok(())
    }

    /// Gives the agent with this id in this rig, or a new one. An agent that is not in the lists yet, because it is new
    /// or archived, needs room there.
    ///
    /// # Errors
    /// `conflict`: the agent is one of another rig, the rig is archived, or one of both is held. `not_found`: there is
    /// no such rig. `rate_limited`: the lists have no room. Otherwise the tables cannot be read.
    pub(crate) fn agent_for(&self, rig_id: &RigId, agent_id: &AgentId, name: &str, role: Role) -> Result<Agent> {
        self.check_rig_takes(rig_id)?;
        self.holds.check(&Subject::Agent(agent_id.clone()))?;
        let store = self.store.as_ref();
        match agents::load(store, agent_id)? {
            Some(agent) if agent.rig_id == *rig_id => {
                if agent.archived_at.is_some() {
                    agents::check_room(store)?;
                }
                Ok(agent)
            }
            Some(_) => {
                let message =
                    format!("agent_id: {agent_id} is taken by an agent of another rig of this town; choose another");
                Err(Error::new(Code::Conflict, message))
            }
            None => {
                agents::check_room(store)?;
                Ok(Agent::new(Snapshot::new(agent_id.clone(), rig_id.clone(), name, role)))
            }
        }
    }

    /// Admits agents from the container's events that were not started from here, each with the run that it names. They
    /// come into the town's oldest rig that takes agents. Agents beyond the town's room are passed over, and so are the
    /// remains of deleted ones. False where the town has no such rig.
    pub fn admit<'a>(&self, told: impl Iterator<Item = (&'a AgentId, Option<&'a RunId>)>) -> Result<bool> {
        let Some(rig) = self.rigs()?.into_iter().find(|rig| self.check_rig_takes(&rig.rig_id).is_ok()) else {
            return Ok(false);
        };
        let told: BTreeSet<(&AgentId, Option<&RunId>)> = told.collect();
        for (agent_id, run_id) in told {
            let store = self.store.as_ref();
            if agents::load(store, agent_id)?.is_some() || deletion::is_left_over(store, agent_id, run_id)? {
                continue;
            }
            match self.agent_for(&rig.rig_id, agent_id, agent_id.as_str(), Role::Polecat) {
                Ok(agent) => agents::save(self.store.as_ref(), &agent)?,
                Err(error) if error.code == Code::RateLimited => break,
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Reads the states of all agents except archived ones, by id.
    pub fn agents(&self) -> Result<Vec<AgentState>> {
        let silent = silence(self.store.as_ref())?;
        let store = self.store.as_ref();
        let all = agents::load_states(store)?;
        all.into_iter().map(|(state, is_silent)| presented(store, state, silent.as_ref(), is_silent)).collect()
    }

    /// Reads the state of one agent; `None` where there is no such agent.
    pub fn agent(&self, agent_id: &AgentId) -> Result<Option<AgentState>> {
        let silent = silence(self.store.as_ref())?;
        let store = self.store.as_ref();
        let presented = |agent: Agent| {
            let is_silent = agent.is_silent;
            presented(store, agent.shown(), silent.as_ref(), is_silent)
        };
        agents::load(store, agent_id)?.map(presented).transpose()
    }

    /// Reads the state of one agent.
    ///
    /// # Errors
    /// `not_found`: there is no such agent. Otherwise the tables cannot be read.
    pub fn require_agent(&self, agent_id: &AgentId) -> Result<AgentState> {
        self.agent(agent_id)?.ok_or_else(|| Error::not_found("agent"))
    }

    /// Sends every viewer the frames that it may have by now.
    pub(crate) fn pump(&mut self, occasion: Occasion, effects: &mut Vec<Effect>) -> Result<()> {
        self.viewers.pump(self.store.as_ref(), &self.states, occasion, effects)
    }

    pub(crate) fn send_states(&mut self, now: Timestamp, effects: &mut Vec<Effect>) -> Result<()> {
        let mut texts = StateTexts::new(self.store.as_ref());
        for (agent_id, number) in self.states.take_due(now) {
            self.viewers.show_state(&agent_id, number, &mut texts, now, effects)?;
        }
        Ok(())
    }

    /// Marks all states of open container runs as changed: the container fell silent or answers again.
    pub(crate) fn silence_changed(&mut self) -> Result<()> {
        for run in runs::open_of(self.store.as_ref(), &runs::Source::Container)? {
            self.states.mark(run.agent_id);
        }
        Ok(())
    }

    /// The time at which something becomes due without an input: a changed state, a viewer that waits, the silence or
    /// loss of an agent that posts.
    pub fn due_at(&self, now: Timestamp) -> Option<Timestamp> {
        [self.states.due_at(), self.viewers.due_at(now), self.deadlines.next()].into_iter().flatten().min()
    }

    /// The settings with which the town was opened.
    pub fn config(&self) -> TownConfig {
        self.config
    }

    /// The number of open streams.
    pub fn viewer_count(&self) -> usize {
        self.viewers.len()
    }

    /// Whether a stream is open.
    pub fn is_watched(&self) -> bool {
        !self.viewers.is_empty()
    }
}

/// The passing of time: everything that has become due by now happens. [`Town::due_at`] gives the next such time.
#[derive(Debug, Clone, Copy)]
pub struct Tick;

impl Decide for Tick {
    type Answer = ();

    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<()>> {
        // The ends come last. After them nothing may fail, because their result would then be shown to nobody.
        let ended = town.deadlines.note_silent(town.store.as_ref(), now).and_then(|silent| {
            for agent_id in silent {
                town.states.mark(agent_id);
            }
            town.end_lost(now)
        });
        match ended {
            Ok((ends, outcome)) => {
                let notices = ends.into_iter().map(|PostedEnd { rig_id, ends }| (rig_id, RigNotice::Ended(ends)));
                Ok(Decision::seen((), outcome).with_notices(notices.collect()))
            }
            // Viewers that had to wait are due even so.
            Err(error) => {
                town.show(|town, effects| {
                    town.pump(Occasion::at(now), effects)?;
                    town.send_states(now, effects)
                });
                Err(error)
            }
        }
    }
}

/// A state as viewers see it. While the container does not answer, an open run in it is `silent`. A posting agent is
/// `silent` if nothing has come from it for long.
pub(crate) fn presented(
    store: &dyn Store,
    mut state: AgentState,
    silent: Option<&Silence>,
    is_silent_itself: bool,
) -> Result<AgentState> {
    if is_silent_itself {
        posted_silence::present(&mut state);
    }
    if let (Some(silence), Some(run_id), None) = (silent, &state.run_id, &state.exit) {
        let sql = "SELECT 1 FROM runs WHERE run_id = ? AND source = 'container' AND exit IS NULL";
        if !store.query(sql, &[run_id.as_str().into()])?.is_empty() {
            let (detail, since) = (Some(silence.words()), silence.since);
            state.activity = Some(Activity { kind: ActivityKind::Silent, detail, since });
        }
    }
    Ok(state)
}

/// Checks a name for people: 1 to [`NAME_CHARS_MAX`] characters, not only spaces, and no control characters.
pub fn check_name(field: &str, name: &str) -> Result<()> {
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(Error::invalid(
            field,
            format!("expected 1 to {NAME_CHARS_MAX} characters, without control characters"),
        ));
    }
    Ok(())
}

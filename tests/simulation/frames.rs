//! The rules of each kind of frame, all in this place: what must be true of it when it is sent, held against the town's
//! tables, and what must be true of it for the viewer that reads it.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;
use townwatch_protocol::id::AgentId;
use townwatch_protocol::wire::{AgentSelection, Filters, Gap, GapReason, PressureLevel, ServerFrame, TownEvent};
use townwatch_town::store::Store;

use super::oracle::Oracle;
use super::viewer::{Missing, SimViewer, Watch};
use crate::sqlite::Sqlite;

/// A frame that a viewer is sent.
#[derive(Debug)]
pub struct Frame {
    /// Agents' states as they were sent.
    told: ServerFrame<Value>,
    text: Rc<str>,
    /// The events of an `events` frame, and each as it was sent.
    events: Vec<(TownEvent, String)>,
}

/// Event names that a filter can hide, each by its switch.
pub const SWITCHES: [(&str, &str); 5] = [
    ("tool_calls", "agent_tool_call"),
    ("tool_results", "agent_tool_result"),
    ("output", "agent_output"),
    ("files", "file_changed"),
    ("progress", "progress_update"),
];

impl Frame {
    pub fn parse(text: Rc<str>) -> Self {
        assert!(text.len() <= 64 << 10, "a frame of {} bytes", text.len());
        let told = ServerFrame::read(&text).unwrap().unwrap_or_else(|| panic!("an unknown frame: {text}"));
        let raw = if let ServerFrame::Events { events, .. } = &told { events.as_slice() } else { &[] };
        let events = raw.iter().map(|raw| (serde_json::from_str(raw.get()).unwrap(), raw.get().to_owned())).collect();
        Self { told, text, events }
    }

    /// Holds such a gap against the log, for a viewer that has filtered nothing out: of what is dear nothing is left out.
    pub fn check_elision(&self, oracle: &Oracle) {
        if let ServerFrame::Gap(gap) = &self.told {
            oracle.check_elision(gap);
        }
    }

    pub fn is_pause(&self) -> bool {
        matches!(self.told, ServerFrame::Backpressure { level: PressureLevel::Paused, .. })
    }

    /// Whether it tells of what a viewer is not sent because it does not keep up.
    pub fn is_elision(&self) -> bool {
        matches!(self.told, ServerFrame::Gap(Gap { reason: GapReason::Elided, .. }))
    }

    /// The last id in an `events` frame, and how many it holds.
    pub fn last_and_count(&self) -> Option<(u64, usize)> {
        self.events.last().map(|(event, _)| (event.id.get(), self.events.len()))
    }

    // ---- as it is sent ----

    /// Of whatever a stream tells, nothing is of an agent that its ticket is not for.
    pub fn check_scope(&self, ticket_for: Option<&AgentId>) {
        let Some(own) = ticket_for else { return };
        let about: Vec<&str> = match &self.told {
            ServerFrame::State { agent } => vec![agent["agent_id"].as_str().unwrap()],
            ServerFrame::AgentDeleted { agent_id } | ServerFrame::Gap(Gap { agent_id, .. }) => vec![agent_id.as_str()],
            ServerFrame::Preview(preview) => vec![preview.agent_id.as_str()],
            ServerFrame::Events { .. } => self.events.iter().map(|(event, _)| event.agent_id.as_str()).collect(),
            _ => Vec::new(),
        };
        for agent_id in about {
            assert_eq!(agent_id, own.as_str(), "beyond what its ticket permits: {}", self.text);
        }
    }

    /// Holds it against the tables as they are in the moment in which it is sent.
    pub fn check_sent(&self, oracle: &Oracle, store: &Sqlite) {
        match &self.told {
            ServerFrame::Hello { head, oldest_id, .. } => {
                assert_eq!(head.get(), oracle.head(), "hello names another head");
                let oldest = "SELECT coalesce(min(id), 0) FROM agent_events";
                assert_eq!(oldest_id.get(), store.query(oldest, &[]).unwrap()[0].number(0).unwrap());
            }
            ServerFrame::Events { .. } => {
                assert!(!self.events.is_empty(), "a frame of no events");
                for (event, text) in &self.events {
                    let stored = oracle.frame(event.id.get());
                    assert!(stored.is_some(), "a viewer is shown what was never stored: {text}");
                    assert_eq!(stored, Some(text.as_str()), "a viewer is shown something else than is stored");
                }
            }
            ServerFrame::CaughtUp { id } => {
                assert_eq!(id.get(), oracle.head(), "told to have caught up with something else than the head");
            }
            ServerFrame::Gap(gap) if gap.reason != GapReason::Elided => oracle.check_gap(gap, store),
            ServerFrame::State { agent } => check_state(agent, store),
            ServerFrame::AgentDeleted { agent_id } => {
                let sql = "SELECT 1 FROM agents WHERE agent_id = ?";
                let there = store.query(sql, &[agent_id.as_str().into()]).unwrap();
                assert!(there.is_empty(), "{agent_id} is told to be deleted, and is there");
            }
            ServerFrame::SubscriptionConfirmed { after_id, .. } => {
                assert!(after_id.get() <= oracle.head(), "confirmed from beyond the head");
            }
            _ => {}
        }
    }
}

/// What is sent of an agent is its stored state, but for a silence, the container's or its own, which lies over it.
fn check_state(sent: &Value, store: &Sqlite) {
    let (stored, silent) = stored_state(store, sent["agent_id"].as_str().unwrap());
    let activity = &sent["activity"];
    assert_eq!(activity["kind"] == "silent", silent, "silence is shown where there is none, or not where it is");
    let rest = |state: &Value| {
        let mut state = state.as_object().unwrap().clone();
        state.remove("activity");
        state
    };
    assert_eq!(rest(sent), rest(&stored), "a state that is not stored");
    assert!(silent || *activity == stored["activity"], "an activity that is not stored");
}

/// An agent's state with its run's budget, as they lie in the tables, and whether a silence lies over it: the container's, or its own.
pub fn stored_state(store: &Sqlite, agent_id: &str) -> (Value, bool) {
    let sql = "SELECT json_extract(state, '$.state'), EXISTS (SELECT 1 FROM runs \
        WHERE run_id = json_extract(state, '$.state.run_id') AND exit IS NULL \
        AND (is_silent OR (source = 'container' AND EXISTS (SELECT 1 FROM silence)))), \
        CASE WHEN json_extract(budgets, '$.run.run_id') = json_extract(state, '$.state.run_id') \
            THEN json_extract(budgets, '$.run.meter.budget') END \
        FROM agents WHERE agent_id = ?";
    let rows = store.query(sql, &[agent_id.into()]).unwrap();
    let mut state: Value = serde_json::from_str(rows[0].text(0).unwrap()).unwrap();
    if let Some(budget) = rows[0].maybe_text(2) {
        state["run_budget"] = serde_json::from_str(budget).unwrap();
    }
    (state, rows[0].number(1).unwrap() == 1)
}

// ---- as it is read ----

impl SimViewer {
    /// Reads at most so many of the frames that lie in its network.
    pub fn read(&mut self, count: usize) {
        for _ in 0..count {
            let Some(frame) = self.inbox.pop_front() else { return };
            self.read_frame(&frame);
        }
    }

    fn read_frame(&mut self, frame: &Frame) {
        let (kind, text) = (frame.told.name(), &frame.text);
        let may_come_paused =
            matches!(kind, "backpressure" | "subscription_confirmed" | "state" | "agent_deleted" | "error");
        assert!(!self.link.paused || may_come_paused, "a paused viewer is sent nothing: {kind}");
        assert_eq!(kind == "hello", !self.link.greeted, "hello comes first and once: {text}");
        match &frame.told {
            ServerFrame::Hello { epoch, reset, .. } => {
                self.link.greeted = true;
                assert!(!reset, "the log of the simulation never loses its epoch");
                self.epoch = Some(epoch.clone());
            }
            ServerFrame::State { agent } => self.read_state(agent),
            ServerFrame::AgentDeleted { agent_id } => {
                let agent_id = agent_id.as_str();
                assert!(self.watch.wants_agent(agent_id), "the end of an agent that this viewer does not watch");
                self.states.remove(agent_id);
            }
            ServerFrame::Gap(gap) => self.read_gap(gap, text),
            ServerFrame::Backpressure { level, .. } => {
                let is_pause = *level == PressureLevel::Paused;
                assert!(self.link.acknowledges, "who acknowledges nothing is not paused");
                assert_ne!(self.link.paused, is_pause, "told twice: {text}");
                self.link.paused = is_pause;
                self.link.caught_up &= !is_pause;
            }
            ServerFrame::CaughtUp { id } => {
                assert!(!self.link.caught_up, "caught up twice");
                self.link.caught_up = true;
                self.cursor = self.cursor.max(id.get());
            }
            ServerFrame::Events { backfill, .. } => self.read_events(frame, *backfill),
            ServerFrame::SubscriptionConfirmed { agents, filters, after_id } => {
                self.read_confirmation(agents, *filters, after_id.get());
            }
            ServerFrame::Error { .. } => {
                assert!(self.link.errors > 0, "refused without a reason: {text}");
                self.link.errors -= 1;
            }
            ServerFrame::Preview(_) | ServerFrame::Heartbeat { .. } | ServerFrame::Pong => {
                panic!("an unexpected frame: {text}")
            }
        }
    }

    fn read_state(&mut self, state: &Value) {
        let agent_id = state["agent_id"].as_str().unwrap();
        // The states of a subscription come with its confirmation, before the first of its events.
        assert!(self.watch.wants_agent(agent_id), "the state of an agent that this viewer does not watch: {agent_id}");
        self.states.insert(agent_id.to_owned(), state.clone());
    }

    /// It did not have any of what it is told to be missing, nor did it get past it.
    fn read_gap(&mut self, gap: &Gap, text: &str) {
        let (from, to) = (gap.from.get(), gap.to.get());
        let agent_id = gap.agent_id.to_string();
        assert!(self.watch.wants_agent(&agent_id), "a gap of an agent that this viewer does not watch: {agent_id}");
        assert!(to > self.cursor.max(self.watch.begin), "a gap before where this viewer is: {text}");
        assert!(from > self.link.last_id, "a gap within what this viewer has had: {text}");
        let is_elided = gap.reason == GapReason::Elided;
        let may_miss = self.link.caught_up && !self.link.acknowledges;
        assert!(may_miss || !is_elided, "only who is live and silent is spared: {text}");
        self.watch.gaps.push(Missing { agent_id, from, to, is_elided });
    }

    fn read_events(&mut self, frame: &Frame, backfill: bool) {
        if backfill {
            // One that is metered, or was, falls behind without a word, and is told when it has caught up again.
            assert!(!self.link.caught_up || !self.manner.acknowledges, "history comes before caught_up");
            self.link.caught_up = false;
        } else {
            assert!(self.link.caught_up, "live events come after caught_up");
        }
        self.link.bytes += frame.text.len();
        self.link.events += frame.events.len() as u64;
        for (event, text) in &frame.events {
            let id = event.id.get();
            assert!(id > self.link.last_id, "ids fall: {id} after {}", self.link.last_id);
            assert!(id > self.watch.begin, "{id} is of before this viewer began");
            self.link.last_id = id;
            self.cursor = self.cursor.max(id);
            assert!(self.watch.wants(event.agent_id.as_str(), event.event.as_str()), "not for this viewer: {text}");
            assert!(self.watch.had.insert(id), "{id} came twice");
        }
    }

    fn read_confirmation(&mut self, agents: &AgentSelection, filters: Filters, after_id: u64) {
        let asked = self.subscriptions.pop_front().expect("a confirmation that nobody asked for");
        let agents: Option<BTreeSet<String>> = match agents {
            AgentSelection::All => None,
            AgentSelection::Only(agents) => Some(agents.iter().map(AgentId::to_string).collect()),
        };
        assert_eq!(agents, asked.agents, "another selection is confirmed than was asked for");
        let filters = serde_json::to_value(filters).unwrap();
        let hidden = SWITCHES.iter().filter(|(switch, _)| filters[switch] == false);
        let hidden: BTreeSet<String> = hidden.map(|(_, name)| (*name).to_owned()).collect();
        assert_eq!(hidden, asked.hidden, "other filters are confirmed than were asked for");
        assert_eq!(asked.after_id.unwrap_or(after_id), after_id, "another cursor is confirmed than was asked for");
        self.watch = Watch { agents, hidden, begin: after_id, ..Watch::default() };
        self.states.clear();
        self.cursor = after_id;
        (self.link.last_id, self.link.acknowledged, self.link.caught_up) = (after_id, after_id, false);
    }
}

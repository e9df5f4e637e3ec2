//! The rules of each kind of frame, all in this place: what must be true of it when it is sent, held against the town's
//! tables, and what must be true of it for the viewer that reads it.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;
use townwatch_protocol::id::{AgentId, Epoch};
use townwatch_town::store::Store;

use super::oracle::Oracle;
use super::viewer::{Missing, SimViewer, Watch};
use crate::sqlite::Sqlite;

/// A frame that a viewer is sent.
#[derive(Debug)]
pub struct Frame {
    pub kind: String,
    value: Value,
    text: Rc<str>,
    /// The events of an `events` frame as they were sent.
    events: Vec<(u64, String)>,
}

#[derive(serde::Deserialize)]
struct Texts<'a> {
    #[serde(borrow, default)]
    events: Vec<&'a serde_json::value::RawValue>,
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
        let value: Value = serde_json::from_str(&text).unwrap();
        let texts: Texts<'_> = serde_json::from_str(&text).unwrap();
        let ids = value["events"].as_array().into_iter().flatten().map(|event| event["id"].as_u64().unwrap());
        let events = ids.zip(&texts.events).map(|(id, raw)| (id, raw.get().to_owned())).collect();
        Self { kind: value["type"].as_str().unwrap().to_owned(), value, text, events }
    }

    /// Holds such a gap against the log, for a viewer that has filtered nothing out: of what is dear nothing is left out.
    pub fn check_elision(&self, oracle: &Oracle) {
        oracle.check_elision(&self.value);
    }

    fn number(&self, name: &str) -> u64 {
        self.value[name].as_u64().unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }

    pub fn is_pause(&self) -> bool {
        self.kind == "backpressure" && self.value["level"] == "paused"
    }

    /// Whether it tells of what a viewer is not sent because it does not keep up.
    pub fn is_elision(&self) -> bool {
        self.value["reason"] == "elided"
    }

    /// The last id in an `events` frame, and how many it holds.
    pub fn last_and_count(&self) -> Option<(u64, usize)> {
        self.events.last().map(|(id, _)| (*id, self.events.len()))
    }

    // ---- as it is sent ----

    /// Of whatever a stream tells, nothing is of an agent that its ticket is not for.
    pub fn check_scope(&self, ticket_for: Option<&AgentId>) {
        let Some(own) = ticket_for else { return };
        let single = [&self.value["agent_id"], &self.value["agent"]["agent_id"]];
        let events = self.value["events"].as_array().into_iter().flatten().map(|event| &event["agent_id"]);
        for agent_id in single.into_iter().chain(events).filter_map(Value::as_str) {
            assert_eq!(agent_id, own.as_str(), "beyond what its ticket permits: {}", self.text);
        }
    }

    /// Holds it against the tables as they are in the moment in which it is sent.
    pub fn check_sent(&self, oracle: &Oracle, store: &Sqlite) {
        match self.kind.as_str() {
            "hello" => {
                assert_eq!(self.number("head"), oracle.head(), "hello names another head");
                let oldest = "SELECT coalesce(min(id), 0) FROM agent_events";
                assert_eq!(self.number("oldest_id"), store.query(oldest, &[]).unwrap()[0].number(0).unwrap());
            }
            "events" => {
                assert!(!self.events.is_empty(), "a frame of no events");
                for (id, text) in &self.events {
                    let stored = oracle.frame(*id);
                    assert!(stored.is_some(), "a viewer is shown what was never stored: {text}");
                    assert_eq!(stored, Some(text.as_str()), "a viewer is shown something else than is stored");
                }
            }
            "caught_up" => {
                assert_eq!(
                    self.number("id"),
                    oracle.head(),
                    "told to have caught up with something else than the head"
                );
            }
            "gap" if !self.is_elision() => oracle.check_gap(&self.value, store),
            "state" => check_state(&self.value["agent"], store),
            "agent_deleted" => {
                let agent_id = self.value["agent_id"].as_str().unwrap();
                let there = store.query("SELECT 1 FROM agents WHERE agent_id = ?", &[agent_id.into()]).unwrap();
                assert!(there.is_empty(), "{agent_id} is told to be deleted, and is there");
            }
            "subscription_confirmed" => {
                assert!(self.number("after_id") <= oracle.head(), "confirmed from beyond the head");
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
        let (kind, text) = (frame.kind.as_str(), &frame.text);
        let may_come_paused =
            matches!(kind, "backpressure" | "subscription_confirmed" | "state" | "agent_deleted" | "error");
        assert!(!self.link.paused || may_come_paused, "a paused viewer is sent nothing: {kind}");
        assert_eq!(kind == "hello", !self.link.greeted, "hello comes first and once: {text}");
        match kind {
            "hello" => self.read_hello(frame),
            "state" => self.read_state(&frame.value["agent"]),
            "agent_deleted" => {
                let agent_id = frame.value["agent_id"].as_str().unwrap();
                assert!(self.watch.wants_agent(agent_id), "the end of an agent that this viewer does not watch");
                self.states.remove(agent_id);
            }
            "gap" => self.read_gap(frame),
            "backpressure" => {
                assert!(self.link.acknowledges, "who acknowledges nothing is not paused");
                assert_ne!(self.link.paused, frame.is_pause(), "told twice: {text}");
                self.link.paused = frame.is_pause();
                self.link.caught_up &= !self.link.paused;
            }
            "caught_up" => {
                assert!(!self.link.caught_up, "caught up twice");
                self.link.caught_up = true;
                self.cursor = self.cursor.max(frame.number("id"));
            }
            "events" => self.read_events(frame),
            "subscription_confirmed" => self.read_confirmation(frame),
            "error" => {
                assert!(self.link.errors > 0, "refused without a reason: {text}");
                self.link.errors -= 1;
            }
            other => panic!("an unexpected frame: {other}"),
        }
    }

    fn read_hello(&mut self, frame: &Frame) {
        self.link.greeted = true;
        assert_eq!(frame.value["reset"], false, "the log of the simulation never loses its epoch");
        self.epoch = Epoch::parse(frame.value["epoch"].as_str().unwrap());
    }

    fn read_state(&mut self, state: &Value) {
        let agent_id = state["agent_id"].as_str().unwrap();
        // The states of a subscription come with its confirmation, before the first of its events.
        assert!(self.watch.wants_agent(agent_id), "the state of an agent that this viewer does not watch: {agent_id}");
        self.states.insert(agent_id.to_owned(), state.clone());
    }

    /// It did not have any of what it is told to be missing, nor did it get past it.
    fn read_gap(&mut self, frame: &Frame) {
        let (from, to) = (frame.number("from"), frame.number("to"));
        let agent_id = frame.value["agent_id"].as_str().unwrap();
        assert!(self.watch.wants_agent(agent_id), "a gap of an agent that this viewer does not watch: {agent_id}");
        assert!(to > self.cursor.max(self.watch.begin), "a gap before where this viewer is: {}", frame.text);
        assert!(from > self.link.last_id, "a gap within what this viewer has had: {}", frame.text);
        let is_elided = frame.is_elision();
        let may_miss = self.link.caught_up && !self.link.acknowledges;
        assert!(may_miss || !is_elided, "only who is live and silent is spared: {}", frame.text);
        self.watch.gaps.push(Missing { agent_id: agent_id.to_owned(), from, to, is_elided });
    }

    fn read_events(&mut self, frame: &Frame) {
        if frame.value["backfill"] == true {
            // One that is metered, or was, falls behind without a word, and is told when it has caught up again.
            assert!(!self.link.caught_up || !self.manner.acknowledges, "history comes before caught_up");
            self.link.caught_up = false;
        } else {
            assert!(self.link.caught_up, "live events come after caught_up");
        }
        self.link.bytes += frame.text.len();
        self.link.events += frame.events.len() as u64;
        let values = frame.value["events"].as_array().unwrap();
        for ((id, text), event) in frame.events.iter().zip(values) {
            assert!(*id > self.link.last_id, "ids fall: {id} after {}", self.link.last_id);
            assert!(*id > self.watch.begin, "{id} is of before this viewer began");
            self.link.last_id = *id;
            self.cursor = self.cursor.max(*id);
            let (agent_id, name) = (event["agent_id"].as_str().unwrap(), event["event"].as_str().unwrap());
            assert!(self.watch.wants(agent_id, name), "not for this viewer: {text}");
            assert!(self.watch.had.insert(*id), "{id} came twice");
        }
    }

    fn read_confirmation(&mut self, frame: &Frame) {
        let asked = self.subscriptions.pop_front().expect("a confirmation that nobody asked for");
        let agents = frame.value["agents"]
            .as_array()
            .map(|agents| agents.iter().map(|agent| agent.as_str().unwrap().to_owned()).collect::<BTreeSet<String>>());
        assert_eq!(agents, asked.agents, "another selection is confirmed than was asked for");
        let hidden = SWITCHES.iter().filter(|(switch, _)| frame.value["filters"][switch] == false);
        let hidden: BTreeSet<String> = hidden.map(|(_, name)| (*name).to_owned()).collect();
        assert_eq!(hidden, asked.hidden, "other filters are confirmed than were asked for");
        let after_id = frame.number("after_id");
        assert_eq!(asked.after_id.unwrap_or(after_id), after_id, "another cursor is confirmed than was asked for");
        self.watch = Watch { agents, hidden, begin: after_id, ..Watch::default() };
        self.states.clear();
        self.cursor = after_id;
        (self.link.last_id, self.link.acknowledged, self.link.caught_up) = (after_id, after_id, false);
    }
}

//! What is true whatever breaks. It reads the town's tables and the sources' own words, never the core's.

use std::collections::{BTreeMap, BTreeSet};

use townwatch_protocol::event::EventData;
use townwatch_protocol::id::EventId;
use townwatch_protocol::wire::{Gap, TownEvent};
use townwatch_town::agents;
use townwatch_town::log::reducer::ReducerInput;
use townwatch_town::store::Store;

use super::container::token;
use super::frames::stored_state;
use super::viewer::SimViewer;
use crate::sqlite::Sqlite;

/// An event as the town stored it.
pub struct Stored {
    pub agent_id: String,
    pub event: String,
    pub frame: String,
}

/// Every event that the town ever stored, also those that it has pruned.
#[derive(Default)]
pub struct Oracle {
    pub log: BTreeMap<u64, Stored>,
    pub retained: BTreeSet<u64>,
    tokens: BTreeSet<u64>,
    /// The newest token of each source, agent by agent: sources number theirs rising.
    newest_token: BTreeMap<String, u64>,
    ended: BTreeSet<String>,
    /// Agents that were deleted, each with the newest id when that happened last.
    deleted: BTreeMap<String, u64>,
    deleted_runs: BTreeSet<String>,
    /// Runs of which the town has said that something of them was lost at the source.
    with_source_gap: BTreeSet<String>,
}

impl Oracle {
    /// Lets SQLite itself note each event that is ever stored, also one that the same transaction prunes.
    pub fn listen(store: &Sqlite) {
        let script = "CREATE TABLE every_event (id INTEGER PRIMARY KEY, frame TEXT) STRICT;
            CREATE TRIGGER heard AFTER INSERT ON agent_events
            BEGIN INSERT INTO every_event VALUES (new.id, new.frame); END;
            CREATE TRIGGER heard_again AFTER UPDATE ON agent_events
            BEGIN INSERT INTO every_event VALUES (new.id, new.frame); END;";
        store.script(script).unwrap();
    }

    /// Reads what was stored since the last time: ids rise, nothing is invented or repeated, a run ends once and nothing
    /// of it follows.
    pub fn hear(&mut self, store: &Sqlite, emitted: &BTreeMap<u64, String>) {
        for row in store.query("DELETE FROM every_event RETURNING id, frame", &[]).unwrap() {
            let (id, frame) = (row.number(0).unwrap(), row.text(1).unwrap());
            assert!(id > self.head(), "{id} was stored after {}", self.head());
            let event: TownEvent = serde_json::from_str(frame).unwrap();
            self.check_new(&event, frame, emitted);
            let stored = Stored {
                agent_id: event.agent_id.to_string(),
                event: event.event.to_string(),
                frame: frame.to_owned(),
            };
            self.log.insert(id, stored);
        }
    }

    /// Reads the whole log as it lies there now: nothing stored ever changes.
    pub fn read_log(&mut self, store: &Sqlite, emitted: &BTreeMap<u64, String>) {
        self.hear(store, emitted);
        let rows = store.query("SELECT id, frame FROM agent_events ORDER BY id", &[]).unwrap();
        self.retained = rows.iter().map(|row| row.number(0).unwrap()).collect();
        for row in rows {
            let id = row.number(0).unwrap();
            assert!(!self.is_gone(id, &self.log[&id].agent_id), "of a deleted agent, and still stored: {row:?}");
            assert!(self.frame(id) == row.maybe_text(1), "an event has changed: {row:?}");
        }
    }

    /// An agent was deleted: nothing that it did is stored or shown any more, and nothing comes of these runs.
    pub fn agent_deleted(&mut self, agent_id: &str, runs: Vec<String>) {
        self.deleted.insert(agent_id.to_owned(), self.head());
        self.deleted_runs.extend(runs);
    }

    pub fn is_of_deleted_run(&self, run_id: &str) -> bool {
        self.deleted_runs.contains(run_id)
    }

    /// Whether an event went with its agent.
    pub fn is_gone(&self, id: u64, agent_id: &str) -> bool {
        self.deleted.get(agent_id).is_some_and(|newest| id <= *newest)
    }

    fn check_new(&mut self, event: &TownEvent, frame: &str, emitted: &BTreeMap<u64, String>) {
        let run_id = event.run_id.as_ref().expect("every event has a run").to_string();
        assert!(!self.deleted_runs.contains(&run_id), "stored of a run that went with its agent: {frame}");
        assert!(!self.ended.contains(&run_id), "an event after the end of its run: {frame}");
        match event.event.as_str() {
            "agent.exited" => drop(self.ended.insert(run_id)),
            "source_gap" => drop(self.with_source_gap.insert(run_id)),
            _ => {}
        }
        if let Some(token) = token(&event.data) {
            let source = emitted.get(&token).unwrap_or_else(|| panic!("invented: {frame}"));
            assert!(self.tokens.insert(token), "stored twice: {frame}");
            let newest = self.newest_token.insert(source.clone(), token);
            assert!(newest.is_none_or(|newest| newest < token), "out of its source's order: {frame}");
        }
    }

    pub fn head(&self) -> u64 {
        self.log.last_key_value().map_or(0, |(id, _)| *id)
    }

    pub fn frame(&self, id: u64) -> Option<&str> {
        self.log.get(&id).filter(|stored| !self.is_gone(id, &stored.agent_id)).map(|stored| stored.frame.as_str())
    }

    pub fn has_token(&self, token: u64) -> bool {
        self.tokens.contains(&token)
    }

    pub fn run_has_ended(&self, run_id: &str) -> bool {
        self.ended.contains(run_id)
    }

    pub fn run_has_source_gap(&self, run_id: &str) -> bool {
        self.with_source_gap.contains(run_id)
    }

    /// A gap, in a frame or on a page, is exactly what the tables have no more, in the moment in which it is told.
    pub fn check_gap(&self, gap: &Gap, store: &Sqlite) {
        let (agent_id, from, to) = (gap.agent_id.as_str(), gap.from.get(), gap.to.get());
        assert!(from <= to, "an empty gap: {gap:?}");
        let sql = "SELECT id FROM agent_events WHERE agent_id = ? AND id BETWEEN ? AND ?";
        let there = store.query(sql, &[agent_id.into(), from.into(), to.into()]).unwrap();
        assert!(there.is_empty(), "retained, but told to be missing: {there:?}, {gap:?}");
        let of_it = self.log.range(from..=to).filter(|(_, stored)| stored.agent_id == agent_id);
        let missing = of_it.filter(|(id, stored)| !self.is_gone(**id, &stored.agent_id)).count() as u64;
        assert!(missing > 0, "nothing is missing here: {gap:?}");
        let ends_at_one = self.log.get(&to).is_some_and(|stored| stored.agent_id == agent_id);
        assert!(ends_at_one, "a gap that ends at another agent's event: {gap:?}");
        if let Some(count) = gap.count {
            assert_eq!(count, missing, "a gap counts wrong: {gap:?}");
        }
    }

    /// What is left out is what may be, all of it that is named and none that is dear.
    pub fn check_elision(&self, gap: &Gap) {
        let left_out = self.log.range(gap.from.get()..=gap.to.get());
        let left_out = left_out.filter(|(_, stored)| stored.agent_id == gap.agent_id.as_str());
        let names: Vec<&str> = left_out.map(|(_, stored)| stored.event.as_str()).collect();
        let cheap = ["agent_output", "progress_update", "file_changed", "agent_tool_result"];
        assert!(names.iter().all(|name| cheap.contains(name)), "too dear to be left out: {names:?}");
        assert_eq!(gap.count, Some(names.len() as u64), "a gap counts wrong: {gap:?}");
    }

    /// A viewer that is live has, of what it wants since it began, all but what it was told to be missing, and of that
    /// nothing. One that is metered may be behind without knowing: it has all up to its cursor.
    pub fn check_complete(&self, viewer: &SimViewer, may_be_behind: bool) {
        let watch = &viewer.watch;
        let end = if may_be_behind && !viewer.manner.acknowledges { viewer.cursor } else { self.head() };
        for (id, Stored { agent_id, event, frame, .. }) in
            self.log.range(watch.begin + 1..).take_while(|(id, _)| **id <= end)
        {
            let told = watch.gaps.iter().any(|gap| gap.holds(agent_id, *id));
            let had = watch.had.contains(id);
            let is_gone = self.is_gone(*id, agent_id);
            assert!(had || told || is_gone || !watch.wants(agent_id, event), "{id} is missing without a word: {frame}");
            assert!(!(had && told), "{id} was told to be missing, and came: {frame}");
        }
    }

    /// A viewer's last states are the stored ones, as far as a change in them is news.
    pub fn check_shown_states(viewer: &SimViewer, store: &Sqlite) {
        for row in store.query("SELECT agent_id FROM agents", &[]).unwrap() {
            let agent_id = row.text(0).unwrap();
            if !viewer.watch.wants_agent(agent_id) {
                continue;
            }
            let (mut stored, silent) = stored_state(store, agent_id);
            let Some(shown) = viewer.states.get(agent_id) else {
                // An agent that was registered since is told of with its first event.
                assert!(stored["run_id"].is_null(), "no state of {agent_id} was ever sent");
                continue;
            };
            if silent {
                assert_eq!(shown["activity"]["kind"], "silent", "nobody was told that {agent_id} is silent");
                stored["activity"] = shown["activity"].clone();
            }
            // What each event says by itself, or its time does.
            let told_by_events =
                ["last_event_id", "last_event_at", "message_count", "tool_call_count", "outstanding_llm_calls"];
            let counted = ["worked_ms", "waited_ms"];
            for (field, value) in stored.as_object().unwrap() {
                if told_by_events.contains(&field.as_str()) || counted.contains(&field.as_str()) {
                    continue;
                }
                assert_eq!(shown[field], *value, "the last {field} of {agent_id} that was sent is an old one");
            }
        }
    }

    /// The newest event of each agent is there, whatever was let go.
    pub fn check_newest(&self) {
        let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
        for (id, Stored { agent_id, .. }) in &self.log {
            newest.insert(agent_id, *id);
        }
        for (agent_id, id) in newest {
            let is_there = self.retained.contains(&id) || self.is_gone(id, agent_id);
            assert!(is_there, "{id}, the newest of {agent_id}, was let go");
        }
    }

    /// What is retained leads from the base to the present state.
    pub fn check_states(&self, store: &Sqlite) {
        let mut numbers: BTreeMap<String, u64> = BTreeMap::new();
        for row in store.query("SELECT run_id, run_number FROM runs", &[]).unwrap() {
            numbers.insert(row.text(0).unwrap().to_owned(), row.number(1).unwrap());
        }
        for (state, _) in agents::load_states(store).unwrap() {
            self.check_open_work(&serde_json::to_value(&state).unwrap());
            let mut agent = agents::load(store, &state.agent_id).unwrap().unwrap();
            let mut state = agent.base.read().unwrap().clone();
            for id in &self.retained {
                let Stored { agent_id, frame, .. } = &self.log[id];
                if agent_id != agent.id().as_str() {
                    continue;
                }
                let event: TownEvent = serde_json::from_str(frame).unwrap();
                let data = EventData::read(&event.event, &event.data);
                let run = event.run_id.as_ref().map(|run_id| (run_id, numbers[run_id.as_str()]));
                state.reduce(&ReducerInput { id: EventId::new(*id).unwrap(), run, data: &data, at: event.at });
            }
            let (from_log, stored) = (serde_json::to_value(&state), serde_json::to_value(&agent.now));
            assert_eq!(from_log.unwrap(), stored.unwrap(), "the log leads elsewhere than the state");
        }
    }
}

//! What is true whatever breaks. It reads the town's tables and the sources' own words, never the core's.

use std::collections::{BTreeMap, BTreeSet};

use townwatch::core::agents;
use townwatch::core::reducer::Happened;
use townwatch::core::store::Store;
use townwatch::event::EventData;
use townwatch::id::EventId;
use townwatch::protocol::TownEvent;

use super::container::token;
use super::viewer::SimViewer;
use crate::sqlite::Sqlite;

/// An event as the town stored it.
pub struct Stored {
    agent_id: String,
    frame: String,
}

/// Every event that the town ever stored, also those that it has pruned.
#[derive(Default)]
pub struct Oracle {
    pub log: BTreeMap<u64, Stored>,
    retained: BTreeSet<u64>,
    tokens: BTreeSet<u64>,
    /// The newest token of each source, agent by agent: sources number theirs rising.
    newest_token: BTreeMap<String, u64>,
    ended: BTreeSet<String>,
}

impl Oracle {
    /// Reads what a step has stored: ids rise, nothing stored ever changes, nothing is invented or repeated, a run ends
    /// once and nothing of it follows.
    pub fn read_log(&mut self, store: &Sqlite, emitted: &BTreeMap<u64, String>) {
        for row in store.query("DELETE FROM every_event RETURNING id, frame", &[]).unwrap() {
            let (id, frame) = (row.number(0).unwrap(), row.text(1).unwrap());
            let newest = self.log.last_key_value().map_or(0, |(id, _)| *id);
            assert!(id > newest, "{id} was stored after {newest}");
            let event: TownEvent = serde_json::from_str(frame).unwrap();
            self.log.insert(id, Stored { agent_id: event.agent_id.to_string(), frame: frame.to_owned() });
            self.check_new(&event, frame, emitted);
        }
        let rows = store.query("SELECT id, frame FROM agent_events ORDER BY id", &[]).unwrap();
        self.retained = rows.iter().map(|row| row.number(0).unwrap()).collect();
        for row in rows {
            let stored = self.log.get(&row.number(0).unwrap()).map(|stored| stored.frame.as_str());
            assert!(stored == row.maybe_text(1), "an event has changed: {row:?}");
        }
    }

    /// Lets SQLite itself note each event that is ever stored, also one that the same transaction prunes.
    pub fn listen(store: &Sqlite) {
        let script = "CREATE TABLE every_event (id INTEGER PRIMARY KEY, frame TEXT) STRICT;
            CREATE TRIGGER heard AFTER INSERT ON agent_events
            BEGIN INSERT INTO every_event VALUES (new.id, new.frame); END;
            CREATE TRIGGER heard_again AFTER UPDATE ON agent_events
            BEGIN INSERT INTO every_event VALUES (new.id, new.frame); END;";
        store.script(script).unwrap();
    }

    fn check_new(&mut self, event: &TownEvent, frame: &str, emitted: &BTreeMap<u64, String>) {
        let run_id = event.run_id.as_ref().expect("every event has a run").to_string();
        assert!(!self.ended.contains(&run_id), "an event after the end of its run: {frame}");
        if event.event.as_str() == "agent.exited" {
            self.ended.insert(run_id);
        }
        if let Some(token) = token(&event.data) {
            let source = emitted.get(&token).unwrap_or_else(|| panic!("invented: {frame}"));
            assert!(self.tokens.insert(token), "stored twice: {frame}");
            let newest = self.newest_token.insert(source.clone(), token);
            assert!(newest.is_none_or(|newest| newest < token), "out of its source's order: {frame}");
        }
    }

    pub fn has_token(&self, token: u64) -> bool {
        self.tokens.contains(&token)
    }

    pub fn run_has_ended(&self, run_id: &str) -> bool {
        self.ended.contains(run_id)
    }

    /// What a viewer has is what the log had; what it was told to be missing is gone.
    pub fn check_viewer(&self, viewer: &SimViewer) {
        for (id, text) in &viewer.received {
            assert!(
                self.log.get(id).is_some_and(|stored| stored.frame == *text),
                "a viewer has something else for {id}"
            );
        }
        for gap in &viewer.gaps {
            let missing = self.log.range(gap.from..=gap.to).filter(|(_, stored)| stored.agent_id == gap.agent_id);
            for (id, Stored { frame, .. }) in missing.clone() {
                assert!(gap.elided || !self.retained.contains(id), "{id} is retained but was called pruned");
                assert!(!gap.elided || frame.contains(r#""event":"agent_output""#), "too dear to be elided: {frame}");
            }
            assert!(!gap.elided || gap.count == Some(missing.count() as u64), "an elided gap's count");
        }
    }

    /// A viewer that is live has, of what it wants since it began, all but what it was told to be missing.
    pub fn check_complete(&self, viewer: &SimViewer) {
        for (id, Stored { agent_id, frame }) in self.log.range(viewer.begin + 1..) {
            if !viewer.wants(agent_id) || viewer.received.contains_key(id) {
                continue;
            }
            let told = viewer.gaps.iter().any(|gap| gap.agent_id == *agent_id && (gap.from..=gap.to).contains(id));
            assert!(told, "{id} is missing without a word: {frame}");
        }
    }

    /// What is retained leads from the base to the present state.
    pub fn check_states(&self, store: &Sqlite) {
        for state in agents::load_states(store).unwrap() {
            let agent = agents::load(store, &state.agent_id).unwrap().unwrap();
            let mut state = agent.base.clone();
            let mut numbers: BTreeMap<String, u64> = BTreeMap::new();
            for row in store.query("SELECT run_id, run_number FROM runs", &[]).unwrap() {
                numbers.insert(row.text(0).unwrap().to_owned(), row.number(1).unwrap());
            }
            for (id, Stored { agent_id, frame }) in &self.log {
                if !self.retained.contains(id) || agent_id != agent.id().as_str() {
                    continue;
                }
                let event: TownEvent = serde_json::from_str(frame).unwrap();
                let data = EventData::read(&event.event, &event.data);
                let run = event.run_id.as_ref().map(|run_id| (run_id, numbers[run_id.as_str()]));
                state.reduce(&Happened { id: EventId::new(*id).unwrap(), run, data: &data, at: event.at });
            }
            let (from_log, stored) = (serde_json::to_value(&state), serde_json::to_value(&agent.now));
            assert_eq!(from_log.unwrap(), stored.unwrap(), "the log leads elsewhere than the state");
        }
    }
}

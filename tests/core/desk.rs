//! A rig for tests: what is posted to it, and what it has then.

use std::rc::Rc;

use serde_json::{Value as Json, json};
use townwatch_protocol::body::parse_body;
use townwatch_protocol::error::Error;
use townwatch_protocol::event::Role;
use townwatch_protocol::id::{RigId, TownId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{PostReceipt, RigEvent};
use townwatch_town::rig::Rig;
use townwatch_town::store::Store;

use crate::sqlite::Sqlite;
use crate::story::{agent, epoch, position};

/// Events that it keeps of an agent.
pub const EVENT_CAP: u64 = 5;

/// A rig with two agents, `a` and `b`, and a clock.
pub struct Desk {
    pub store: Rc<Sqlite>,
    pub rig: Rig,
    pub now: Timestamp,
}

impl Desk {
    pub fn new() -> Self {
        Self::capped(EVENT_CAP)
    }

    pub fn capped(event_cap: u64) -> Self {
        let store = Rc::new(Sqlite::new());
        let (rig_id, town_id) = (RigId::parse("rig").unwrap(), TownId::parse("town").unwrap());
        assert!(Rig::open(Rc::clone(&store) as Rc<dyn Store>, event_cap).unwrap().is_none());
        Rig::create(store.as_ref(), &rig_id, &town_id, &epoch("rig-1")).unwrap();
        Rig::create(store.as_ref(), &rig_id, &town_id, &epoch("rig-2")).unwrap();
        let rig = Rig::open(Rc::clone(&store) as Rc<dyn Store>, event_cap).unwrap().unwrap();
        let now = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        for name in ["a", "b"] {
            rig.register(&agent(name), name, Role::Polecat, now).unwrap();
        }
        Self { store, rig, now }
    }

    pub fn post_text(&self, body: &str) -> Result<PostReceipt, Error> {
        self.rig.post(parse_body(body.as_bytes())?, self.now)
    }

    pub fn post(&self, body: &Json) -> (u64, u64, u64) {
        let receipt = self.post_text(&body.to_string()).unwrap();
        (receipt.appended, receipt.duplicates, receipt.last_id.get())
    }

    pub fn notes(&self, agent_id: &str, count: usize) {
        let events = vec![json!({"event_type": "note"}); count];
        self.post(&json!({"agent_id": agent_id, "events": events}));
    }

    pub fn ids(&self, agent_id: &str) -> Vec<u64> {
        ids(&self.rig.events(&agent(agent_id), position(0), 1_000).unwrap())
    }

    pub fn number(&self, sql: &str) -> u64 {
        self.store.query(sql, &[]).unwrap()[0].number(0).unwrap()
    }
}

pub fn ids(events: &[RigEvent]) -> Vec<u64> {
    events.iter().map(|event| event.id.get()).collect()
}

/// A note of an agent, in a run or in none.
pub fn note(agent_id: &str, run_id: Option<&str>) -> Json {
    match run_id {
        Some(run_id) => json!({"agent_id": agent_id, "event_type": "note", "run_id": run_id}),
        None => json!({"agent_id": agent_id, "event_type": "note"}),
    }
}

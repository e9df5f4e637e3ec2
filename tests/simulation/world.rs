//! The scheduler: one seed, one story.

use std::collections::BTreeMap;
use std::rc::Rc;

use fastrand::Rng;
use townwatch::core::frames::Pace;
use townwatch::core::ingest::Outcome;
use townwatch::core::relay::{self, Answered, Position};
use townwatch::core::rig::Rig;
use townwatch::core::runs::Source;
use townwatch::core::store::Store;
use townwatch::core::town::{Config, Town};
use townwatch::core::viewers::{Effect, ViewerId};
use townwatch::event::Role;
use townwatch::id::{AgentId, Epoch, RigId, RunId, TownId};
use townwatch::protocol::{ControlEvents, RigBatch, RigCursor, RigRequest};
use townwatch::time::Timestamp;

use super::container::Container;
use super::faults::Fault;
use super::oracle::Oracle;
use super::viewer::SimViewer;
use crate::sqlite::Sqlite;

pub(super) const AGENTS: u64 = 3;
const PACE_MS: i64 = 20;

pub struct World {
    pub(super) rng: Rng,
    pub(super) now: Timestamp,
    pub(super) store: Rc<Sqlite>,
    pub(super) town: Town,
    pub(super) rig: Rig,
    pub(super) rig_id: RigId,
    pub(super) container: Container,
    /// The container of the life before: it may not be dead yet.
    pub(super) previous: Option<Container>,
    pub(super) lives: u64,
    pub(super) runs: u64,
    pub(super) tokens: u64,
    pub(super) answers: Vec<(Position, ControlEvents)>,
    pub(super) batches: Vec<RigBatch>,
    pub(super) cursors: Vec<RigCursor>,
    pub(super) viewers: Vec<SimViewer>,
    pub(super) emitted: BTreeMap<u64, String>,
    pub(super) posted: Vec<u64>,
    pub(super) oracle: Oracle,
    pub(super) faults: BTreeMap<Fault, u64>,
    pub(super) config: Config,
}

pub(super) fn agent(number: u64) -> AgentId {
    AgentId::parse(&format!("agent-{number}")).unwrap()
}

pub(super) fn open(store: &Rc<Sqlite>, config: Config) -> Town {
    Town::open(Rc::clone(store) as Rc<dyn Store>, config).unwrap().unwrap()
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let now = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        let (store, rig_store) = (Rc::new(Sqlite::new()), Rc::new(Sqlite::new()));
        let frame_interval_ms = if rng.bool() { 0 } else { PACE_MS };
        let pace = Pace { frame_interval_ms, window_events: rng.u64(1..40), bucket_events: rng.u64(40..90) };
        let config = Config { event_cap: rng.u64(8..60), pace, ..Config::default() };
        let (town_id, rig_id) = (TownId::parse("town").unwrap(), RigId::parse("rig").unwrap());
        Town::create(store.as_ref(), &town_id, "Town", &Epoch::parse("log").unwrap(), now).unwrap();
        Rig::create(rig_store.as_ref(), &rig_id, &town_id, &Epoch::parse("rig-log").unwrap()).unwrap();
        Oracle::listen(&store);
        let town = open(&store, config);
        let rig = Rig::open(rig_store, config.event_cap).unwrap().unwrap();
        let request = RigRequest { name: "Rig".to_owned(), git_url: None, default_branch: None };
        town.add_rig(rig_id.clone(), &request, now).unwrap();
        for number in 0..AGENTS {
            town.register_agent(&rig_id, &agent(number), "Agent", Role::Polecat).unwrap();
            rig.register(&agent(number), "Agent", Role::Polecat, now).unwrap();
        }
        let viewers = (0..4)
            .map(|number| SimViewer::new((number % 2 == 1).then(|| agent(number % AGENTS)), number < 3))
            .collect();
        Self {
            rng,
            now,
            store,
            town,
            rig,
            rig_id,
            container: Container::new(1),
            previous: None,
            lives: 1,
            runs: 0,
            tokens: 0,
            answers: Vec::new(),
            batches: Vec::new(),
            cursors: Vec::new(),
            viewers,
            emitted: BTreeMap::new(),
            posted: Vec::new(),
            oracle: Oracle::default(),
            faults: BTreeMap::new(),
            config,
        }
    }

    pub fn run(mut self) -> BTreeMap<Fault, u64> {
        for step in 0..self.rng.usize(60..220) {
            self.now = self.now.plus_millis(self.rng.i64(0..400));
            self.step();
            self.oracle.read_log(&self.store, &self.emitted);
            if step % 16 == 0 {
                self.check();
            }
        }
        self.drain();
        self.faults
    }

    fn step(&mut self) {
        match self.rng.u32(0..100) {
            0..12 => self.start_run(),
            12..40 => self.agent_speaks(),
            40..42 => self.agent_exits(),
            42..43 => self.agent_speaks_after_its_end(),
            43..58 => self.ask(),
            58..70 => self.deliver_answer(),
            70..76 => self.post(),
            76..82 => self.forward(),
            82..85 => self.acknowledge(),
            85..89 => self.come_and_go(),
            89..91 => self.evict(),
            91..92 => self.kill(),
            92..93 => self.restart_container(),
            93..94 => self.overflow(),
            94..96 => self.unanswered(),
            96..98 => {
                self.fire(Fault::ClockBack);
                self.now = self.now.plus_millis(-self.rng.i64(0..60_000));
            }
            _ => {
                self.fire(Fault::ClockForward);
                self.now = self.now.plus_millis(self.rng.i64(0..200_000));
            }
        }
    }

    pub(super) fn fire(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// Lets the pace of streams end, as it does before an object may leave memory.
    pub(super) fn rest(&mut self) {
        self.now = self.now.plus_millis(PACE_MS);
        let effects = self.town.tick(self.now).unwrap();
        self.send(effects);
    }

    pub(super) fn check(&mut self) {
        self.rest();
        self.oracle.read_log(&self.store, &self.emitted);
        for viewer in &self.viewers {
            self.oracle.check_viewer(viewer);
            if viewer.is_live() {
                self.oracle.check_complete(viewer);
            }
        }
        self.oracle.check_states(&self.store);
        let away = "SELECT run_id FROM runs WHERE json_extract(exit, '$.message') LIKE '%went away%'";
        for row in self.store.query(away, &[]).unwrap() {
            let run_id = RunId::parse(row.text(0).unwrap()).unwrap();
            let is_there = self.container.runs.contains_key(&run_id) || self.container.ended.contains_key(&run_id);
            assert!(!is_there, "{run_id} was called lost, and its container is there");
        }
        let pruned = self.store_number("SELECT coalesce(sum(pruned_count), 0) FROM agents");
        if pruned > 0 {
            self.fire(Fault::Pruned);
        }
        let most = self
            .store_number("SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM agent_events GROUP BY agent_id)");
        assert!(most <= self.config.event_cap, "{most} events of one agent are retained");
    }

    fn store_number(&self, sql: &str) -> u64 {
        self.store.query(sql, &[]).unwrap()[0].number(0).unwrap()
    }

    /// What the edge does with effects; a kill before it loses them and every socket.
    pub(super) fn perform(&mut self, outcome: &Outcome) {
        if self.rng.u32(0..100) < 2 {
            self.fire(Fault::KilledBeforeSending);
            self.reopen_after_kill();
            return;
        }
        let effects = self.town.publish(outcome, self.now).unwrap();
        self.send(effects);
    }

    pub(super) fn send(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(id, text) => {
                    self.viewer(id).read(&text);
                    if text.contains(r#""reason":"elided""#) {
                        self.fire(Fault::Elided);
                    }
                    if text.contains(r#""level":"paused""#) {
                        self.fire(Fault::ViewerPaused);
                    }
                }
                Effect::Remember(id, note) => self.viewer(id).note = Some(note),
                Effect::Close(id, code, reason) => {
                    assert_eq!(code, 1013, "{id:?} was closed: {reason}");
                    let is_silent = !self.viewer(id).acknowledges;
                    self.viewer(id).cut();
                    assert!(!is_silent, "the simulation has no burst of what is essential");
                    self.fire(Fault::ViewerGivenUp);
                }
            }
        }
    }

    pub(super) fn viewer(&mut self, id: ViewerId) -> &mut SimViewer {
        self.viewers.iter_mut().find(|viewer| viewer.stream == Some(id)).expect("a frame for a stream that is not open")
    }

    // ---- the end: all faults over, everything has to arrive ----

    fn drain(&mut self) {
        self.answers.clear();
        self.batches.clear();
        for index in 0..self.viewers.len() {
            if self.viewers[index].stream.is_none() {
                self.join(index);
            }
        }
        loop {
            let asked = relay::position(self.store.as_ref(), &Source::Container).unwrap();
            let answer = self.container.answer(&asked, 500);
            let done = answer.events.is_empty() && asked.epoch.as_ref() == Some(&answer.epoch);
            match relay::apply(self.store.as_ref(), &asked, &answer, self.now, self.config.event_cap, &mut fresh)
                .unwrap()
            {
                Answered::Taken(outcome) | Answered::NewEpoch(outcome) => {
                    let effects = self.town.publish(&outcome, self.now).unwrap();
                    self.send(effects);
                }
                Answered::Stale => panic!("the present answer is stale"),
            }
            if done {
                break;
            }
        }
        while let Some(batch) = self.rig.next_batch().unwrap() {
            let (cursor, outcome) = self.town.take_batch(&batch, &mut fresh).unwrap();
            let effects = self.town.publish(&outcome, self.now).unwrap();
            self.send(effects);
            self.rig.adopt(cursor.cursor).unwrap();
        }
        for _ in 0..10_000 {
            if self.viewers.iter().all(SimViewer::is_live) {
                break;
            }
            self.now = self.now.plus_millis(10);
            self.acknowledge();
            for index in 0..self.viewers.len() {
                if self.viewers[index].stream.is_none() {
                    self.join(index);
                }
            }
        }
        assert!(self.viewers.iter().all(SimViewer::is_live), "a viewer never gets to the head");
        self.check();
        for token in &self.posted {
            assert!(self.oracle.has_token(*token), "posted event {token} never arrived");
        }
        for event in &self.container.events {
            let ended = self.oracle.run_has_ended(event.run_id.as_str());
            let arrived = super::container::token(&event.data).is_none_or(|token| self.oracle.has_token(token));
            assert!(arrived || ended, "the container's event {} never arrived", event.id);
        }
    }
}

pub(super) fn fresh() -> RunId {
    use std::sync::atomic::{AtomicU64, Ordering};
    static MINTED: AtomicU64 = AtomicU64::new(0);
    RunId::parse(&format!("minted-{}", MINTED.fetch_add(1, Ordering::Relaxed))).unwrap()
}

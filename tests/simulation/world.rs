//! The scheduler: one seed, one story.

use std::collections::BTreeMap;
use std::rc::Rc;

use fastrand::Rng;
use serde_json::json;
use townwatch::core::body::parse_body;
use townwatch::core::ingest::Outcome;
use townwatch::core::relay::{self, Answered, Position};
use townwatch::core::rig::Rig;
use townwatch::core::runs::Source;
use townwatch::core::store::Store;
use townwatch::core::town::{Config, Town};
use townwatch::core::viewers::{Effect, ViewerId};
use townwatch::event::{
    AgentExited, AgentOutput, AgentStatusChanged, EventData, ExitReason, OutputStream, Role, Runtime, Status,
};
use townwatch::id::{AgentId, Epoch, RigId, RunId, TownId};
use townwatch::protocol::{ControlEvents, ControlStart, ControlStarted, RigBatch, RigCursor, RigRequest, StartAgent};
use townwatch::time::Timestamp;

use super::container::Container;
use super::oracle::Oracle;
use super::viewer::SimViewer;
use crate::sqlite::Sqlite;

macro_rules! faults {
    ($($name:ident,)*) => {
        /// What can go wrong; each kind has to fire somewhere.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($name,)* }
        impl Fault { pub const ALL: &'static [Self] = &[$(Self::$name,)*]; }
    };
}

faults! {
    AnswerDropped, AnswerRepeated, AnswerLate, OldEpochLate, StartLost, StartAnswerLost, ContainerRestarted,
    ContainerOverflowed, RelayUnanswered, BatchDropped, BatchRepeated, CursorLost, PostRepeated, ViewerCut, TownEvicted,
    TownKilled, KilledBeforeSending, SpokeAfterEnd, OldEpochAnswers, ClockBack, ClockForward, Pruned, ViewerPaused, ViewerGivenUp,
}

const AGENTS: u64 = 3;

pub struct World {
    rng: Rng,
    now: Timestamp,
    store: Rc<Sqlite>,
    town: Town,
    rig: Rig,
    rig_id: RigId,
    container: Container,
    /// The container of the life before: it may not be dead yet.
    previous: Option<Container>,
    lives: u64,
    runs: u64,
    tokens: u64,
    answers: Vec<(Position, ControlEvents)>,
    batches: Vec<RigBatch>,
    cursors: Vec<RigCursor>,
    viewers: Vec<SimViewer>,
    emitted: BTreeMap<u64, String>,
    posted: Vec<u64>,
    oracle: Oracle,
    faults: BTreeMap<Fault, u64>,
    config: Config,
}

fn agent(number: u64) -> AgentId {
    AgentId::parse(&format!("agent-{number}")).unwrap()
}

fn open(store: &Rc<Sqlite>, config: Config) -> Town {
    Town::open(Rc::clone(store) as Rc<dyn Store>, config).unwrap().unwrap()
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let now = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        let (store, rig_store) = (Rc::new(Sqlite::new()), Rc::new(Sqlite::new()));
        let config = Config { event_cap: rng.u64(8..60), window_events: rng.u64(1..40), ..Config::default() };
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

    fn fire(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    fn check(&mut self) {
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
    fn perform(&mut self, outcome: &Outcome) {
        if self.rng.u32(0..100) < 2 {
            self.fire(Fault::KilledBeforeSending);
            self.reopen_after_kill();
            return;
        }
        let effects = self.town.publish(outcome, self.now).unwrap();
        self.send(effects);
    }

    fn send(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(id, text) => {
                    self.viewer(id).read(&text);
                    if text.contains(r#""level":"paused""#) {
                        self.fire(Fault::ViewerPaused);
                    }
                }
                Effect::Remember(id, note) => self.viewer(id).note = Some(note),
                Effect::Close(id, code, reason) => {
                    assert_eq!(code, 1013, "{id:?} was closed: {reason}");
                    assert!(self.viewer(id).acknowledges);
                    self.viewer(id).cut();
                    self.fire(Fault::ViewerGivenUp);
                }
            }
        }
    }

    fn viewer(&mut self, id: ViewerId) -> &mut SimViewer {
        self.viewers.iter_mut().find(|viewer| viewer.stream == Some(id)).expect("a frame for a stream that is not open")
    }

    // ---- the container's side ----

    fn start_run(&mut self) {
        self.runs += 1;
        let run_id = RunId::parse(&format!("run-{}", self.runs)).unwrap();
        let order = StartAgent {
            agent_id: Some(agent(self.rng.u64(0..AGENTS))),
            rig_id: self.rig_id.clone(),
            name: "Agent".to_owned(),
            role: Role::Polecat,
            runtime: Runtime::Process,
            prompt: None,
            model: None,
            system_prompt: None,
            git_url: None,
            branch: None,
            default_branch: None,
            env_vars: None,
            command: Some(vec!["true".to_owned()]),
            transcript: None,
            speed: None,
            timeout_seconds: None,
        };
        let Ok((start, _, outcome)) = self.town.begin_run(order, agent(9), run_id, self.now) else { return };
        self.perform(&outcome);
        match self.rng.u32(0..10) {
            0 => self.fire(Fault::StartLost),
            1 => {
                self.fire(Fault::StartAnswerLost);
                self.container_starts(&start);
            }
            _ => {
                self.container_starts(&start);
                let started = ControlStarted { epoch: self.container.epoch.clone(), run_id: start.run_id };
                let outcome = self.town.run_accepted(&started, self.now, &mut fresh).unwrap();
                self.perform(&outcome);
            }
        }
    }

    fn container_starts(&mut self, start: &ControlStart) {
        self.container.start(start);
        let running = AgentStatusChanged { status: Status::Running };
        self.container.emit(&start.run_id, &running.into(), self.now);
    }

    fn some_run(&mut self) -> Option<RunId> {
        let runs: Vec<RunId> = self.container.runs.keys().cloned().collect();
        self.rng.choice(runs)
    }

    fn fresh_token(&mut self, source: &str) -> u64 {
        self.tokens += 1;
        self.emitted.insert(self.tokens, source.to_owned());
        self.tokens
    }

    fn agent_speaks(&mut self) {
        let Some(run_id) = self.some_run() else { return };
        for _ in 0..self.rng.u32(1..12) {
            let token = self.fresh_token("container");
            let length = if self.rng.u32(0..40) == 0 { 100_000 } else { 10 };
            let text = format!("#{token} {}", "x".repeat(length));
            let output = AgentOutput { text, stream: OutputStream::Stdout, message_id: None, parent_tool_use_id: None };
            self.container.emit(&run_id, &output.into(), self.now);
        }
    }

    fn agent_exits(&mut self) {
        let Some(run_id) = self.some_run() else { return };
        let exit = AgentExited { reason: ExitReason::Completed, exit_code: Some(0), signal: None, message: None };
        self.container.emit(&run_id, &EventData::Exited(exit), self.now);
    }

    fn agent_speaks_after_its_end(&mut self) {
        let Some(run_id) = self.rng.choice(self.container.ended.keys().cloned().collect::<Vec<_>>()) else { return };
        self.fire(Fault::SpokeAfterEnd);
        let token = self.fresh_token("container");
        let text = format!("#{token} too late");
        let output = AgentOutput { text, stream: OutputStream::Stdout, message_id: None, parent_tool_use_id: None };
        self.container.emit(&run_id, &output.into(), self.now);
    }

    fn restart_container(&mut self) {
        self.fire(Fault::ContainerRestarted);
        self.lives += 1;
        self.previous = Some(std::mem::replace(&mut self.container, Container::new(self.lives)));
    }

    fn overflow(&mut self) {
        let keep = self.rng.usize(0..6);
        if !self.container.overflow(keep).is_empty() {
            self.fire(Fault::ContainerOverflowed);
        }
    }

    // ---- the relay ----

    fn ask(&mut self) {
        let asked = relay::position(self.store.as_ref(), &Source::Container).unwrap();
        let limit = self.rng.usize(1..30);
        let answer = match &self.previous {
            // One that the town has followed: of two that it has not, nobody could tell which is the older.
            Some(previous) if self.follows_no_more(&previous.epoch) && self.rng.u32(0..12) == 0 => {
                let answer = previous.answer(&asked, limit);
                self.fire(Fault::OldEpochAnswers);
                answer
            }
            _ => self.container.answer(&asked, limit),
        };
        self.answers.push((asked, answer));
        if self.rng.bool() {
            self.deliver_answer();
        }
    }

    fn follows_no_more(&self, epoch: &Epoch) -> bool {
        relay::is_retired(self.store.as_ref(), &Source::Container, epoch).unwrap()
    }

    fn deliver_answer(&mut self) {
        if self.answers.is_empty() {
            return;
        }
        let (asked, answer) = self.answers.swap_remove(self.rng.usize(0..self.answers.len()));
        match self.rng.u32(0..12) {
            0 => return self.fire(Fault::AnswerDropped),
            1 => {
                self.fire(Fault::AnswerRepeated);
                self.answers.push((asked.clone(), answer.clone()));
            }
            _ => {}
        }
        if answer.epoch != self.container.epoch {
            self.fire(Fault::OldEpochLate);
        }
        match relay::apply(self.store.as_ref(), &asked, &answer, self.now, self.config.event_cap, &mut fresh).unwrap() {
            Answered::Taken(outcome) | Answered::NewEpoch(outcome) => self.perform(&outcome),
            Answered::Stale => self.fire(Fault::AnswerLate),
        }
    }

    fn unanswered(&mut self) {
        self.fire(Fault::RelayUnanswered);
        let outcome = relay::unanswered(self.store.as_ref(), self.now, self.config.event_cap, &mut fresh).unwrap();
        self.perform(&outcome);
    }

    // ---- the rig ----

    fn post(&mut self) {
        let agent_id = agent(self.rng.u64(0..AGENTS));
        let events: Vec<serde_json::Value> = (0..self.rng.u32(1..6))
            .map(|_| {
                let token = self.fresh_token("rig");
                self.posted.push(token);
                json!({"event_type": "note", "data": format!("#{token} note"), "event_id": format!("key-{token}")})
            })
            .collect();
        let body = json!({"agent_id": agent_id.as_str(), "events": events}).to_string();
        let receipt = self.rig.post(parse_body(body.as_bytes()).unwrap(), self.now).unwrap();
        assert_eq!((receipt.appended, receipt.duplicates), (events.len() as u64, 0));
        if self.rng.u32(0..4) == 0 {
            self.fire(Fault::PostRepeated);
            let again = self.rig.post(parse_body(body.as_bytes()).unwrap(), self.now).unwrap();
            assert_eq!((again.appended, again.duplicates), (0, events.len() as u64));
        }
    }

    fn forward(&mut self) {
        if let Some(batch) = self.rig.next_batch().unwrap() {
            self.batches.push(batch);
        }
        if self.batches.is_empty() {
            return;
        }
        let batch = self.batches.swap_remove(self.rng.usize(0..self.batches.len()));
        match self.rng.u32(0..10) {
            0 => return self.fire(Fault::BatchDropped),
            1 => {
                self.fire(Fault::BatchRepeated);
                self.batches.push(batch.clone());
            }
            _ => {}
        }
        let (cursor, outcome) = self.town.take_batch(&batch, &mut fresh).unwrap();
        self.perform(&outcome);
        if self.rng.u32(0..6) == 0 {
            self.fire(Fault::CursorLost);
        } else {
            self.cursors.push(cursor);
        }
        // The rig has one request in flight, so answers reach it in order.
        for cursor in self.cursors.drain(..) {
            self.rig.adopt(cursor.cursor).unwrap();
        }
    }

    // ---- viewers ----

    fn come_and_go(&mut self) {
        let index = self.rng.usize(0..self.viewers.len());
        match self.viewers[index].stream {
            Some(stream) => {
                self.fire(Fault::ViewerCut);
                self.town.leave(stream);
                self.viewers[index].cut();
            }
            None => self.join(index),
        }
    }

    fn join(&mut self, index: usize) {
        let stream = self.town.fresh_viewer();
        let join = self.viewers[index].join(stream);
        let effects = self.town.join(stream, &join, self.now).unwrap();
        self.send(effects);
    }

    /// A viewer says what it has; and the time that passes lets the others have more.
    fn acknowledge(&mut self) {
        let index = self.rng.usize(0..self.viewers.len());
        let viewer = &mut self.viewers[index];
        if let (Some(stream), Some(id)) = (viewer.stream, viewer.acknowledgement()) {
            let effects = self.town.hear(stream, &format!(r#"{{"type":"ack","id":{id}}}"#), self.now);
            self.send(effects);
        }
        let effects = self.town.tick(self.now).unwrap();
        self.send(effects);
    }

    /// The object leaves memory; its sockets stay open, each with the note that was kept with it.
    fn evict(&mut self) {
        self.fire(Fault::TownEvicted);
        self.town = open(&self.store, self.config);
        for viewer in &self.viewers {
            if viewer.stream.is_some() {
                let note = viewer.note.as_ref().expect("an open stream without a note");
                assert_eq!(self.town.recall(note).unwrap(), viewer.stream);
            }
        }
    }

    fn kill(&mut self) {
        self.fire(Fault::TownKilled);
        self.answers.clear();
        self.reopen_after_kill();
    }

    fn reopen_after_kill(&mut self) {
        self.town = open(&self.store, self.config);
        for viewer in &mut self.viewers {
            viewer.cut();
        }
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

fn fresh() -> RunId {
    use std::sync::atomic::{AtomicU64, Ordering};
    static MINTED: AtomicU64 = AtomicU64::new(0);
    RunId::parse(&format!("minted-{}", MINTED.fetch_add(1, Ordering::Relaxed))).unwrap()
}

//! The scheduler: one seed, one story.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use fastrand::Rng;
use townwatch_protocol::event::Role;
use townwatch_protocol::id::{AgentId, Epoch, RigId, RunId, TownId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{RigBatch, RigRequest};
use townwatch_town::agents::archive::AgentRegistration;
use townwatch_town::rig::Rig;
use townwatch_town::rig::carrier::Carrier;
use townwatch_town::store::Store;
use townwatch_town::town::{Town, TownConfig};
use townwatch_town::viewers::ViewerId;
use townwatch_town::viewers::frames::Pace;

use super::container::Container;
use super::faults::Fault;
use super::oracle::Oracle;
use super::pager::Pager;
use super::relaying::{Flight, PresentTurn};
use super::viewer::{Manner, SimViewer};
use crate::sqlite::Sqlite;

pub(super) const AGENTS: u64 = 3;
const PACE_MS: i64 = 20;

pub struct World {
    pub(super) rng: Rng,
    pub(super) now: Timestamp,
    pub(super) store: Rc<Sqlite>,
    pub(super) town: Town,
    pub(super) rig_store: Rc<Sqlite>,
    pub(super) rig: Rig,
    pub(super) rig_id: RigId,
    pub(super) container: Container,
    /// The container of the life before: it may not be dead yet.
    pub(super) previous: Option<Container>,
    pub(super) lives: u64,
    pub(super) runs: u64,
    pub(super) tokens: u64,
    /// Whether its agents print long lines.
    pub(super) is_loud: bool,
    /// How many runs a post may begin, each with one event; 0 where none does.
    pub(super) begun_at_once: u32,
    /// The relay's turn, and how many requests there have been.
    pub(super) turn: Option<PresentTurn>,
    pub(super) asked: u64,
    pub(super) answers: Vec<Flight>,
    pub(super) carrier: Carrier,
    pub(super) rig_alarm_at: Option<Timestamp>,
    /// The batch that the rig waits for.
    pub(super) in_flight: Option<RigBatch>,
    /// Batches of before that may still arrive.
    pub(super) strays: Vec<RigBatch>,
    pub(super) posts: Vec<Vec<u8>>,
    pub(super) viewers: Vec<SimViewer>,
    /// Streams whose viewer is gone, which the object has not been told yet, each with its note.
    pub(super) leaving: Vec<(ViewerId, Option<String>)>,
    pub(super) pagers: Vec<Pager>,
    pub(super) emitted: BTreeMap<u64, String>,
    pub(super) posted: Vec<u64>,
    /// When the town last took over something that each agent posted, and the latest that its clock has ever said.
    pub(super) heard: BTreeMap<String, Timestamp>,
    pub(super) latest: Timestamp,
    pub(super) silent: bool,
    /// Calls that agents have made lately.
    pub(super) calls: Vec<String>,
    pub(super) oracle: Oracle,
    pub(super) faults: BTreeMap<Fault, u64>,
    pub(super) config: TownConfig,
    /// Whether nothing goes wrong any more.
    pub(super) is_calm: bool,
}

pub(super) fn agent(number: u64) -> AgentId {
    AgentId::parse(&format!("agent-{number}")).unwrap()
}

pub(super) fn open(store: &Rc<Sqlite>, config: TownConfig) -> Town {
    Town::open(Rc::clone(store) as Rc<dyn Store>, config, Rc::new(fresh)).unwrap().unwrap()
}

/// In every other story the streams of one agent are opened by a ticket for that agent, else by the operator.
fn viewers(seed: u64) -> Vec<SimViewer> {
    let manner = |acknowledges, slow, subscribes| Manner { acknowledges, slow, subscribes };
    [
        (None, manner(true, false, false)),
        (Some(agent(1)), manner(true, true, false)),
        (None, manner(false, false, false)),
        (Some(agent(0)), manner(false, true, false)),
        (None, manner(true, true, true)),
        (Some(agent(2)), manner(false, false, true)),
    ]
    .map(|(agent_id, manner)| {
        let ticket_for = agent_id.clone().filter(|_| seed.is_multiple_of(2));
        SimViewer { ticket_for, ..SimViewer::new(agent_id, manner) }
    })
    .into()
}

fn pagers() -> Vec<Pager> {
    vec![
        Pager::new(true, None, &[]),
        Pager::new(true, Some(agent(1)), &["agent_output", "agent.exited"]),
        Pager::new(false, None, &[]),
        Pager::new(false, Some(agent(0)), &["agent_tool_call", "note"]),
    ]
}

impl World {
    pub fn new(seed: u64) -> Self {
        MINTED.set(0);
        let mut rng = Rng::with_seed(seed);
        let now = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        let (store, rig_store) = (Rc::new(Sqlite::new()), Rc::new(Sqlite::new()));
        // Loud agents print long lines, of which a viewer that acknowledges nothing may not have all at once.
        let is_loud = rng.u32(0..50) == 0;
        let event_cap = if is_loud { 120 } else { rng.u64(8..60) };
        let frame_interval_ms = if rng.bool() { 0 } else { PACE_MS };
        let pace = Pace { frame_interval_ms, window_events: rng.u64(1..40), bucket_events: rng.u64(40..90) };
        let config = TownConfig { event_cap, pace, ..TownConfig::default() };
        let (town_id, rig_id) = (TownId::parse("town").unwrap(), RigId::parse("rig").unwrap());
        Town::create(store.as_ref(), &town_id, "Town", &Epoch::parse("log").unwrap(), now).unwrap();
        Rig::create(rig_store.as_ref(), &rig_id, &town_id, &Epoch::parse("rig-log").unwrap()).unwrap();
        Oracle::listen(&store);
        // In every fifth story the tables soon take more than they may.
        if seed % 5 == 3 {
            store.set_max_bytes(store.fill().taken_bytes + 16_384 + seed % 7 * 8_192);
        }
        let mut town = open(&store, config);
        let rig = Rig::open(Rc::clone(&rig_store) as Rc<dyn Store>, config.event_cap).unwrap().unwrap();
        let request = RigRequest { name: "Rig".to_owned(), git_url: None, default_branch: None };
        town.add_rig(rig_id.clone(), &request, now).unwrap();
        for number in 0..AGENTS {
            let agent_id = agent(number);
            let register =
                AgentRegistration { rig_id: &rig_id, agent_id: &agent_id, name: "Agent", role: Role::Polecat };
            town.handle(register, now).unwrap();
            rig.register(&agent(number), "Agent", Role::Polecat, now).unwrap();
        }
        Self {
            now,
            store,
            town,
            rig_store,
            rig,
            rig_id,
            container: Container::new(1, &mut rng),
            previous: None,
            lives: 1,
            runs: 0,
            tokens: 0,
            is_loud,
            begun_at_once: if seed % 7 == 5 { 40 } else { 0 },
            turn: None,
            asked: 0,
            answers: Vec::new(),
            carrier: Carrier::default(),
            rig_alarm_at: None,
            in_flight: None,
            strays: Vec::new(),
            posts: Vec::new(),
            viewers: viewers(seed),
            leaving: Vec::new(),
            pagers: pagers(),
            emitted: BTreeMap::new(),
            posted: Vec::new(),
            heard: BTreeMap::new(),
            latest: now,
            silent: false,
            calls: Vec::new(),
            oracle: Oracle::default(),
            faults: BTreeMap::new(),
            config,
            is_calm: false,
            rng,
        }
    }

    pub fn run(mut self) -> BTreeMap<Fault, u64> {
        for step in 0..self.rng.usize(60..240) {
            self.now = self.now.plus_millis(self.rng.i64(0..if self.is_loud { 20 } else { 400 }));
            self.latest = self.latest.max(self.now);
            self.step();
            self.latest = self.latest.max(self.now);
            self.oracle.read_log(&self.store, &self.emitted);
            if self.viewers.iter().any(SimViewer::waits_without_a_word) {
                self.fire(Fault::MeteredWaited);
            }
            for fault in std::mem::take(&mut self.container.faults) {
                self.fire(fault);
            }
            if step % 16 == 0 {
                self.check();
            }
        }
        self.drain();
        self.faults
    }

    fn step(&mut self) {
        match self.rng.u32(0..123) {
            0..12 => self.start_run(),
            12..37 => self.agent_speaks(),
            37..40 => self.agent_exits(),
            40..41 => self.agent_speaks_after_its_end(),
            41..56 => self.ask(),
            56..68 => self.deliver_answer(),
            68..74 => self.post(),
            74..75 => self.post_again(),
            75..81 => self.forward(),
            81..82 => self.kill_rig(),
            82..87 => self.acknowledge(),
            87..91 => self.come_and_go(),
            91..94 => self.subscribe(),
            94..95 => self.acknowledge_falsely(),
            95..98 => self.read_network(),
            98..101 => self.turn_page(),
            101..103 => self.evict(),
            103..104 => self.kill(),
            104..105 => self.restart_container(),
            105..106 => self.stop_container(),
            106..107 => self.overflow(),
            107..108 => self.expire_run(),
            108..110 => self.take_turn(),
            110..112 => self.unanswered(),
            112..114 => {
                self.fire(Fault::ClockBack);
                self.now = self.now.plus_millis(-self.rng.i64(0..60_000));
            }
            114..116 => self.delete_agent(),
            116..119 => self.perform_stops(),
            _ => {
                self.fire(Fault::ClockForward);
                self.now = self.now.plus_millis(self.rng.i64(0..200_000));
            }
        }
    }

    pub(super) fn fire(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// Whether something goes wrong that does so once in so many times.
    pub(super) fn goes_wrong(&mut self, one_in: u32) -> bool {
        !self.is_calm && self.rng.u32(0..one_in) == 0
    }

    pub(super) fn check(&mut self) {
        // What the pace holds back leaves with the next frame.
        self.now = self.now.plus_millis(PACE_MS);
        self.tick();
        self.oracle.read_log(&self.store, &self.emitted);
        for viewer in &self.viewers {
            if viewer.is_live() {
                self.oracle.check_complete(viewer, !self.is_calm);
            }
            if viewer.waits_without_a_word() {
                let Pace { window_events, bucket_events, .. } = self.config.pace;
                let is_spent = viewer.link.bytes > 4 << 20 || viewer.link.events + window_events > bucket_events;
                let is_metered = !viewer.link.acknowledges && is_spent;
                assert!(is_metered, "a viewer that may have more is neither at the head nor told to wait");
            }
        }
        self.oracle.check_states(&self.store);
        self.check_silence();
        self.check_budgets();
        self.check_open_runs();
        self.check_outbox();
        let away = "SELECT run_id, exit FROM runs WHERE json_extract(exit, '$.message') LIKE '%went away%' \
            OR json_extract(exit, '$.message') LIKE '%container stopped%'";
        for row in self.store.query(away, &[]).unwrap() {
            let run_id = RunId::parse(row.text(0).unwrap()).unwrap();
            let is_there = self.container.runs.contains_key(&run_id) || self.container.ended.contains_key(&run_id);
            assert!(!is_there, "{run_id} was called lost, and its container is there: {row:?}");
        }
        if self.store_number("SELECT coalesce(sum(pruned_count), 0) FROM agents") > 0 {
            self.fire(Fault::Pruned);
        }
        let most = self
            .store_number("SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM agent_events GROUP BY agent_id)");
        assert!(most <= self.config.event_cap, "{most} events of one agent are retained");
        self.check_space();
    }

    /// Where the tables take too much events go before their agent is at its cap, and of each agent its newest stays.
    fn check_space(&mut self) {
        self.oracle.check_newest();
        let early = "SELECT count(*) FROM agents WHERE pruned_count > 0 AND event_count < ?";
        let early = self.store.query(early, &[self.config.event_cap.into()]).unwrap()[0].number(0).unwrap();
        if early > 0 {
            self.fire(Fault::SpaceMade);
        }
    }

    /// An agent that posts is silent once nothing of it has come for ten minutes, or the town's alarm stands for that.
    fn check_silence(&mut self) {
        self.latest = self.latest.max(self.now);
        let sql = "SELECT agents.agent_id, is_silent FROM agents JOIN runs \
            ON run_id = json_extract(state, '$.state.run_id') AND source LIKE 'rig:%' AND exit IS NULL";
        let mut silent = false;
        for row in self.store.query(sql, &[]).unwrap() {
            let (agent_id, is_silent) = (row.text(0).unwrap(), row.number(1).unwrap() == 1);
            let deadline = self.heard[agent_id].plus_millis(600_000);
            let is_due_soon = self.town.due_at(self.now).is_some_and(|at| at <= deadline.max(self.now));
            assert!(is_silent || is_due_soon, "{agent_id} has been silent since {deadline}, and nobody would notice");
            assert!(!is_silent || deadline <= self.latest, "{agent_id} is called silent before {deadline}");
            silent |= is_silent;
        }
        if silent != std::mem::replace(&mut self.silent, silent) {
            self.fire(if silent { Fault::FellSilent } else { Fault::HeardAgain });
        }
    }

    fn store_number(&self, sql: &str) -> u64 {
        self.store.query(sql, &[]).unwrap()[0].number(0).unwrap()
    }
}

thread_local! {
    /// Runs that the town has named, in this story.
    static MINTED: Cell<u64> = const { Cell::new(0) };
}

pub(super) fn fresh() -> RunId {
    MINTED.set(MINTED.get() + 1);
    RunId::parse(&format!("minted-{}", MINTED.get())).unwrap()
}

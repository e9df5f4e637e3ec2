//! What the edge does around the core: transactions that may be refused, effects that may not get out, the end of a
//! story in which everything arrives.

use std::collections::HashMap;
use std::rc::Rc;

use townwatch_protocol::error::{Code, Result};
use townwatch_protocol::time::Timestamp;
use townwatch_town::agents::runs::Source;
use townwatch_town::log::ingest::Outcome;
use townwatch_town::reading::ending::Ending;
use townwatch_town::relay;
use townwatch_town::town::Town;
use townwatch_town::viewers::Effect;

use super::container;
use super::faults::Fault;
use super::frames::Frame;
use super::oracle::Oracle;
use super::viewer::SimViewer;
use super::world::World;
use crate::sqlite::Sqlite;

impl World {
    /// Does something that changes the tables, in which one statement may be refused: then nothing was changed, and who
    /// asked for it tries again later. None: refused.
    pub(super) fn transact<T>(
        &mut self,
        store: &Rc<Sqlite>,
        act: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Option<Result<T>> {
        if !self.goes_wrong(30) {
            return Some(act(self));
        }
        let before = store.dump();
        store.fail_after(self.rng.u64(0..30));
        let outcome = act(self);
        if !store.has_failed() {
            return Some(outcome);
        }
        self.fire(Fault::StatementRefused);
        assert!(outcome.is_err_and(|error| error.code == Code::Internal), "a refused statement went unnoticed");
        assert!(store.dump() == before, "a refused transaction left something behind");
        // The alarm does what is due, whatever became of its turn.
        self.show(Town::tick);
        None
    }

    /// Shows viewers what a transaction changed. A kill before that loses it, and every socket.
    pub(super) fn perform(&mut self, outcome: &Outcome) {
        if self.goes_wrong(50) {
            self.fire(Fault::KilledBeforeSending);
            self.kill_town();
            return;
        }
        self.show(|town, now| town.publish(outcome, now));
    }

    /// Lets the town say what viewers are to be sent. If it cannot, they are let go and come again.
    pub(super) fn show(&mut self, say: impl FnOnce(&mut Town, Timestamp) -> Result<Vec<Effect>>) {
        let may_fail = self.goes_wrong(60);
        if may_fail {
            self.store.fail_after(self.rng.u64(0..16));
        }
        let said = say(&mut self.town, self.now);
        if may_fail && self.store.has_failed() {
            self.fire(Fault::ShowingRefused);
            assert!(said.is_err_and(|error| error.code == Code::Internal), "a refused statement went unnoticed");
            self.kill_town();
        } else {
            self.send(said.unwrap());
        }
    }

    fn send(&mut self, effects: Vec<Effect>) {
        self.oracle.hear(&self.store, &self.emitted);
        let mut frames: HashMap<*const u8, Rc<Frame>> = HashMap::new();
        for effect in effects {
            let (Effect::Send(id, _) | Effect::Remember(id, _) | Effect::Close(id, ..)) = &effect;
            if let Some(gone) = self.leaving.iter_mut().find(|(leaving, _)| leaving == id) {
                if let Effect::Remember(_, note) = effect {
                    gone.1 = Some(note);
                }
                continue;
            }
            let viewer = self.viewers.iter_mut().find(|viewer| viewer.stream == Some(*id));
            let viewer = viewer.expect("something for a stream that is not open");
            match effect {
                Effect::Send(_, text) => {
                    let frame = frames.entry(text.as_ptr()).or_insert_with(|| {
                        let frame = Frame::parse(text);
                        frame.check_sent(&self.oracle, &self.store);
                        Rc::new(frame)
                    });
                    frame.check_scope(viewer.ticket_for.as_ref());
                    let (is_pause, is_elision) = (frame.is_pause(), frame.is_elision());
                    if is_elision && !viewer.manner.subscribes {
                        frame.check_elision(&self.oracle);
                    }
                    viewer.send(Rc::clone(frame), self.config.pace.window_events);
                    if is_pause {
                        self.fire(Fault::ViewerPaused);
                    }
                    if is_elision {
                        self.fire(Fault::Elided);
                    }
                }
                Effect::Remember(_, note) => viewer.note = Some(note),
                Effect::Close(_, Ending::AgentDeleted) => {
                    assert!(viewer.agent_id.is_some(), "the town's stream ended with one of its agents");
                    viewer.read(usize::MAX);
                    viewer.cut();
                    self.fire(Fault::StreamOfDeletedEnded);
                }
                Effect::Close(id, ending) => {
                    assert_eq!(ending.code(), 1013, "{id:?} was closed: {}", ending.reason());
                    let acknowledges = viewer.link.acknowledges;
                    viewer.read(usize::MAX);
                    viewer.cut();
                    self.fire(if acknowledges { Fault::ViewerGivenUp } else { Fault::ViewerTooSlow });
                }
            }
        }
        for viewer in &mut self.viewers {
            if !viewer.manner.slow || self.is_calm {
                viewer.read(usize::MAX);
            }
        }
    }

    // ---- the end: all faults over, everything has to arrive ----

    pub(super) fn drain(&mut self) {
        self.is_calm = true;
        self.answers.clear();
        self.batches.clear();
        self.notice_cuts();
        self.now = self.now.plus_millis(600_000);
        for index in 0..self.viewers.len() {
            self.viewers[index].read(usize::MAX);
        }
        self.join_all();
        for round in 0.. {
            assert!(round < 10_000, "the relay never gets to the container's head");
            let asked = relay::position(self.store.as_ref(), &Source::Container).unwrap();
            let answer = self.container.answer(&asked, 500);
            let done = answer.events.is_empty() && asked.epoch.as_ref() == Some(&answer.epoch);
            assert!(self.take_answer(&asked, &answer), "the present answer is stale");
            if done {
                if self.town.stop_orders().unwrap().is_empty() {
                    break;
                }
                self.perform_stops();
            }
        }
        for round in 0.. {
            assert!(round < 10_000, "the rig never gets to the head of its log");
            let Some(batch) = self.rig.next_batch().unwrap() else { break };
            let cursor = self.take_batch(&batch).unwrap();
            self.rig.adopt(cursor.cursor).unwrap();
        }
        while !self.town.stop_orders().unwrap().is_empty() {
            self.perform_stops();
        }
        self.check_stopped();
        for _ in 0..10_000 {
            // What is due later is the silence of an agent that posts.
            let soon = self.now.plus_millis(1_000);
            let is_quiet = self.town.due_at(self.now).is_none_or(|at| at > soon);
            if self.viewers.iter().all(SimViewer::is_live) && is_quiet {
                break;
            }
            self.now = self.now.plus_millis(10);
            self.acknowledge();
            self.join_all();
        }
        assert!(self.viewers.iter().all(SimViewer::is_live), "a viewer never gets to the head");
        self.now = self.now.plus_millis(1_000);
        self.show(Town::tick);
        self.check();
        for viewer in &self.viewers {
            Oracle::check_shown_states(viewer, &self.store);
        }
        self.check_arrived();
        for _ in 0..8 {
            self.turn_pages();
        }
    }

    fn join_all(&mut self) {
        for index in 0..self.viewers.len() {
            if self.viewers[index].stream.is_none() {
                self.join(index);
            }
        }
    }

    /// Nothing that a source has kept is missing, and what it has lost was told.
    fn check_arrived(&self) {
        for token in &self.posted {
            assert!(self.oracle.has_token(*token), "posted event {token} never arrived");
        }
        for event in &self.container.said {
            let run_id = event.run_id.as_str();
            let arrived = container::token(&event.data).is_none_or(|token| self.oracle.has_token(token));
            let is_over = self.oracle.run_has_ended(run_id) || self.oracle.is_of_deleted_run(run_id);
            let is_told = event.id.get() <= self.container.lost_through() && self.oracle.run_has_source_gap(run_id);
            assert!(arrived || is_over || is_told, "the container's event {} never arrived", event.id);
        }
    }
}

//! What the edge does around the core: transactions that may be refused, effects that may not get out, the end of a
//! story in which everything arrives.

use std::collections::HashMap;
use std::rc::Rc;

use townwatch_protocol::error::{Code, Result};
use townwatch_town::input::{RigNotice, TownInput};
use townwatch_town::reading::ending::Ending;
use townwatch_town::town::Tick;
use townwatch_town::viewers::Effect;

use super::container;
use super::faults::Fault;
use super::frames::Frame;
use super::oracle::Oracle;
use super::viewer::SimViewer;
use super::world::World;

impl World {
    /// Hands an input to the town. A statement may be refused in it: in the decision, then nothing was changed, and who asked
    /// for it tries again later; or in the showing, then viewers are let go. And the object may be killed behind it, before
    /// anything of what it says has got out. None: refused.
    pub(super) fn handle<I: TownInput>(&mut self, input: I) -> Option<Result<I::Answer>> {
        self.handle_then(input, |_| {})
    }

    /// [`World::handle`], with what follows from a success before viewers are sent anything.
    pub(super) fn handle_then<I: TownInput>(
        &mut self,
        input: I,
        then: impl FnOnce(&mut Self),
    ) -> Option<Result<I::Answer>> {
        let before = self.goes_wrong(20).then(|| {
            let before = self.store.dump();
            self.store.fail_after(self.rng.u64(0..40));
            before
        });
        let answer = self.town.handle(input, self.now);
        let is_refused = before.is_some() && self.store.has_failed();
        // Looked at before anybody else writes: the oracle takes what it was not told of yet out of a table of its own.
        let left_behind = is_refused.then(|| self.store.dump());
        if answer.is_ok() {
            then(self);
        }
        let is_let_go = self.perform();
        if is_refused && !is_let_go {
            self.fire(Fault::StatementRefused);
            assert!(answer.is_err_and(|error| error.code == Code::Internal), "a refused statement went unnoticed");
            assert!(before == left_behind, "a refused transaction left something behind");
            // The alarm does what is due, whatever became of its turn.
            self.tick();
            return None;
        }
        Some(answer)
    }

    /// What has become due happens, or is tried again by the next alarm.
    pub(super) fn tick(&mut self) {
        if let Some(done) = self.handle(Tick) {
            done.unwrap();
        }
    }

    /// Does something in a rig that changes its tables, in which one statement may be refused: then nothing was changed. None:
    /// refused.
    pub(super) fn in_rig<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T>) -> Option<Result<T>> {
        if !self.goes_wrong(30) {
            return Some(act(self));
        }
        let store = self.rig_store.clone();
        let before = store.dump();
        store.fail_after(self.rng.u64(0..30));
        let outcome = act(self);
        if !store.has_failed() {
            return Some(outcome);
        }
        self.fire(Fault::StatementRefused);
        assert!(outcome.is_err_and(|error| error.code == Code::Internal), "a refused statement went unnoticed");
        assert!(store.dump() == before, "a refused transaction left something behind");
        None
    }

    /// Performs what the town says, in its order; true where it has let its viewers go. A kill before that loses all of it.
    pub(super) fn perform(&mut self) -> bool {
        let effects = self.town.take_effects();
        if effects.iter().any(|effect| matches!(effect, Effect::LetGo(_))) {
            assert!(self.store.has_failed(), "viewers were let go without a reason: {effects:?}");
            self.fire(Fault::ShowingRefused);
            self.kill_town();
            return true;
        }
        let has_changed = effects.iter().any(|effect| matches!(effect, Effect::Report(_)));
        if has_changed && self.goes_wrong(50) {
            self.fire(Fault::KilledBeforeSending);
            self.kill_town();
            return false;
        }
        self.send(effects);
        false
    }

    fn send(&mut self, effects: Vec<Effect>) {
        self.oracle.hear(&self.store, &self.emitted);
        let mut frames: HashMap<*const u8, Rc<Frame>> = HashMap::new();
        for effect in effects {
            let id = match &effect {
                Effect::Send(id, _) | Effect::Remember(id, _) | Effect::Close(id, ..) => id,
                Effect::TellRig(_, RigNotice::Ended(ends)) => {
                    self.rig.note_ends(ends, self.now).unwrap();
                    continue;
                }
                // Stops lie in the tables, and are performed by a step of their own.
                Effect::PerformStops | Effect::Announce | Effect::Report(_) => continue,
                effect => panic!("nothing here leads to {effect:?}"),
            };
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
                _ => unreachable!("not of a stream"),
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
        self.turn = None;
        self.strays.clear();
        self.notice_cuts();
        self.now = self.now.plus_millis(600_000);
        for index in 0..self.viewers.len() {
            self.viewers[index].read(usize::MAX);
        }
        self.join_all();
        for round in 0.. {
            assert!(round < 10_000, "the relay never gets to the container's head");
            self.take_turn();
            if self.is_relayed() {
                if self.town.stop_orders().unwrap().is_empty() {
                    break;
                }
                self.perform_stops();
            }
        }
        for round in 0.. {
            assert!(round < 10_000, "the rig never gets to the head of its log");
            let Some(alarm_at) = self.rig_alarm_at else { break };
            self.now = self.now.max(alarm_at);
            self.fire_rig_alarm();
            while self.in_flight.is_some() {
                self.deliver_batch();
            }
        }
        assert_eq!(self.rig.waiting().unwrap().events, 0, "something waits, and no alarm stands for it");
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
        self.tick();
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

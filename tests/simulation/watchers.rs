//! What viewers do to a world, and what happens to the object that serves them.

use super::faults::Fault;
use super::world::{World, open};

impl World {
    pub(super) fn come_and_go(&mut self) {
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

    pub(super) fn join(&mut self, index: usize) {
        let stream = self.town.fresh_viewer();
        let join = self.viewers[index].join(stream);
        let effects = self.town.join(stream, &join, self.now).unwrap();
        self.send(effects);
    }

    /// A viewer says what it has; and the time that passes lets the others have more.
    pub(super) fn acknowledge(&mut self) {
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
    pub(super) fn evict(&mut self) {
        self.fire(Fault::TownEvicted);
        self.rest();
        self.town = open(&self.store, self.config);
        for viewer in &self.viewers {
            if viewer.stream.is_some() {
                let note = viewer.note.as_ref().expect("an open stream without a note");
                assert_eq!(self.town.recall(note).unwrap(), viewer.stream);
            }
        }
    }

    pub(super) fn kill(&mut self) {
        self.fire(Fault::TownKilled);
        self.answers.clear();
        self.reopen_after_kill();
    }

    pub(super) fn reopen_after_kill(&mut self) {
        self.town = open(&self.store, self.config);
        for viewer in &mut self.viewers {
            viewer.cut();
        }
    }
}

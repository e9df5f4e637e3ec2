//! What viewers and readers do to a world, and what happens to the object that serves them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use townwatch_town::reading::streams::{MessageContent, OpenStream, ViewerMessage};
use townwatch_town::viewers::{RecallResult, ViewerId};

use super::faults::Fault;
use super::frames::SWITCHES;
use super::viewer::Subscription;
use super::world::{AGENTS, World, agent, open};

impl World {
    /// A viewer comes, or its connection is cut, perhaps with frames under way. The object may learn of it much later.
    pub(super) fn come_and_go(&mut self) {
        self.notice_cuts();
        let index = self.rng.usize(0..self.viewers.len());
        let viewer = &mut self.viewers[index];
        let Some(stream) = viewer.stream else { return self.join(index) };
        let under_way = viewer.inbox.len();
        let note = viewer.note.clone();
        viewer.read(self.rng.usize(0..=under_way));
        let is_midway = !viewer.inbox.is_empty();
        viewer.cut();
        self.fire(if is_midway { Fault::ViewerCutMidway } else { Fault::ViewerCut });
        if self.rng.bool() {
            self.fire(Fault::CutUnnoticed);
            self.leaving.push((stream, note));
        } else {
            self.town.leave(stream);
        }
    }

    pub(super) fn notice_cuts(&mut self) {
        for (stream, _) in std::mem::take(&mut self.leaving) {
            self.town.leave(stream);
        }
    }

    pub(super) fn join(&mut self, index: usize) {
        let stream = self.town.fresh_viewer();
        let join = self.viewers[index].join(stream);
        let permit = self.viewers[index].permit();
        self.handle(OpenStream { id: stream, join: &join, permit }).unwrap().unwrap();
    }

    fn hear(&mut self, id: ViewerId, message: &Value) {
        let content = &message.to_string();
        self.handle(ViewerMessage { id, content: MessageContent::Text(content) });
    }

    /// A viewer says what it has; and the time that passes lets the others have more.
    pub(super) fn acknowledge(&mut self) {
        let index = self.rng.usize(0..self.viewers.len());
        self.viewers[index].read(usize::MAX);
        let viewer = &mut self.viewers[index];
        let has_some = viewer.link.last_id > viewer.link.acknowledged && viewer.subscriptions.is_empty();
        if viewer.stream.is_some() && !viewer.link.acknowledges && has_some && self.rng.u32(0..30) == 0 {
            viewer.link.acknowledges = true;
            viewer.owes_nothing();
            *self.faults.entry(Fault::FirstAcknowledgement).or_default() += 1;
        }
        if let (Some(stream), Some(id)) = (viewer.stream, viewer.acknowledgement()) {
            self.hear(stream, &json!({"type": "ack", "id": id}));
            let viewer = &mut self.viewers[index];
            viewer.read(usize::MAX);
            let is_stuck = viewer.stream.is_some() && viewer.link.paused && viewer.link.last_id == id;
            assert!(!is_stuck, "a viewer that has acknowledged all it was sent is sent nothing more");
        }
        self.tick();
    }

    /// It says that it has what it cannot have: refused, and nothing else changes.
    pub(super) fn acknowledge_falsely(&mut self) {
        let index = self.rng.usize(0..self.viewers.len());
        let Some(stream) = self.viewers[index].stream else { return };
        self.fire(Fault::FalseAcknowledgement);
        self.viewers[index].link.errors += 1;
        let id = self.oracle.head() + self.rng.u64(1..1_000);
        self.hear(stream, &json!({"type": "ack", "id": id}));
    }

    /// One of those that do so changes what it watches: agents, filters, from where on.
    pub(super) fn subscribe(&mut self) {
        let subscribers: Vec<usize> =
            (0..self.viewers.len()).filter(|index| self.viewers[*index].manner.subscribes).collect();
        let index = self.rng.choice(subscribers).unwrap();
        let Some(stream) = self.viewers[index].stream else { return };
        let agents = self.rng.bool().then(|| {
            let chosen = (0..=AGENTS).filter(|_| self.rng.bool()).collect::<Vec<_>>();
            chosen.into_iter().map(|number| agent(number).to_string()).collect::<BTreeSet<String>>()
        });
        let filters: Map<_, _> =
            SWITCHES.iter().map(|(switch, _)| ((*switch).to_owned(), self.rng.bool().into())).collect();
        let hidden = SWITCHES.iter().filter(|(switch, _)| filters[*switch] == false);
        let hidden = hidden.map(|(_, name)| (*name).to_owned()).collect();
        let after_id = self.rng.bool().then(|| self.rng.u64(0..=self.viewers[index].cursor));
        let viewer = &mut self.viewers[index];
        let is_beyond = !viewer.may_watch(agents.as_ref());
        if is_beyond {
            viewer.link.errors += 1;
        } else {
            viewer.owes_nothing();
            viewer.subscriptions.push_back(Subscription { agents: agents.clone(), hidden, after_id });
        }
        self.fire(if is_beyond {
            Fault::SubscribedBeyond
        } else if after_id.is_some() {
            Fault::SubscribedFromBefore
        } else {
            Fault::SubscribedAnew
        });
        let mut message = json!({"type": "subscribe", "agents": "*", "filters": filters});
        if let Some(agents) = &agents {
            message["agents"] = json!(agents);
        }
        if let Some(after_id) = after_id {
            message["after_id"] = json!(after_id);
        }
        self.hear(stream, &message);
    }

    /// What lies in the network of a slow viewer gets through, or some of it.
    pub(super) fn read_network(&mut self) {
        for index in 0..self.viewers.len() {
            let under_way = self.viewers[index].inbox.len();
            if under_way > 0 {
                self.fire(Fault::ViewerSlow);
                let count = self.rng.usize(0..=under_way);
                self.viewers[index].read(count);
            }
        }
    }

    pub(super) fn turn_page(&mut self) {
        let (index, limit) = (self.rng.usize(0..self.pagers.len()), self.rng.u64(1..80));
        let special = self.pagers[index].turn(&self.town, &self.oracle, &self.store, limit);
        if let Some(fault) = special {
            self.fire(fault);
        }
    }

    pub(super) fn turn_pages(&mut self) {
        for pager in &mut self.pagers {
            pager.turn(&self.town, &self.oracle, &self.store, 200);
        }
    }

    /// The object leaves memory; its sockets stay open, each with the note that was kept with it. No object goes that has
    /// done something in its last seconds, so what was due by then is done.
    pub(super) fn evict(&mut self) {
        self.fire(Fault::TownEvicted);
        self.now = self.now.plus_millis(1_000);
        self.tick();
        self.town = open(&self.store, self.config);
        self.turn = None;
        self.viewers.iter_mut().for_each(super::viewer::SimViewer::owes_nothing);
        let open_streams = self.viewers.iter().filter_map(|viewer| Some((viewer.stream?, viewer.note.clone())));
        for (stream, note) in open_streams.chain(self.leaving.iter().cloned()) {
            let note = note.expect("an open stream without a note");
            assert_eq!(self.town.recall(&note, &|_| true).unwrap(), RecallResult::Known(stream));
        }
    }

    pub(super) fn kill(&mut self) {
        self.fire(Fault::TownKilled);
        self.answers.clear();
        self.kill_town();
    }

    /// The object goes with its sockets, and is made again from its tables.
    pub(super) fn kill_town(&mut self) {
        self.town = open(&self.store, self.config);
        self.turn = None;
        self.leaving.clear();
        for viewer in &mut self.viewers {
            viewer.cut();
        }
    }
}

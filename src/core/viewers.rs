//! The streams of a town: each is a cursor into the log. What a viewer has not had yet is in the log and nowhere else;
//! viewers that want the same from the same place share one frame text.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::core::cursor;
use crate::core::flow::Flow;
use crate::core::frames::{Frames, Occasion};
use crate::core::log::{self, Selection};
use crate::core::store::Store;
use crate::error::Result;
use crate::id::{AgentId, EventId};
use crate::protocol::{AgentSelection, Filters, PressureLevel, ServerFrame};
use crate::time::Timestamp;

/// Names a viewer within its town.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ViewerId(pub u64);

/// What has to happen at the edge, in this order.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Send a text. The same text for several viewers is the same `Rc`.
    Send(ViewerId, Rc<str>),
    /// Close the stream.
    Close(ViewerId, u16, &'static str),
    /// Keep this note with the socket: with it the viewer is known again after a hibernation.
    Remember(ViewerId, String),
}

/// A stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Viewer {
    /// Its name.
    pub id: ViewerId,
    agents: AgentSelection,
    filters: Filters,
    /// The last event that it has been sent, or that is not for it. Whoever is `live` has had all up to the head.
    cursor: EventId,
    /// Whether it has been told that it has caught up.
    live: bool,
    /// The head when it was last told what is pruned.
    gaps_known_at: Option<EventId>,
    /// Whether the stream ends with the agent's run.
    until_exit: bool,
    /// Whether it had to wait since it was last live, and so may have missed states.
    has_waited: bool,
    flow: Flow,
}

/// Where a new stream begins and what it wants.
#[derive(Debug, Clone)]
pub struct Wish {
    /// What it watches.
    pub selection: Selection,
    /// Where its history begins.
    pub begin: cursor::Begin,
    /// Whether it ends with the agent's run.
    pub until_exit: bool,
    /// Whether it acknowledges what it gets.
    pub acknowledges: bool,
}

/// All streams of a town.
#[derive(Debug)]
pub struct Viewers {
    all: BTreeMap<ViewerId, Viewer>,
    newest: u64,
    window_events: u64,
}

impl Viewers {
    /// No streams. A viewer that acknowledges may owe `window_events`.
    pub fn new(window_events: u64) -> Self {
        Self { all: BTreeMap::new(), newest: 0, window_events }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether no one watches.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A name that no other viewer of this town has.
    pub fn fresh_id(&mut self) -> ViewerId {
        self.newest += 1;
        ViewerId(self.newest)
    }

    /// Takes a stream in; [`Viewers::pump`] then sends its history.
    pub fn add(&mut self, id: ViewerId, wish: Wish, head: EventId) {
        let Wish { selection, begin, until_exit, acknowledges } = wish;
        let gaps_known_at = begin.tail.then_some(head);
        let Selection { agents, filters } = selection;
        let viewer = Viewer {
            id,
            agents,
            filters,
            cursor: begin.cursor,
            live: false,
            gaps_known_at,
            until_exit,
            has_waited: false,
            flow: Flow::new(acknowledges),
        };
        self.all.insert(id, viewer);
    }

    /// Takes a stream in again that outlived a hibernation, by the note that was kept with it.
    pub fn recall(&mut self, note: &str, head: EventId) -> Option<ViewerId> {
        let mut viewer: Viewer = serde_json::from_str(note).ok()?;
        if viewer.live {
            viewer.cursor = head;
        }
        let id = viewer.id;
        self.newest = self.newest.max(id.0);
        self.all.insert(id, viewer);
        Some(id)
    }

    /// Forgets a stream.
    pub fn remove(&mut self, id: ViewerId) {
        self.all.remove(&id);
    }

    /// Replaces what a stream watches. Without a cursor it goes on live. It may have to wait before it is sent anything,
    /// and the object may be evicted meanwhile, so this is noted at once.
    pub fn subscribe(
        &mut self,
        id: ViewerId,
        selection: Selection,
        begin: Option<cursor::Begin>,
        head: EventId,
        effects: &mut Vec<Effect>,
    ) {
        let Some(viewer) = self.all.get_mut(&id) else { return };
        let Selection { agents, filters } = selection;
        viewer.agents = agents;
        viewer.filters = filters;
        viewer.cursor = begin.map_or(head, |begin| begin.cursor);
        viewer.gaps_known_at = begin.is_none().then_some(head);
        viewer.flow.restart(viewer.cursor);
        viewer.live = false;
        viewer.remember(effects);
    }

    /// The live viewers of an agent.
    pub fn live_on(&self, agent_id: &AgentId) -> impl Iterator<Item = ViewerId> {
        self.all.values().filter(|viewer| viewer.live && viewer.selects(agent_id)).map(|viewer| viewer.id)
    }

    /// Takes a viewer's word that all up to `ack` has arrived; false if it was never sent so much.
    pub fn acknowledge(&mut self, id: ViewerId, ack: EventId) -> bool {
        let Some(viewer) = self.all.get_mut(&id) else { return true };
        let was_sent = ack <= viewer.cursor;
        if was_sent {
            viewer.flow.acknowledge(ack);
        }
        was_sent
    }

    /// Brings every viewer as near to the head as its flow allows, once for all that want the same from the same place.
    /// Gives those that are live again after a wait: what states they missed they have to be sent.
    pub fn pump(&mut self, store: &dyn Store, occasion: Occasion, effects: &mut Vec<Effect>) -> Result<Vec<ViewerId>> {
        let head = log::head(store)?;
        let behind: Vec<ViewerId> =
            self.all.values().filter(|viewer| !viewer.live || viewer.cursor < head).map(|viewer| viewer.id).collect();
        let mut frames = Frames::new(store, occasion, head, self.window_events);
        let mut live_again = Vec::new();
        for id in behind {
            let Some(viewer) = self.all.get_mut(&id) else { continue };
            match viewer.advance(&mut frames, effects)? {
                Then::Stay => {}
                Then::LiveAgain => live_again.push(id),
                Then::End(code, reason) => {
                    self.all.remove(&id);
                    effects.push(Effect::Close(id, code, reason));
                }
            }
        }
        Ok(live_again)
    }

    /// What a viewer watches.
    pub fn selection(&self, id: ViewerId) -> Option<Selection> {
        self.all.get(&id).map(Viewer::selection)
    }

    /// When a viewer that has to wait is to be looked at again.
    pub fn due_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.all.values().filter(|viewer| !viewer.live).map(|viewer| viewer.flow.due_at(now)).min()
    }
}

enum Then {
    Stay,
    LiveAgain,
    End(u16, &'static str),
}

impl Viewer {
    fn selects(&self, agent_id: &AgentId) -> bool {
        match &self.agents {
            AgentSelection::All => true,
            AgentSelection::Only(agents) => agents.binary_search(agent_id).is_ok(),
        }
    }

    fn selection(&self) -> Selection {
        Selection { agents: self.agents.clone(), filters: self.filters }
    }

    fn advance(&mut self, frames: &mut Frames<'_>, effects: &mut Vec<Effect>) -> Result<Then> {
        let Occasion { now, pruned_id } = frames.occasion;
        let head = frames.head;
        if self.flow.is_given_up(now) {
            return Ok(Then::End(1013, "nothing was acknowledged for 30 seconds; connect again and go on from there"));
        }
        let selection = self.selection();
        let mut may_miss = !self.live || self.cursor < pruned_id;
        let began_at = self.cursor;
        while self.cursor < head {
            if !self.flow.is_open(now, frames.window_events) {
                self.wait(began_at, frames, effects)?;
                return Ok(Then::Stay);
            }
            if self.flow.resume() {
                self.tell(
                    &ServerFrame::Backpressure { level: PressureLevel::Normal, lag_events: self.lag(frames)? },
                    effects,
                );
            }
            if std::mem::take(&mut may_miss) {
                for gap in cursor::pruned_gaps(frames.store, &selection, self.cursor, self.gaps_known_at)? {
                    self.tell(&ServerFrame::Gap(gap), effects);
                }
                self.gaps_known_at = Some(head);
            }
            let frame = frames.next(&selection, self.cursor, !self.live)?;
            if let Some(sent) = frame.sent {
                self.flow.sent(sent.newest, sent.count, sent.text.len() as u64, now);
                effects.push(Effect::Send(self.id, sent.text));
            }
            self.cursor = frame.last.unwrap_or(head);
        }
        let mut then = Then::Stay;
        if !self.live {
            self.live = true;
            // Paused, and nothing is left to send: what it was paused for is not in what it wants now.
            if self.flow.resume() {
                self.tell(&ServerFrame::Backpressure { level: PressureLevel::Normal, lag_events: 0 }, effects);
            }
            self.tell(&ServerFrame::CaughtUp { id: head }, effects);
            self.remember(effects);
            if std::mem::take(&mut self.has_waited) {
                then = Then::LiveAgain;
            }
        }
        if self.until_exit && self.is_over(frames.store)? {
            return Ok(Then::End(1000, "the run has ended"));
        }
        Ok(then)
    }

    /// What is left for it stays in the log until it may be sent more.
    fn wait(&mut self, began_at: EventId, frames: &Frames<'_>, effects: &mut Vec<Effect>) -> Result<()> {
        let is_news = self.live || self.cursor != began_at;
        let is_paused = self.flow.pause(frames.occasion.now);
        if is_paused {
            let lag_events = self.lag(frames)?;
            self.tell(&ServerFrame::Backpressure { level: PressureLevel::Paused, lag_events }, effects);
        }
        self.live = false;
        self.has_waited = true;
        if is_news || is_paused {
            self.remember(effects);
        }
        Ok(())
    }

    fn tell(&self, frame: &ServerFrame, effects: &mut Vec<Effect>) {
        effects.push(Effect::Send(self.id, text_of(frame).into()));
    }

    fn remember(&self, effects: &mut Vec<Effect>) {
        if let Ok(note) = serde_json::to_string(self) {
            effects.push(Effect::Remember(self.id, note));
        }
    }

    /// Events between its cursor and the head.
    fn lag(&self, frames: &Frames<'_>) -> Result<u64> {
        match &self.agents {
            AgentSelection::Only(agents) if agents.len() == 1 => {
                log::count_after(frames.store, &agents[0], self.cursor)
            }
            _ => Ok(frames.head.get() - self.cursor.get()),
        }
    }

    /// Whether the one agent that it watches has had a run and has none now.
    fn is_over(&self, store: &dyn Store) -> Result<bool> {
        let AgentSelection::Only(agents) = &self.agents else { return Ok(false) };
        let [agent_id] = agents.as_slice() else { return Ok(false) };
        let rows =
            store.query("SELECT count(*), count(exit) FROM runs WHERE agent_id = ?", &[agent_id.as_str().into()])?;
        let counts =
            rows.first().map(|row| Ok::<_, crate::error::Error>((row.number(0)?, row.number(1)?))).transpose()?;
        Ok(counts.is_some_and(|(runs, ended)| runs > 0 && runs == ended))
    }
}

/// A frame as its text.
pub fn text_of(frame: &ServerFrame) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}

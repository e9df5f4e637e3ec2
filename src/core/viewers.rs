//! The streams of a town: each is a cursor into the log. What a viewer has not had yet is in the log and nowhere else;
//! viewers that want the same from the same place share one frame text.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::core::cursor;
use crate::core::log::{self, Selection, Span, Wanted};
use crate::core::store::Store;
use crate::error::Result;
use crate::id::{AgentId, EventId};
use crate::limits::FRAME_BYTES_MAX;
use crate::protocol::{AgentSelection, Filters, ServerFrame};

/// Names a viewer within its town.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ViewerId(pub u64);

/// Rows read for one frame. 64 of 1 KiB fill it; 64 of 300 bytes are 19 KiB.
const FRAME_EVENTS_MAX: u64 = 64;

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
}

/// All streams of a town.
#[derive(Debug, Default)]
pub struct Viewers {
    all: BTreeMap<ViewerId, Viewer>,
    newest: u64,
}

impl Viewers {
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
        let Wish { selection, begin, until_exit } = wish;
        let gaps_known_at = begin.tail.then_some(head);
        let Selection { agents, filters } = selection;
        let viewer = Viewer { id, agents, filters, cursor: begin.cursor, live: false, gaps_known_at, until_exit };
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

    /// Replaces what a stream watches. Without a cursor it goes on live.
    pub fn subscribe(&mut self, id: ViewerId, selection: Selection, begin: Option<cursor::Begin>, head: EventId) {
        let Some(viewer) = self.all.get_mut(&id) else { return };
        let Selection { agents, filters } = selection;
        viewer.agents = agents;
        viewer.filters = filters;
        viewer.cursor = begin.map_or(head, |begin| begin.cursor);
        viewer.gaps_known_at = begin.is_none().then_some(head);
        viewer.live = false;
    }

    /// The live viewers of an agent.
    pub fn live_on(&self, agent_id: &AgentId) -> impl Iterator<Item = ViewerId> {
        self.all.values().filter(|viewer| viewer.live && viewer.selects(agent_id)).map(|viewer| viewer.id)
    }

    /// Brings every viewer to the head, once for all that want the same from the same place. `pruned_id` is the newest
    /// event that may have been pruned since the last time: a batch beyond the cap prunes what no one has had yet.
    pub fn pump(&mut self, store: &dyn Store, pruned_id: EventId, effects: &mut Vec<Effect>) -> Result<()> {
        let head = log::head(store)?;
        let behind: Vec<ViewerId> =
            self.all.values().filter(|viewer| !viewer.live || viewer.cursor < head).map(|viewer| viewer.id).collect();
        let mut frames = Frames { store, known: HashMap::new(), authors: HashMap::new() };
        let mut ended = BTreeSet::new();
        for id in behind {
            if let Some(viewer) = self.all.get_mut(&id)
                && viewer.advance(head, pruned_id, &mut frames, effects)? == Then::End
            {
                ended.insert(id);
            }
        }
        for id in ended {
            self.all.remove(&id);
            effects.push(Effect::Close(id, 1000, "the run has ended"));
        }
        Ok(())
    }
}

#[derive(PartialEq, Eq)]
enum Then {
    Stay,
    End,
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

    fn advance(
        &mut self,
        head: EventId,
        pruned_id: EventId,
        frames: &mut Frames<'_>,
        effects: &mut Vec<Effect>,
    ) -> Result<Then> {
        let selection = self.selection();
        let backfill = !self.live;
        if backfill || self.cursor < pruned_id {
            for gap in cursor::pruned_gaps(frames.store, &selection, self.cursor, self.gaps_known_at)? {
                effects.push(Effect::Send(self.id, text_of(&ServerFrame::Gap(gap)).into()));
            }
            self.gaps_known_at = Some(head);
        }
        while self.cursor < head {
            let frame = frames.next(&selection, self.cursor, backfill)?;
            if let Some(text) = frame.text {
                effects.push(Effect::Send(self.id, text));
            }
            self.cursor = frame.last.unwrap_or(head);
        }
        if backfill {
            self.live = true;
            effects.push(Effect::Send(self.id, text_of(&ServerFrame::CaughtUp { id: head }).into()));
            if let Ok(note) = serde_json::to_string(self) {
                effects.push(Effect::Remember(self.id, note));
            }
        }
        Ok(if self.until_exit && self.is_over(frames.store)? { Then::End } else { Then::Stay })
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

/// The frames made during one pump.
struct Frames<'a> {
    store: &'a dyn Store,
    known: HashMap<(Selection, EventId, bool), Frame>,
    /// Whose events come after an id.
    authors: HashMap<EventId, BTreeSet<AgentId>>,
}

#[derive(Clone)]
struct Frame {
    /// Absent where nothing in reach passes the filters.
    text: Option<Rc<str>>,
    /// The last event that the frame covers; none: it covers all up to the head.
    last: Option<EventId>,
}

impl Frames<'_> {
    fn next(&mut self, selection: &Selection, after: EventId, backfill: bool) -> Result<Frame> {
        let key = (selection.clone(), after, backfill);
        if let Some(frame) = self.known.get(&key) {
            return Ok(frame.clone());
        }
        // Live, what is new is of few agents: whoever watches others costs no look into the log.
        let frame = if backfill || self.authors(after)?.iter().any(|author| selection.includes(author)) {
            self.make(selection, after, backfill)?
        } else {
            Frame { text: None, last: None }
        };
        self.known.insert(key, frame.clone());
        Ok(frame)
    }

    fn authors(&mut self, after: EventId) -> Result<&BTreeSet<AgentId>> {
        Ok(match self.authors.entry(after) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(log::authors(self.store, after)?),
        })
    }

    fn make(&self, selection: &Selection, after: EventId, backfill: bool) -> Result<Frame> {
        let read = log::read(self.store, &selection.agents, Span::After(after), &Wanted::default(), FRAME_EVENTS_MAX)?;
        let mut text = EventsText::new(backfill);
        let mut last = None;
        let mut complete = (read.len() as u64) < FRAME_EVENTS_MAX;
        for entry in read {
            if selection.shows(&entry.event) && !text.push(&entry.frame) {
                complete = false;
                break;
            }
            last = Some(entry.id);
        }
        Ok(Frame { text: text.finish(), last: if complete { None } else { last } })
    }
}

/// Splices event texts into one `events` frame of at most [`FRAME_BYTES_MAX`].
struct EventsText {
    text: String,
    tail: &'static str,
    count: usize,
}

impl EventsText {
    fn new(backfill: bool) -> Self {
        let tail = if backfill { "],\"backfill\":true}" } else { "],\"backfill\":false}" };
        Self { text: "{\"type\":\"events\",\"events\":[".to_owned(), tail, count: 0 }
    }

    /// Adds an event; false, and nothing is added, if the frame would be too large. One always fits.
    fn push(&mut self, event: &str) -> bool {
        if self.count > 0 && self.text.len() + 1 + event.len() + self.tail.len() > FRAME_BYTES_MAX {
            return false;
        }
        if self.count > 0 {
            self.text.push(',');
        }
        self.text.push_str(event);
        self.count += 1;
        true
    }

    fn finish(mut self) -> Option<Rc<str>> {
        self.text.push_str(self.tail);
        (self.count > 0).then(|| self.text.into())
    }
}

/// A frame as its text.
pub fn text_of(frame: &ServerFrame) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}

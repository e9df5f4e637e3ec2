//! The streams of a town. Each stream is a cursor into the log. Events that a viewer has not had yet are in the log and
//! nowhere else. Viewers that want the same from the same place share one frame text.

pub(crate) mod allowance;
pub(crate) mod audience;
mod effect;
pub(crate) mod elision;
pub mod flow;
pub mod frames;
pub(crate) mod history;
pub mod keepalive;
pub(crate) mod message_rate;
mod pump;
pub mod silence;
pub(crate) mod state_list;
pub(crate) mod viewer;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use townwatch_protocol::error::Result;
use townwatch_protocol::id::{AgentId, EventId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{AgentSelection, ServerFrame};

pub use self::effect::{Effect, ViewerId};
use crate::access::grantor::Grantor;
use crate::access::permit::Permit;
use crate::log::Selection;
use crate::log::recent::RecentEvents;
use crate::reading::cursor;
use crate::reading::ending::Ending;
use crate::reading::log_position::LogPosition;
use crate::reading::stream_query::Form;
use crate::viewers::allowance::Allowance;
use crate::viewers::audience::Audiences;
use crate::viewers::flow::{Acknowledged, Flow};
use crate::viewers::frames::Pace;
use crate::viewers::history::History;
use crate::viewers::message_rate::MessageRate;
use crate::viewers::state_list::{StateList, StateTexts};
use crate::viewers::viewer::{Note, StreamState, Viewer};

/// A new stream: its place to begin, and its wishes.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// The agents and events to watch.
    pub selection: Selection,
    /// The place where its history begins.
    pub begin: cursor::Begin,
    /// Whether the stream ends with the agent's run.
    pub until_exit: bool,
    /// Whether the viewer acknowledges from the first frame on.
    pub acknowledges: bool,
    /// The form of its messages.
    pub form: Form,
    /// The permit to watch, with its grantor.
    pub permit: Permit,
    /// The agent whose stream it is; `None` for a stream of the town.
    pub opened_for: Option<AgentId>,
}

/// The result of taking a stream back after a hibernation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecallResult {
    /// The stream goes on.
    Known(ViewerId),
    /// The right that opened the stream is over.
    RightEnded,
    /// The stream's note cannot be read.
    Unknown,
}

/// All streams of a town.
#[derive(Debug)]
pub struct Viewers {
    all: BTreeMap<ViewerId, Viewer>,
    audiences: Audiences,
    history: History,
    /// The newest events of the log, as far as they were stored before viewers; `None` where they are to be read.
    recent: Option<RecentEvents>,
    newest: u64,
    pace: Pace,
    /// The newest event that may have been pruned.
    pruned_id: EventId,
    /// The time at which the next live frame leaves that is held back now.
    next_frame_at: Option<Timestamp>,
    /// The viewers that the last pump left behind: they wait for room. Of thousands of viewers these are few.
    waiting: Vec<ViewerId>,
    /// The viewers whose right ends by itself, by the time of its end.
    ends: BTreeSet<(Timestamp, ViewerId)>,
}

impl Viewers {
    /// No streams.
    pub fn new(pace: Pace) -> Self {
        Self {
            all: BTreeMap::new(),
            audiences: Audiences::default(),
            history: History::default(),
            recent: None,
            newest: 0,
            pace,
            pruned_id: EventId::START,
            next_frame_at: None,
            waiting: Vec::new(),
            ends: BTreeSet::new(),
        }
    }

    /// The number of streams.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are no streams.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Makes an id that no other viewer of this town has.
    pub fn fresh_id(&mut self) -> ViewerId {
        self.newest += 1;
        ViewerId(self.newest)
    }

    /// Adds a stream; [`Viewers::pump`] then sends its history.
    pub fn add(&mut self, id: ViewerId, subscription: Subscription, head: EventId) {
        let Subscription { selection, begin, until_exit, acknowledges, form, permit, opened_for } = subscription;
        let state = StreamState {
            position: LogPosition::new(begin, head),
            began: begin.cursor,
            reached: EventId::START,
            live: false,
            until_exit,
            flow: Flow::new(acknowledges, self.pace.bucket_events),
            states: StateList::begin(form),
            missed_after: None,
            allowance: Allowance::default(),
        };
        self.take_in(Note { id, selection, permit, opened_for, form, standing: state });
    }

    fn take_in(&mut self, note: Note<Selection, Permit, StreamState>) {
        let Note { id, selection, permit, opened_for, form, standing: state } = note;
        self.ends.extend(permit.grantor.ends_at.map(|ends_at| (ends_at, id)));
        let audience = self.audiences.of(selection, form);
        self.all.insert(id, Viewer { id, audience, permit, opened_for, state, message_rate: MessageRate::default() });
    }

    /// Takes a stream back that outlived a hibernation, by the note that was kept with it, if its right `lasts`.
    pub fn recall(&mut self, note: &str, lasts: &dyn Fn(&Grantor) -> bool, head: EventId) -> RecallResult {
        let Some(mut note) = Viewer::read_note(note) else { return RecallResult::Unknown };
        if !lasts(&note.permit.grantor) {
            return RecallResult::RightEnded;
        }
        let Note { id, form, standing: state, .. } = &mut note;
        let (id, form) = (*id, *form);
        state.flow.wake();
        if state.live {
            state.position.cursor = head;
        }
        // The numbers of state frames begin anew, so the town no longer knows which states the viewer missed.
        let has_missed = state.missed_after.take().is_some();
        if has_missed || !state.live || state.states != StateList::Complete {
            state.states = StateList::begin(form);
            self.waiting.push(id);
        }
        self.newest = self.newest.max(id.0);
        self.take_in(note);
        RecallResult::Known(id)
    }

    /// Forgets a stream.
    pub fn remove(&mut self, id: ViewerId) {
        if let Some(viewer) = self.all.remove(&id) {
            self.audiences.leave(&viewer.audience);
            if let Some(ends_at) = viewer.permit.grantor.ends_at {
                self.ends.remove(&(ends_at, id));
            }
        }
    }

    /// Ends the streams whose right has ended by itself. This comes before any other frame of the same moment.
    pub fn end_rights(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        while let Some((_, id)) = self.ends.first().copied().filter(|(ends_at, _)| *ends_at <= now) {
            self.remove(id);
            effects.push(Effect::Close(id, Ending::RightEnded));
        }
    }

    /// Ends all streams of a grantor whose right is ended now.
    pub(crate) fn end_of(&mut self, name: &str, effects: &mut Vec<Effect>) {
        let of_it = self.all.values().filter(|viewer| viewer.permit.grantor.name == name);
        for id in of_it.map(|viewer| viewer.id).collect::<Vec<_>>() {
            self.remove(id);
            effects.push(Effect::Close(id, Ending::RightEnded));
        }
    }

    /// Ends the streams of a deleted agent, and tells the other viewers that may have its state. They are told at once,
    /// even viewers that wait for room: the frame is small, and a new agent may have the same id a moment later.
    pub(crate) fn agent_deleted(&mut self, agent_id: &AgentId, effects: &mut Vec<Effect>) {
        let of_it = self.all.values().filter(|viewer| viewer.opened_for.as_ref() == Some(agent_id));
        for id in of_it.map(|viewer| viewer.id).collect::<Vec<_>>() {
            self.remove(id);
            effects.push(Effect::Close(id, Ending::AgentDeleted));
        }
        let text: Rc<str> = text_of(&ServerFrame::AgentDeleted { agent_id: agent_id.clone() }).into();
        let watching = self.all.values().filter(|viewer| viewer.gets_frames());
        let watching = watching.filter(|viewer| viewer.audience.selection.includes(agent_id));
        effects.extend(watching.map(|viewer| Effect::Send(viewer.id, Rc::clone(&text))));
    }

    /// Whether a stream is open.
    pub fn is_open(&self, id: ViewerId) -> bool {
        self.all.contains_key(&id)
    }

    /// Refuses agents with 403 `forbidden` that a stream's right does not cover.
    pub fn check_scope(&self, id: ViewerId, agents: &AgentSelection) -> Result<()> {
        self.all.get(&id).map_or(Ok(()), |viewer| viewer.permit.check(agents))
    }

    /// The id up to which a live stream has had everything: the head, except for events that its pace holds back.
    /// `None` if the stream is not live.
    pub fn live_cursor(&self, id: ViewerId) -> Option<EventId> {
        self.all.get(&id).filter(|viewer| viewer.state.live).map(|viewer| viewer.state.position.cursor)
    }

    /// Changes what a stream watches, and confirms it by this text. The viewer may have to wait for its first frame,
    /// and the object may be evicted meanwhile, so the change is written to the note at once. A viewer that subscribes
    /// again and again, and never acknowledges anything, is let go.
    pub fn subscribe(
        &mut self,
        id: ViewerId,
        (selection, begin): (Selection, cursor::Begin),
        confirmation: String,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(viewer) = self.all.get_mut(&id) else { return };
        viewer.state.allowance.spend(confirmation.len(), now);
        if viewer.state.allowance.is_overdrawn(now) {
            self.remove(id);
            effects.push(Effect::Close(id, Ending::TooManyMessages));
            return;
        }
        effects.push(Effect::Send(id, confirmation.into()));
        let audience = self.audiences.of(selection, viewer.audience.form);
        let left = std::mem::replace(&mut viewer.audience, audience);
        self.audiences.leave(&left);
        viewer.state.reached = viewer.state.reached.max(viewer.state.position.cursor);
        viewer.state.position = LogPosition::new(begin, begin.cursor);
        viewer.state.began = begin.cursor;
        viewer.state.live = false;
        viewer.state.states = StateList::begin(viewer.audience.form);
        viewer.state.missed_after = None;
        viewer.state.flow.restart(viewer.state.position.cursor);
        viewer.remember(effects);
    }

    /// Whether a stream gets other frames beside its events.
    pub fn gets_frames(&self, id: ViewerId) -> bool {
        self.all.get(&id).is_some_and(Viewer::gets_frames)
    }

    /// Whether the viewer of a stream acknowledges nothing.
    pub fn is_metered(&self, id: ViewerId) -> bool {
        self.all.get(&id).is_some_and(|viewer| viewer.state.flow.is_metered())
    }

    /// Sends an agent's state, as the frame with this number, to all viewers that watch the agent and get other frames
    /// beside events.
    pub(crate) fn show_state(
        &mut self,
        agent_id: &AgentId,
        number: u64,
        texts: &mut StateTexts<'_>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<()> {
        let watches = |viewer: &&mut Viewer| viewer.gets_frames() && viewer.audience.selection.includes(agent_id);
        for viewer in self.all.values_mut().filter(watches) {
            let Some(text) = texts.of(agent_id)? else { return Ok(()) };
            if viewer.show_state(text, number, now, effects) {
                self.waiting.push(viewer.id);
            }
        }
        Ok(())
    }

    /// Sends the text that an agent is typing to the viewers at the head that want its output and have room.
    pub fn preview(
        &mut self,
        agent_id: &AgentId,
        text: &Rc<str>,
        head: EventId,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        self.end_rights(now, effects);
        for viewer in self.all.values_mut().filter(|viewer| viewer.gets_frames()) {
            let Viewer { id, audience, state, .. } = viewer;
            let Selection { filters, .. } = audience.selection;
            let wants = filters.output && audience.selection.includes(agent_id);
            let is_at_head = state.live && state.position.cursor == head;
            if wants && is_at_head && state.flow.preview(text.len() as u64, now) {
                effects.push(Effect::Send(*id, Rc::clone(text)));
            }
        }
    }

    /// Counts a message of a viewer; false if it is one too many.
    pub fn counts(&mut self, id: ViewerId, now: Timestamp) -> bool {
        self.all.get_mut(&id).is_none_or(|viewer| viewer.message_rate.counts(now))
    }

    /// Takes a viewer's acknowledgement of everything up to `ack`; false if the viewer was never sent so much. The
    /// first acknowledgement is noted at once, so that the viewer is not metered again after a hibernation.
    pub fn acknowledge(&mut self, id: ViewerId, ack: EventId, now: Timestamp, effects: &mut Vec<Effect>) -> bool {
        let Some(viewer) = self.all.get_mut(&id) else { return true };
        let StreamState { position: LogPosition { cursor, .. }, began, reached, .. } = viewer.state;
        // An acknowledgement that was under way during a `subscribe` is for the earlier selection.
        let arrived = if ack <= cursor { ack } else { began };
        let was_sent = ack <= cursor.max(reached);
        if was_sent {
            let Acknowledged { is_new, is_stale, is_to_be_noted } = viewer.state.flow.acknowledge(arrived, now);
            if is_new {
                viewer.message_rate.forgives();
            }
            if !is_stale {
                viewer.state.allowance.refill();
            }
            if is_to_be_noted {
                viewer.remember(effects);
            }
        }
        was_sent
    }
}

/// The text of a frame.
pub fn text_of(frame: &ServerFrame) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}

//! The streams of a town: each is a cursor into the log. What a viewer has not had yet is in the log and nowhere else;
//! viewers that want the same from the same place share one frame text.

pub(crate) mod allowance;
pub(crate) mod audience;
pub(crate) mod elision;
pub mod flow;
pub mod frames;
pub(crate) mod history;
pub mod keepalive;
pub(crate) mod message_rate;
pub mod silence;
pub(crate) mod state_list;
pub(crate) mod viewer;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::{AgentId, EventId, RigId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{AgentSelection, ServerFrame};

use crate::access::grantor::Grantor;
use crate::access::permit::Permit;
use crate::input::RigNotice;
use crate::log::ingest::Outcome;
use crate::log::states::StateFrames;
use crate::log::{self, Selection};
use crate::reading::cursor;
use crate::reading::ending::Ending;
use crate::reading::log_position::LogPosition;
use crate::reading::stream_query::Form;
use crate::store::Store;
use crate::viewers::allowance::Allowance;
use crate::viewers::audience::Audiences;
use crate::viewers::flow::{Acknowledged, Flow};
use crate::viewers::frames::{Frames, Occasion, Pace};
use crate::viewers::history::History;
use crate::viewers::message_rate::MessageRate;
use crate::viewers::state_list::{StateList, StateTexts};
use crate::viewers::viewer::{NextAction, Note, StreamState, Viewer};

/// Names a viewer within its town.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ViewerId(pub u64);

/// Something that has to happen at the edge.
#[derive(Debug)]
pub enum Effect {
    /// Send a text. The same text for several viewers is the same `Rc`.
    Send(ViewerId, Rc<str>),
    /// Close the stream.
    Close(ViewerId, Ending),
    /// Keep this note with the socket: with it the viewer is known again after a hibernation.
    Remember(ViewerId, String),
    /// Close all streams and open the town anew: something that is stored could not be shown, and viewers that stayed would
    /// miss it without a word.
    LetGo(Error),
    /// Wake those who watch without a socket: there is something for them.
    Announce,
    /// Fetch the pictures that are wanted from the container.
    FetchImages,
    /// Have the runs stopped that are ordered to stop.
    PerformStops,
    /// Tell a rig something of one of its agents.
    TellRig(RigId, RigNotice),
    /// Count, and write to the operator's log, what a decision came to.
    Report(Box<Outcome>),
}

/// Where a new stream begins and what it wants.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// What it watches.
    pub selection: Selection,
    /// Where its history begins.
    pub begin: cursor::Begin,
    /// Whether it ends with the agent's run.
    pub until_exit: bool,
    /// Whether it acknowledges what it gets.
    pub acknowledges: bool,
    /// What its messages are.
    pub form: Form,
    /// What it may watch, and by whose right.
    pub permit: Permit,
    /// The agent whose stream it is, and not the town's.
    pub opened_for: Option<AgentId>,
}

/// What became of a stream while its town slept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recalled {
    /// It goes on.
    Known(ViewerId),
    /// The right that it was opened by is over.
    RightEnded,
    /// Its note tells nothing.
    Unknown,
}

/// All streams of a town.
#[derive(Debug)]
pub struct Viewers {
    all: BTreeMap<ViewerId, Viewer>,
    audiences: Audiences,
    history: History,
    newest: u64,
    pace: Pace,
    /// The newest event that may have been pruned.
    pruned_id: EventId,
    /// When the next live frame leaves that is held back now.
    next_frame_at: Option<Timestamp>,
    /// Those that the last pump left behind: they wait for room. Of thousands of viewers these are few.
    waiting: Vec<ViewerId>,
    /// Those whose right ends by itself, by when.
    ends: BTreeSet<(Timestamp, ViewerId)>,
}

impl Viewers {
    /// No streams.
    pub fn new(pace: Pace) -> Self {
        Self {
            all: BTreeMap::new(),
            audiences: Audiences::default(),
            history: History::default(),
            newest: 0,
            pace,
            pruned_id: EventId::START,
            next_frame_at: None,
            waiting: Vec::new(),
            ends: BTreeSet::new(),
        }
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

    /// Takes a stream in again that outlived a hibernation, by the note that was kept with it, if its right `lasts`.
    pub fn recall(&mut self, note: &str, lasts: &dyn Fn(&Grantor) -> bool, head: EventId) -> Recalled {
        let Some(mut note) = Viewer::read_note(note) else { return Recalled::Unknown };
        if !lasts(&note.permit.grantor) {
            return Recalled::RightEnded;
        }
        let Note { id, form, standing: state, .. } = &mut note;
        let (id, form) = (*id, *form);
        state.flow.wake();
        if state.live {
            state.position.cursor = head;
        }
        // Frames are counted anew, so which states it missed is not known any more.
        let has_missed = state.missed_after.take().is_some();
        if has_missed || !state.live || state.states != StateList::Had {
            state.states = StateList::begin(form);
            self.waiting.push(id);
        }
        self.newest = self.newest.max(id.0);
        self.take_in(note);
        Recalled::Known(id)
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

    /// Ends the streams whose right has ended by itself; before anything else is said at this moment.
    pub fn end_rights(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        while let Some((_, id)) = self.ends.first().copied().filter(|(ends_at, _)| *ends_at <= now) {
            self.remove(id);
            effects.push(Effect::Close(id, Ending::RightEnded));
        }
    }

    /// Ends the streams of a grantor whose right is ended now.
    pub(crate) fn end_of(&mut self, name: &str, effects: &mut Vec<Effect>) {
        let of_it = self.all.values().filter(|viewer| viewer.permit.grantor.name == name);
        for id in of_it.map(|viewer| viewer.id).collect::<Vec<_>>() {
            self.remove(id);
            effects.push(Effect::Close(id, Ending::RightEnded));
        }
    }

    /// Ends the streams of an agent that was deleted, and tells the others that may have its state. It is told at once, also to
    /// those that wait for room: it is little, and a new agent may have the same id a moment later.
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

    /// Whether a stream's right reaches these agents; 403 where it does not.
    pub fn check_scope(&self, id: ViewerId, agents: &AgentSelection) -> Result<()> {
        self.all.get(&id).map_or(Ok(()), |viewer| viewer.permit.check(agents))
    }

    /// Up to where a live stream has had everything: the head, but for what its pace holds back; none if it is not live.
    pub fn live_cursor(&self, id: ViewerId) -> Option<EventId> {
        self.all.get(&id).filter(|viewer| viewer.state.live).map(|viewer| viewer.state.position.cursor)
    }

    /// Confirms by this text what a stream is to watch from now on. It may have to wait before it is sent anything, and the
    /// object may be evicted meanwhile, so this is noted at once. Whoever asks without end, and never says that anything
    /// came, is let go.
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

    /// Whether a stream gets more than its events.
    pub fn gets_frames(&self, id: ViewerId) -> bool {
        self.all.get(&id).is_some_and(Viewer::gets_frames)
    }

    /// Whether a stream acknowledges nothing.
    pub fn is_metered(&self, id: ViewerId) -> bool {
        self.all.get(&id).is_some_and(|viewer| viewer.state.flow.is_metered())
    }

    /// Shows an agent's state, the frame of this number, to all who watch it and get more than its events.
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

    /// Shows what an agent is typing to those at the head who want its output and have room.
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

    /// Counts a message of a viewer's; false if it is one too many.
    pub fn counts(&mut self, id: ViewerId, now: Timestamp) -> bool {
        self.all.get_mut(&id).is_none_or(|viewer| viewer.message_rate.counts(now))
    }

    /// Takes a viewer's word that all up to `ack` has arrived; false if it was never sent so much. That it acknowledges is
    /// noted at once: after a hibernation it is not to be metered again.
    pub fn acknowledge(&mut self, id: ViewerId, ack: EventId, now: Timestamp, effects: &mut Vec<Effect>) -> bool {
        let Some(viewer) = self.all.get_mut(&id) else { return true };
        let StreamState { position: LogPosition { cursor, .. }, began, reached, .. } = viewer.state;
        // One that was under way when it subscribed is of what it watched before.
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

    /// Brings every viewer as near to the head as its flow and its audience's pace allow, once for all that want the same
    /// from the same place.
    pub(crate) fn pump(
        &mut self,
        store: &dyn Store,
        states: &StateFrames,
        occasion: Occasion,
        effects: &mut Vec<Effect>,
    ) -> Result<()> {
        self.end_rights(occasion.now, effects);
        let head = log::head(store)?;
        self.pruned_id = self.pruned_id.max(occasion.pruned_id);
        self.history.forget_before(occasion.pruned_id);
        let due = self.due(head, occasion.now);
        let occasion = Occasion { pruned_id: self.pruned_id, ..occasion };
        let mut frames = Frames::new(store, states, occasion, head, self.pace, &mut self.history);
        let mut ended = Vec::new();
        self.waiting.clear();
        for id in due {
            let Some(viewer) = self.all.get_mut(&id) else { continue };
            match viewer.advance(&mut frames, effects)? {
                NextAction::Stay if viewer.waits() => self.waiting.push(id),
                NextAction::Stay => {}
                NextAction::End(ending) => {
                    ended.push(id);
                    effects.push(Effect::Close(id, ending));
                }
            }
        }
        for id in ended {
            self.remove(id);
        }
        Ok(())
    }

    /// Whether something after this id may be pruned.
    pub(crate) fn may_be_pruned(&self, cursor: EventId) -> bool {
        cursor < self.pruned_id
    }

    /// Those that are behind and not held back by the pace of their audience.
    fn due(&mut self, head: EventId, now: Timestamp) -> Vec<ViewerId> {
        self.next_frame_at = None;
        let mut due = Vec::new();
        for viewer in self.all.values() {
            if !viewer.waits() && viewer.state.position.cursor == head {
                continue;
            }
            let rest = viewer.audience.rests_until(now, self.pace.frame_interval_ms);
            match rest.filter(|_| viewer.state.live) {
                Some(end) => self.next_frame_at = self.next_frame_at.into_iter().chain([end]).min(),
                None => due.push(viewer.id),
            }
        }
        due
    }

    /// Whether something is left for a stream that it may not be sent yet.
    pub(crate) fn waits(&self, id: ViewerId) -> bool {
        self.all.get(&id).is_some_and(Viewer::waits)
    }

    /// When a viewer that has to wait is to be looked at again, or the right of one ends.
    pub fn due_at(&self, now: Timestamp) -> Option<Timestamp> {
        let waiting = self.waiting.iter().filter_map(|id| self.all.get(id));
        let next_end = self.ends.first().map(|(ends_at, _)| *ends_at);
        waiting.map(|viewer| viewer.due_at(now)).chain(self.next_frame_at).chain(next_end).min()
    }
}

/// A frame as its text.
pub fn text_of(frame: &ServerFrame) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}

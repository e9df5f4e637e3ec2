//! One stream: a cursor into the log, and what it may be sent.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use townwatch_protocol::error::Result;
use townwatch_protocol::id::{AgentId, EventId};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{AgentSelection, PressureLevel, ServerFrame};

use crate::access::permit::Permit;
use crate::agents;
use crate::agents::runs;
use crate::log::{self, Selection};
use crate::reading::ending::Ending;
use crate::reading::log_position::LogPosition;
use crate::reading::stream_query::Form;
use crate::viewers::allowance::Allowance;
use crate::viewers::audience::Audience;
use crate::viewers::elision::Importance;
use crate::viewers::flow::Flow;
use crate::viewers::frames::{FrameRun, Frames, Kind};
use crate::viewers::message_rate::MessageRate;
use crate::viewers::state_list::StateList;
use crate::viewers::{Effect, ViewerId, text_of};

/// A stream.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub(crate) id: ViewerId,
    /// It and all others that watch the same.
    pub(crate) audience: Rc<Audience>,
    /// What it may watch, whatever it asks for.
    pub(crate) permit: Permit,
    /// The agent whose stream it is, and not the town's.
    pub(crate) opened_for: Option<AgentId>,
    pub(crate) state: StreamState,
    pub(crate) message_rate: MessageRate,
}

/// Where a stream stands: what its note keeps.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StreamState {
    /// The last event that it has been sent, or that is not for it, with the gaps that it was told of. Whoever is `live` has had
    /// all up to the head, but for what its audience's pace holds back for a moment.
    #[serde(flatten)]
    pub(crate) position: LogPosition,
    /// Where what it watches now began.
    pub(crate) began: EventId,
    /// The last event of what it watched before.
    pub(crate) reached: EventId,
    /// Whether it has been told that it has caught up.
    pub(crate) live: bool,
    /// Whether the stream ends with the agent's run.
    pub(crate) until_exit: bool,
    pub(crate) flow: Flow,
    /// How far it is in the states of what it watches. They come before its history; once more after it, where the town
    /// slept meanwhile and knows no more which of them have changed.
    #[serde(default)]
    pub(crate) states: StateList,
    /// Where later ones wait that changed since: the number of the last frame of a state that it has had.
    #[serde(default)]
    pub(crate) missed_after: Option<u64>,
    #[serde(default)]
    pub(crate) allowance: Allowance,
}

/// What is kept with a socket while the town sleeps.
#[derive(Serialize, Deserialize)]
pub(crate) struct Note<S, P, W> {
    pub(crate) id: ViewerId,
    pub(crate) selection: S,
    pub(crate) permit: P,
    /// The agent whose stream it is, and not the town's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) opened_for: Option<AgentId>,
    /// Those of before it was noted got frames.
    #[serde(default)]
    pub(crate) form: Form,
    pub(crate) standing: W,
}

/// What comes of an advance.
pub(crate) enum NextAction {
    Stay,
    End(Ending),
}

enum Next {
    Send(Rc<FrameRun>),
    Wait,
    TooSlow,
}

impl Viewer {
    /// Sends as much as the flow allows.
    pub(crate) fn advance(&mut self, frames: &mut Frames<'_>, effects: &mut Vec<Effect>) -> Result<NextAction> {
        let head = frames.head;
        if self.state.flow.is_given_up(frames.now) {
            return Ok(NextAction::End(Ending::NothingAcknowledged));
        }
        if self.state.flow.is_full() {
            return Ok(NextAction::Stay);
        }
        // Who is paused may not be reading.
        if !self.state.flow.is_paused() && !self.send_states(frames, effects)? {
            return Ok(NextAction::Stay);
        }
        let mut may_miss = !self.state.live || self.state.position.cursor < frames.pruned_id;
        let began_at = self.state.position.cursor;
        while self.state.position.cursor < head {
            let stretch = match self.next(frames)? {
                Next::Send(stretch) => stretch,
                Next::Wait => {
                    self.wait(began_at, frames, effects)?;
                    return Ok(NextAction::Stay);
                }
                Next::TooSlow => return Ok(NextAction::End(Ending::TooSlow)),
            };
            self.resume(frames, effects)?;
            if std::mem::take(&mut may_miss) {
                for gap in self.state.position.take_gaps(frames.store, &self.audience.selection, head)? {
                    let bytes = self.tell(&ServerFrame::Gap(gap), effects);
                    self.state.allowance.spend(bytes, frames.now);
                }
            }
            self.send(&stretch, frames, effects);
            self.state.position.cursor = stretch.last.unwrap_or(head);
        }
        if !self.state.live {
            self.resume(frames, effects)?;
            self.state.live = true;
            self.tell(&ServerFrame::CaughtUp { id: head }, effects);
            self.remember(effects);
        }
        if self.send_states(frames, effects)? {
            self.send_missed_states(frames, effects)?;
        }
        if self.state.until_exit
            && let Some(agent_id) = runs::over(frames.store, &self.audience.selection.agents)?
        {
            if let Some(agent) = agents::load(frames.store, agent_id)? {
                self.tell(&ServerFrame::State { agent: Box::new(agent.shown()) }, effects);
            }
            return Ok(NextAction::End(Ending::RunOver));
        }
        Ok(NextAction::Stay)
    }

    /// Sends the states of what it watches; true once it has had them all.
    fn send_states(&mut self, frames: &mut Frames<'_>, effects: &mut Vec<Effect>) -> Result<bool> {
        let before = self.state.states.clone();
        while let StateList::After(after) = &self.state.states {
            let page = frames.texts.page(&self.audience.selection, after.as_ref())?;
            if page.is_empty() {
                self.state.states = StateList::Had;
            }
            for (agent_id, text) in page {
                if !self.state.allowance.take(text.len(), frames.now) {
                    if self.state.states != before {
                        self.remember(effects);
                    }
                    return Ok(false);
                }
                self.state.states = StateList::After(Some(agent_id));
                effects.push(Effect::Send(self.id, text));
            }
        }
        Ok(true)
    }

    /// Sends the states that changed when it had no room for them, or was not live.
    fn send_missed_states(&mut self, frames: &mut Frames<'_>, effects: &mut Vec<Effect>) -> Result<()> {
        let Some(missed_after) = self.state.missed_after else { return Ok(()) };
        let states = frames.states;
        for (number, agent_id) in states.after(missed_after) {
            if self.audience.selection.includes(agent_id)
                && let Some(text) = frames.texts.of(agent_id)?
                && !self.send_state(text, frames.now, effects)
            {
                return Ok(());
            }
            self.state.missed_after = Some(number);
        }
        self.state.missed_after = None;
        Ok(())
    }

    /// Sends a state that has changed; false where there is no room for it.
    fn send_state(&mut self, text: Rc<str>, now: Timestamp, effects: &mut Vec<Effect>) -> bool {
        let StreamState { flow, allowance, .. } = &mut self.state;
        let has_room = match flow {
            Flow::Metered(bucket) => bucket.take(text.len() as u64, now, 1),
            Flow::Acknowledged(_) => allowance.take(text.len(), now),
        };
        if has_room {
            effects.push(Effect::Send(self.id, text));
        }
        has_room
    }

    /// Shows a state that has changed, the frame of this number: at once to who is live and has room. True where it waits.
    pub(crate) fn show_state(&mut self, text: Rc<str>, number: u64, now: Timestamp, effects: &mut Vec<Effect>) -> bool {
        let is_next = self.state.live && self.state.missed_after.is_none();
        if is_next && self.send_state(text, now, effects) {
            return false;
        }
        let is_news = self.state.missed_after.is_none();
        self.state.missed_after.get_or_insert(number - 1);
        if is_news {
            self.remember(effects);
        }
        is_news && self.state.live
    }

    /// Whether it gets more than its events.
    pub(crate) fn gets_frames(&self) -> bool {
        self.audience.form == Form::Frames
    }

    /// What it gets next. History waits for room; live, a viewer that does not acknowledge gets less and less of it, but one
    /// that could not be told so waits.
    fn next(&self, frames: &mut Frames<'_>) -> Result<Next> {
        let Self { audience, state: StreamState { flow, live, position, reached, allowance, .. }, .. } = self;
        let cursor = &position.cursor;
        let (now, window_events) = (frames.now, frames.pace.window_events);
        // What it was past before it is sent because it asks. Who acknowledges is held by its window alone.
        let may_be_read = *cursor >= *reached || !flow.is_metered() || allowance.is_left(now);
        let kind = if *live { Kind::Live(Importance::Output) } else { Kind::History };
        let all = frames.next(audience, *cursor, kind)?;
        if all.texts.is_empty() || (may_be_read && flow.has_room(all.count, all.bytes, now, window_events)) {
            return Ok(Next::Send(all));
        }
        if !live || !flow.is_metered() || !self.gets_frames() {
            return Ok(Next::Wait);
        }
        for least in Importance::STEPS {
            let less = frames.next(audience, *cursor, Kind::Live(least))?;
            if flow.has_room(less.count, less.bytes, now, window_events)
                || (least == Importance::Essential && flow.has_reserve(less.count, less.bytes, now))
            {
                return Ok(Next::Send(less));
            }
        }
        Ok(Next::TooSlow)
    }

    fn send(&mut self, stretch: &FrameRun, frames: &Frames<'_>, effects: &mut Vec<Effect>) {
        if stretch.texts.is_empty() {
            return;
        }
        if self.state.flow.is_metered() && self.state.position.cursor < self.state.reached {
            self.state.allowance.spend(usize::try_from(stretch.bytes).unwrap_or(usize::MAX), frames.now);
        }
        self.state.flow.sent(stretch.newest, stretch.count, stretch.bytes, frames.now);
        effects.extend(stretch.texts.iter().map(|text| Effect::Send(self.id, Rc::clone(text))));
        if self.state.live {
            self.audience.sent(frames.now);
        }
    }

    /// What is left for it stays in the log until it may be sent more.
    fn wait(&mut self, began_at: EventId, frames: &Frames<'_>, effects: &mut Vec<Effect>) -> Result<()> {
        let is_news = self.state.live || self.state.position.cursor != began_at;
        let is_paused = self.state.flow.pause(frames.now);
        if is_paused {
            let lag_events = self.lag(frames)?;
            self.tell(&ServerFrame::Backpressure { level: PressureLevel::Paused, lag_events }, effects);
        }
        self.state.live = false;
        if is_news || is_paused {
            self.remember(effects);
        }
        Ok(())
    }

    /// Says that it goes on, if it was told to be paused.
    fn resume(&mut self, frames: &Frames<'_>, effects: &mut Vec<Effect>) -> Result<()> {
        if self.state.flow.resume() {
            let lag_events = self.lag(frames)?;
            self.tell(&ServerFrame::Backpressure { level: PressureLevel::Normal, lag_events }, effects);
        }
        Ok(())
    }

    /// Tells a frame that is no event, to a viewer of frames; how many bytes it is.
    fn tell(&self, frame: &ServerFrame, effects: &mut Vec<Effect>) -> usize {
        if !self.gets_frames() {
            return 0;
        }
        let text = text_of(frame);
        let bytes = text.len();
        effects.push(Effect::Send(self.id, text.into()));
        bytes
    }

    /// Whether something is left for it that it may not be sent yet.
    pub(crate) fn waits(&self) -> bool {
        let StreamState { live, states, missed_after, .. } = &self.state;
        !live || *states != StateList::Had || missed_after.is_some()
    }

    /// When it is to be looked at again, where it waits.
    pub(crate) fn due_at(&self, now: Timestamp) -> Timestamp {
        let StreamState { flow, states, missed_after, allowance, position, reached, .. } = &self.state;
        let needs_allowance = *states != StateList::Had
            || if flow.is_metered() { position.cursor < *reached } else { missed_after.is_some() };
        if needs_allowance && !allowance.is_left(now) { allowance.left_at(now) } else { flow.due_at(now) }
    }

    pub(crate) fn remember(&self, effects: &mut Vec<Effect>) {
        let Audience { selection, form, .. } = &*self.audience;
        let (permit, opened_for) = (&self.permit, self.opened_for.clone());
        let note = Note { id: self.id, selection, permit, opened_for, form: *form, standing: &self.state };
        if let Ok(note) = serde_json::to_string(&note) {
            effects.push(Effect::Remember(self.id, note));
        }
    }

    /// A viewer as its note has it.
    pub(crate) fn read_note(note: &str) -> Option<Note<Selection, Permit, StreamState>> {
        serde_json::from_str(note).ok()
    }

    /// Events between its cursor and the head.
    fn lag(&self, frames: &Frames<'_>) -> Result<u64> {
        match &self.audience.selection.agents {
            AgentSelection::Only(agents) if agents.len() == 1 => {
                log::count_after(frames.store, &agents[0], self.state.position.cursor)
            }
            _ => Ok(frames.head.get() - self.state.position.cursor.get()),
        }
    }
}

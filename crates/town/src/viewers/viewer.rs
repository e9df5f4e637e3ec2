//! One stream: a cursor into the log, and the bounds on what it may be sent.

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
use crate::viewers::frames::{FramePhase, FrameRun, Frames};
use crate::viewers::message_rate::MessageRate;
use crate::viewers::state_list::{StateList, StatePage};
use crate::viewers::{Effect, ViewerId, text_of};

/// A stream.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub(crate) id: ViewerId,
    /// This viewer and all others that watch the same in the same form.
    pub(crate) audience: Rc<Audience>,
    /// The bound on what the viewer may watch, however it subscribes.
    pub(crate) permit: Permit,
    /// The agent whose stream it is; `None` for a stream of the town.
    pub(crate) opened_for: Option<AgentId>,
    pub(crate) state: StreamState,
    pub(crate) message_rate: MessageRate,
}

/// The state of a stream, as its note keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StreamState {
    /// The last event that the viewer has been sent, or that is not for it, with the gaps that it was told of. A `live`
    /// viewer has had everything up to the head, except for events that its audience's pace holds back for a moment.
    #[serde(flatten)]
    pub(crate) position: LogPosition,
    /// The cursor at which the present selection began.
    pub(crate) began: EventId,
    /// The last event that the viewer was sent under its earlier selections.
    pub(crate) reached: EventId,
    /// Whether the viewer has been told that it has caught up.
    pub(crate) live: bool,
    /// Whether the stream ends with the agent's run.
    pub(crate) until_exit: bool,
    pub(crate) flow: Flow,
    /// The position in the list of states, which comes before history. If the town slept meanwhile, the list comes once
    /// more after history, because the town no longer knows which states have changed.
    #[serde(default)]
    pub(crate) states: StateList,
    /// The number of the last `state` frame that the viewer has received. States that changed after it wait. `None`
    /// where no state waits.
    #[serde(default)]
    pub(crate) missed_after: Option<u64>,
    #[serde(default)]
    pub(crate) allowance: Allowance,
}

/// The note that is kept with a socket while the town sleeps.
#[derive(Serialize, Deserialize)]
pub(crate) struct Note<S, P, W> {
    pub(crate) id: ViewerId,
    pub(crate) selection: S,
    pub(crate) permit: P,
    /// The agent whose stream it is; `None` for a stream of the town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) opened_for: Option<AgentId>,
    /// The form of the messages. Notes from before this field are of viewers that got frames.
    #[serde(default)]
    pub(crate) form: Form,
    pub(crate) standing: W,
}

/// The result of an advance.
pub(crate) enum NextAction {
    Stay,
    End(Ending),
}

enum NextFrame {
    Send(Rc<FrameRun>),
    Wait,
    TooSlow,
}

impl Viewer {
    /// Sends the viewer as much as its flow allows.
    pub(crate) fn advance(&mut self, frames: &mut Frames<'_>, effects: &mut Vec<Effect>) -> Result<NextAction> {
        let head = frames.head;
        if self.state.flow.is_given_up(frames.now) {
            return Ok(NextAction::End(Ending::NothingAcknowledged));
        }
        if self.state.flow.is_full() {
            return Ok(NextAction::Stay);
        }
        // A paused viewer may not be reading, so it is sent no states.
        if !self.state.flow.is_paused() && !self.send_states(frames, effects)? {
            return Ok(NextAction::Stay);
        }
        let mut may_miss = !self.state.live || self.state.position.cursor < frames.pruned_id;
        let began_at = self.state.position.cursor;
        while self.state.position.cursor < head {
            let frame_run = match self.next(frames)? {
                NextFrame::Send(frame_run) => frame_run,
                NextFrame::Wait => {
                    self.wait(began_at, frames, effects)?;
                    return Ok(NextAction::Stay);
                }
                NextFrame::TooSlow => return Ok(NextAction::End(Ending::TooSlow)),
            };
            self.resume(frames, effects)?;
            if std::mem::take(&mut may_miss) {
                for gap in self.state.position.take_gaps(frames.store, &self.audience.selection, head)? {
                    let bytes = self.tell(&ServerFrame::Gap(gap), effects);
                    self.state.allowance.spend(bytes, frames.now);
                }
            }
            self.send(&frame_run, frames, effects);
            self.state.position.cursor = frame_run.last.unwrap_or(head);
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

    /// Sends the states of the watched agents; true once the viewer has had them all.
    fn send_states(&mut self, frames: &mut Frames<'_>, effects: &mut Vec<Effect>) -> Result<bool> {
        let before = self.state.states.clone();
        let is_all = self.send_allowed_states(frames, effects)?;
        if !is_all && self.state.states != before {
            self.remember(effects);
        }
        Ok(is_all)
    }

    /// Sends as many of these states as the allowance has room for; true if that was the end of the list. Without any room
    /// nothing is read, however often the viewer asks.
    fn send_allowed_states(&mut self, frames: &mut Frames<'_>, effects: &mut Vec<Effect>) -> Result<bool> {
        while let StateList::After(after) = &self.state.states {
            if !self.state.allowance.is_left(frames.now) {
                return Ok(false);
            }
            let StatePage { states, is_last } = frames.texts.page(&self.audience.selection, after.as_ref())?;
            for (agent_id, text) in states {
                if !self.state.allowance.take(text.len(), frames.now) {
                    return Ok(false);
                }
                self.state.states = StateList::After(Some(agent_id));
                effects.push(Effect::Send(self.id, text));
            }
            if is_last {
                self.state.states = StateList::Complete;
            }
        }
        Ok(true)
    }

    /// Sends the states that changed while the viewer had no room for them, or was not live.
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

    /// Sends a state that has changed, as the frame with this number, at once if the viewer is live and has room. True
    /// if the viewer waits for it from now on.
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

    /// Whether the viewer gets other frames beside its events.
    pub(crate) fn gets_frames(&self) -> bool {
        self.audience.form == Form::Frames
    }

    /// The viewer's next frames. History waits for room. A live viewer without acknowledgements gets fewer and fewer
    /// events under pressure. A flat one, which cannot be told of that, waits instead.
    fn next(&self, frames: &mut Frames<'_>) -> Result<NextFrame> {
        let Self { audience, state: StreamState { flow, live, position, reached, allowance, .. }, .. } = self;
        let cursor = &position.cursor;
        let (now, window_events) = (frames.now, frames.pace.window_events);
        // Events up to `reached` are sent only because the viewer asked for them again, so they need the allowance. An
        // acknowledging viewer is bounded by its window alone.
        let may_be_read = *cursor >= *reached || !flow.is_metered() || allowance.is_left(now);
        let phase = if *live { FramePhase::Live(Importance::Output) } else { FramePhase::History };
        let all = frames.next(audience, *cursor, phase)?;
        if all.texts.is_empty() || (may_be_read && flow.has_room(all.count, all.bytes, now, window_events)) {
            return Ok(NextFrame::Send(all));
        }
        if !live || !flow.is_metered() || !self.gets_frames() {
            return Ok(NextFrame::Wait);
        }
        for least in Importance::STEPS {
            let less = frames.next(audience, *cursor, FramePhase::Live(least))?;
            if flow.has_room(less.count, less.bytes, now, window_events)
                || (least == Importance::Essential && flow.has_reserve(less.count, less.bytes, now))
            {
                return Ok(NextFrame::Send(less));
            }
        }
        Ok(NextFrame::TooSlow)
    }

    fn send(&mut self, frame_run: &FrameRun, frames: &Frames<'_>, effects: &mut Vec<Effect>) {
        if frame_run.texts.is_empty() {
            return;
        }
        if self.state.flow.is_metered() && self.state.position.cursor < self.state.reached {
            self.state.allowance.spend(usize::try_from(frame_run.bytes).unwrap_or(usize::MAX), frames.now);
        }
        self.state.flow.sent(frame_run.newest, frame_run.count, frame_run.bytes, frames.now);
        effects.extend(frame_run.texts.iter().map(|text| Effect::Send(self.id, Rc::clone(text))));
        if self.state.live {
            self.audience.sent(frames.now);
        }
    }

    /// Notes that the viewer has to wait. The rest of its events stays in the log until they may be sent.
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

    /// Tells the viewer that it goes on, if it was told that it is paused.
    fn resume(&mut self, frames: &Frames<'_>, effects: &mut Vec<Effect>) -> Result<()> {
        if self.state.flow.resume() {
            let lag_events = self.lag(frames)?;
            self.tell(&ServerFrame::Backpressure { level: PressureLevel::Normal, lag_events }, effects);
        }
        Ok(())
    }

    /// Sends a frame that is no event, to a viewer of frames; gives the frame's bytes.
    fn tell(&self, frame: &ServerFrame, effects: &mut Vec<Effect>) -> usize {
        if !self.gets_frames() {
            return 0;
        }
        let text = text_of(frame);
        let bytes = text.len();
        effects.push(Effect::Send(self.id, text.into()));
        bytes
    }

    /// Whether something is left for the viewer that may not be sent yet.
    pub(crate) fn waits(&self) -> bool {
        let StreamState { live, states, missed_after, .. } = &self.state;
        !live || *states != StateList::Complete || missed_after.is_some()
    }

    /// The time at which a waiting viewer is checked again.
    pub(crate) fn due_at(&self, now: Timestamp) -> Timestamp {
        let StreamState { flow, states, missed_after, allowance, position, reached, .. } = &self.state;
        let needs_allowance = *states != StateList::Complete
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

    /// Reads the note of a viewer; `None` if it cannot be read.
    pub(crate) fn read_note(note: &str) -> Option<Note<Selection, Permit, StreamState>> {
        serde_json::from_str(note).ok()
    }

    /// The number of events between the viewer's cursor and the head. For several agents, all ids between them count.
    fn lag(&self, frames: &Frames<'_>) -> Result<u64> {
        match &self.audience.selection.agents {
            AgentSelection::Only(agents) if agents.len() == 1 => {
                log::count_after(frames.store, &agents[0], self.state.position.cursor)
            }
            _ => Ok(frames.head.get() - self.state.position.cursor.get()),
        }
    }
}

//! The frames of one pass over the streams. A frame is made once for all viewers that want the same from the same
//! place.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use townwatch_protocol::error::Result;
use townwatch_protocol::id::{AgentId, EventId};
use townwatch_protocol::limits::{FRAME_BYTES_MAX, FRAME_EVENTS_MAX, FRAME_IDS};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{Gap, ServerFrame};

use crate::log::recent::RecentEvents;
use crate::log::states::StateFrames;
use crate::log::{self, CHUNK_EVENTS, LogSpan, PageFilter, Selection};
use crate::reading::stream_query::Form;
use crate::store::Store;
use crate::viewers::audience::Audience;
use crate::viewers::elision::{Elided, Importance};
use crate::viewers::history::History;
use crate::viewers::state_list::StateTexts;
use crate::viewers::text_of;

/// One pass over all viewers, in which each is sent what it is due: the facts that cause the pass.
#[derive(Debug, Clone, Copy)]
pub struct Occasion {
    /// The time of the pass.
    pub now: Timestamp,
    /// The newest event that may have been pruned since the last pass. A batch larger than the cap prunes even events
    /// that no viewer has had.
    pub pruned_id: EventId,
    /// The log's head; `None` where it is to be read.
    pub head: Option<EventId>,
}

impl Occasion {
    /// A pass for which no event was pruned: only time has passed, or a viewer wants something else.
    pub fn at(now: Timestamp) -> Self {
        Self { now, pruned_id: EventId::START, head: None }
    }
}

/// The pace and the size of streams, as the installation has set them.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The shortest time between two live frames of one audience.
    pub frame_interval_ms: i64,
    /// The number of events that an acknowledging viewer may owe.
    pub window_events: u64,
    /// The number of events in the bucket of a viewer that does not acknowledge.
    pub bucket_events: u64,
}

/// The phase of a stream that frames are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FramePhase {
    /// History, with all events.
    History,
    /// Live frames, with the events that are at least so important.
    Live(Importance),
}

/// The frames made during one pump.
pub(crate) struct Frames<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) now: Timestamp,
    /// The newest event that may have been pruned.
    pub(crate) pruned_id: EventId,
    pub(crate) head: EventId,
    pub(crate) pace: Pace,
    /// The newest events of the log, up to its head; `None` where they are to be read.
    recent: Option<&'a RecentEvents>,
    /// The states as frames.
    pub(crate) texts: StateTexts<'a>,
    /// The numbers of the states' frames.
    pub(crate) states: &'a StateFrames,
    known: HashMap<(u64, EventId, FramePhase), Rc<FrameRun>>,
    history: &'a mut History,
    /// The agents that have events after an id.
    authors: HashMap<EventId, BTreeSet<AgentId>>,
}

/// A part of the log as the frames of one audience.
#[derive(Debug)]
pub(crate) struct FrameRun {
    /// `events` frames, with the gaps of left-out events in their places. In flat form: each event by itself. Empty
    /// where this part of the log has nothing for the audience.
    pub(crate) texts: Vec<Rc<str>>,
    /// The last event in the frames, which a viewer can acknowledge.
    pub(crate) newest: EventId,
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    /// The last event that the frames cover; `None` where they cover everything up to the head.
    pub(crate) last: Option<EventId>,
}

impl<'a> Frames<'a> {
    pub(crate) fn new(
        store: &'a dyn Store,
        states: &'a StateFrames,
        Occasion { now, pruned_id, .. }: Occasion,
        head: EventId,
        pace: Pace,
        history: &'a mut History,
        recent: Option<&'a RecentEvents>,
    ) -> Self {
        let (texts, known, authors) = (StateTexts::new(store), HashMap::new(), HashMap::new());
        Self { store, now, pruned_id, head, pace, recent, texts, states, known, history, authors }
    }

    pub(crate) fn next(&mut self, audience: &Rc<Audience>, after: EventId, phase: FramePhase) -> Result<Rc<FrameRun>> {
        let key = (audience.number, after, phase);
        let known = self.known.get(&key).map(Rc::clone);
        let kept = || (phase == FramePhase::History).then(|| self.history.find(audience.number, after)).flatten();
        if let Some(frame_run) = known.or_else(kept) {
            return Ok(frame_run);
        }
        // New events are of few agents. So live frames for viewers of other agents are empty, and need no reading of
        // the log.
        let concerns = phase == FramePhase::History
            || self.authors(after)?.iter().any(|author| audience.selection.includes(author));
        let frame_run = Rc::new(if concerns { self.make(audience, after, phase)? } else { FrameRun::nothing() });
        self.known.insert(key, Rc::clone(&frame_run));
        if phase == FramePhase::History {
            self.history.keep(audience.number, after, &frame_run);
        }
        Ok(frame_run)
    }

    fn authors(&mut self, after: EventId) -> Result<&BTreeSet<AgentId>> {
        Ok(match self.authors.entry(after) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let recent = self.recent.and_then(|recent| recent.all_after(after));
                let authors = recent.map(|events| events.map(|event| event.agent_id.clone()).collect());
                unknown.insert(authors.map_or_else(|| log::authors(self.store, after), Ok)?)
            }
        })
    }

    fn make(&self, audience: &Audience, after: EventId, phase: FramePhase) -> Result<FrameRun> {
        let events_max = FRAME_EVENTS_MAX.min(self.pace.window_events);
        let mut builder = FrameRunBuilder::new(audience, after, phase, events_max);
        let agents = &audience.selection.agents;
        let mut is_all = false;
        if let Some(recent) = self.recent.and_then(|recent| recent.all_after(after)) {
            let mut wanted = recent.filter(|entry| audience.selection.includes(&entry.agent_id));
            is_all = wanted.all(|entry| builder.takes(entry));
        } else {
            while !is_all {
                let span = LogSpan::After(builder.last);
                let chunk = log::read(self.store, agents, span, &PageFilter::default(), CHUNK_EVENTS)?;
                if !chunk.iter().all(|entry| builder.takes(entry)) {
                    break;
                }
                is_all = (chunk.len() as u64) < CHUNK_EVENTS;
            }
        }
        Ok(builder.finish(is_all))
    }
}

/// A run of frames that is being made.
struct FrameRunBuilder<'a> {
    selection: &'a Selection,
    phase: FramePhase,
    events_max: u64,
    writer: Writer,
    elided: Elided,
    /// The last event that was read.
    last: EventId,
}

impl<'a> FrameRunBuilder<'a> {
    fn new(audience: &'a Audience, after: EventId, phase: FramePhase, events_max: u64) -> Self {
        let Audience { selection, form, .. } = audience;
        let (writer, elided) = match phase {
            FramePhase::History => (Writer::new(*form, true), Elided::below(Importance::Output)),
            FramePhase::Live(least) => (Writer::new(*form, false), Elided::below(least)),
        };
        Self { selection, phase, events_max, writer, elided, last: after }
    }

    /// Takes the next event; false if it belongs to the next run.
    fn takes(&mut self, entry: &log::Entry) -> bool {
        let Self { selection, phase, events_max, writer, elided, last } = self;
        if selection.shows(&entry.event) && !elided.takes(entry) {
            let is_cut = *phase == FramePhase::History && crosses(*last, entry.id) && writer.is_worth_a_frame();
            if is_cut || writer.count == *events_max || !writer.fits(&entry.frame) {
                return false;
            }
            elided.take().for_each(|gap| writer.gap(gap));
            writer.event(entry.id, &entry.frame);
        }
        *last = entry.id;
        true
    }

    fn finish(mut self, is_all: bool) -> FrameRun {
        self.elided.take().for_each(|gap| self.writer.gap(gap));
        self.writer.finish((!is_all).then_some(self.last))
    }
}

/// Whether a cut between frames of history lies between these two events.
fn crosses(before: EventId, after: EventId) -> bool {
    before.get() / FRAME_IDS != after.get() / FRAME_IDS
}

impl FrameRun {
    fn nothing() -> Self {
        Self { texts: Vec::new(), newest: EventId::START, count: 0, bytes: 0, last: None }
    }
}

/// A writer that joins event texts to `events` frames of at most [`FRAME_BYTES_MAX`], with gaps between them. In flat
/// form it keeps the same amount together, and joins nothing.
struct Writer {
    form: Form,
    texts: Vec<Rc<str>>,
    open: String,
    /// The bytes of the texts, in flat form.
    bytes: usize,
    tail: &'static str,
    newest: EventId,
    count: u64,
}

const HEAD: &str = "{\"type\":\"events\",\"events\":[";

impl Writer {
    fn new(form: Form, backfill: bool) -> Self {
        let tail = if backfill { "],\"backfill\":true}" } else { "],\"backfill\":false}" };
        Self { form, texts: Vec::new(), open: String::new(), bytes: 0, tail, newest: EventId::START, count: 0 }
    }

    fn len(&self) -> usize {
        self.open.len() + self.bytes
    }

    /// Whether the open frame has room for one more event. An empty one always has.
    fn fits(&self, event: &str) -> bool {
        self.len() == 0 || self.len() + 1 + event.len() + self.tail.len() <= FRAME_BYTES_MAX
    }

    /// Whether the open frame has enough for a frame of its own: 32 events, or a quarter of [`FRAME_BYTES_MAX`].
    fn is_worth_a_frame(&self) -> bool {
        self.count >= 32 || self.len() >= FRAME_BYTES_MAX / 4
    }

    fn event(&mut self, id: EventId, event: &str) {
        match self.form {
            Form::Frames => {
                self.open.push_str(if self.open.is_empty() { HEAD } else { "," });
                self.open.push_str(event);
            }
            Form::Flat => {
                self.texts.push(event.into());
                self.bytes += event.len();
            }
        }
        self.newest = id;
        self.count += 1;
    }

    fn gap(&mut self, gap: Gap) {
        self.close();
        self.texts.push(text_of(&ServerFrame::Gap(gap)).into());
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.open.push_str(self.tail);
            self.texts.push(std::mem::take(&mut self.open).into());
        }
    }

    fn finish(mut self, last: Option<EventId>) -> FrameRun {
        self.close();
        let bytes = self.texts.iter().map(|text| text.len() as u64).sum();
        FrameRun { texts: self.texts, newest: self.newest, count: self.count, bytes, last }
    }
}

//! An event stream (SSE): its reader pulls, and each time gets what has come since, out of the log.

use std::rc::Rc;

use townwatch_protocol::error::{Code, Result};
use townwatch_protocol::id::EventId;
use townwatch_protocol::limits::{FRAME_BYTES_MAX, HEARTBEAT_MS, READER_LIFE_MS};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{AgentSelection, ServerFrame};

use crate::access::grantor::Grantor;
use crate::access::permit::Permit;
use crate::agents::runs;
use crate::log::{self, PageFilter, Selection};
use crate::reading::cursor;
use crate::reading::ending::Ending;
use crate::reading::log_position::{Extent, LogPosition, Piece};
use crate::reading::resumption::{BEFORE_TOKEN, Seat};
use crate::reading::stream_query::{EventNames, Form};
use crate::reading::streams::Join;
use crate::town::Town;
use crate::viewers::state_list::{StateList, StateTexts};
use crate::viewers::text_of;

/// After how long a browser comes back by itself.
const RETRY_MS: u64 = 1_000;
/// Events of one turn.
const TURN_EVENTS_MAX: u64 = 64;

/// Where a reader stands.
#[derive(Debug)]
pub struct Reader {
    selection: Selection,
    position: LogPosition,
    live: bool,
    until_exit: bool,
    form: Form,
    names: EventNames,
    /// How far it is in the states of what it watches; the log comes behind them.
    states: StateList,
    /// The newest frames of states, deletions and previews that it has had.
    states_had: u64,
    deletions_had: u64,
    previews_had: u64,
    heartbeat_at: Timestamp,
    /// When it ends, to be opened again.
    ends_at: Timestamp,
    /// By whose right it was opened.
    grantor: Grantor,
    /// What stands behind each id: the right to resume, or nothing.
    behind_id: String,
    /// Its place, where there is one only for each right.
    seat: Option<Rc<Seat>>,
    /// Whether it has a right and was told neither that nor where it begins: it came back to nothing.
    owes_id: bool,
    /// What it is told first.
    greeting: Option<String>,
}

/// What a pull gives.
#[derive(Debug)]
pub struct Turn {
    /// Whole messages, as they go out.
    pub text: String,
    /// What comes next.
    pub next: Next,
}

/// What comes after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// There is more.
    Pull,
    /// That was all until something happens, or the stream is due.
    Wait,
    /// The stream is over.
    End,
}

impl Reader {
    /// When it gets something though nothing has happened.
    pub fn due_at(&self) -> Timestamp {
        self.grantor.ends_at.into_iter().chain([self.heartbeat_at, self.ends_at]).min().unwrap_or(self.ends_at)
    }

    /// Says by which name it waits, so that it can be woken when another connection takes its place.
    pub fn waits_as(&self, name: u64) {
        if let Some(seat) = &self.seat {
            seat.waits_as.set(name);
        }
    }

    /// The last words of a stream that is not to be opened again. A browser's event source comes back all the same, and is
    /// refused with a status that ends it for good.
    pub fn farewell(&self, code: Code, ending: Ending, now: Timestamp) -> String {
        let message = ending.reason().to_owned();
        let mut text = String::new();
        self.say(&mut text, &ServerFrame::Error { code: code.name().to_owned(), message, frame: None, at: now });
        text
    }

    /// Tells a frame that is no event, to a reader of frames.
    fn say(&self, text: &mut String, frame: &ServerFrame) {
        if self.form == Form::Frames {
            message(text, frame);
        }
    }
}

impl Town {
    /// Opens an event stream by a right, with `hello` and the states as its first messages.
    pub fn open_reader(&self, join: &Join, permit: &Permit, now: Timestamp) -> Result<Reader> {
        let store = self.store.as_ref();
        let selection = join.selection();
        let begin = cursor::resolve(store, &selection, &self.epoch, &join.asked)?;
        // In the block of the first message: some readers fail on one that holds nothing else.
        let mut greeting = format!("retry: {RETRY_MS}\n");
        let behind_id = join.right.as_ref().map_or_else(String::new, |right| format!("{BEFORE_TOKEN}{}", right.token));
        if join.form == Form::Frames {
            if join.right.is_some() {
                id_line(&mut greeting, begin.cursor, &behind_id);
            }
            message(&mut greeting, &self.hello(begin.reset)?);
        }
        Ok(Reader {
            selection,
            position: LogPosition::new(begin, log::head(store)?),
            live: false,
            states: StateList::begin(join.form),
            until_exit: join.until_exit,
            form: join.form,
            names: join.names,
            states_had: self.states.count(),
            deletions_had: self.states.count(),
            previews_had: self.previews.count(),
            heartbeat_at: now.plus_millis(HEARTBEAT_MS),
            ends_at: now.plus_millis(READER_LIFE_MS),
            grantor: permit.grantor.clone(),
            behind_id,
            seat: join.right.as_ref().map(|right| Rc::clone(&right.seat)),
            owes_id: join.right.is_some() && join.form == Form::Flat,
            greeting: Some(greeting),
        })
    }

    /// Whether a stream that ends with its agent's run has nothing to say any more: the run is over, and whoever asks has
    /// had its end.
    pub fn is_past_exit(&self, join: &Join) -> Result<bool> {
        let store = self.store.as_ref();
        let selection = join.selection();
        if !join.until_exit || runs::over(store, &selection.agents)?.is_none() {
            return Ok(false);
        }
        let begin = cursor::resolve(store, &selection, &self.epoch, &join.asked)?;
        let head = log::head(store)?;
        let extent = Extent { events: 1, bytes: FRAME_BYTES_MAX };
        let left = LogPosition::new(begin, head).read(store, &selection, &PageFilter::default(), head, extent)?;
        Ok(!begin.reset && left.entries.is_empty())
    }

    /// The next messages of an event stream.
    pub fn read_on(&self, reader: &mut Reader, now: Timestamp) -> Result<Turn> {
        if reader.seat.as_ref().is_some_and(|seat| seat.is_lost.get()) {
            return Ok(Turn { text: String::new(), next: Next::End });
        }
        if self.is_over(&reader.grantor, now) {
            let text = reader.farewell(Code::Unauthorized, Ending::RightEnded, now);
            return Ok(Turn { text, next: Next::End });
        }
        let mut text = reader.greeting.take().unwrap_or_default();
        if self.read_deletions(reader, &mut text, now) == Next::End {
            return Ok(Turn { text, next: Next::End });
        }
        if now >= reader.ends_at {
            return Ok(Turn { text, next: Next::End });
        }
        if now >= reader.heartbeat_at {
            reader.heartbeat_at = now.plus_millis(HEARTBEAT_MS);
            match reader.form {
                Form::Frames => reader.say(&mut text, &ServerFrame::Heartbeat { at: now, id: reader.position.cursor }),
                // A comment, and a block of its own no more than `retry:`.
                Form::Flat => text.push_str(": still here\n"),
            }
        }
        if !self.read_state_list(reader, &mut text)? {
            return Ok(Turn { text, next: Next::Pull });
        }
        let head = log::head(self.store.as_ref())?;
        if reader.position.cursor < head && !self.read_log(reader, head, &mut text)? {
            return Ok(Turn { text, next: Next::Pull });
        }
        if !std::mem::replace(&mut reader.live, true) {
            reader.say(&mut text, &ServerFrame::CaughtUp { id: head });
        }
        if !self.read_states(reader, &mut text)? {
            return Ok(Turn { text, next: Next::Pull });
        }
        if std::mem::take(&mut reader.owes_id) {
            // There is no message yet that could carry it: a block without one, of which no event is made.
            id_line(&mut text, reader.position.cursor, &reader.behind_id);
            text.push('\n');
        }
        if reader.until_exit
            && let Some(agent_id) = runs::over(self.store.as_ref(), &reader.selection.agents)?
        {
            if let Some(state) = self.agent(agent_id)? {
                reader.say(&mut text, &ServerFrame::State { agent: Box::new(state) });
            }
            return Ok(Turn { text, next: Next::End });
        }
        Ok(Turn { text, next: Next::Wait })
    }

    /// True if that was all up to the head.
    fn read_log(&self, reader: &mut Reader, head: EventId, text: &mut String) -> Result<bool> {
        let store = self.store.as_ref();
        if !reader.live || self.viewers.may_be_pruned(reader.position.cursor) {
            for gap in reader.position.take_gaps(store, &reader.selection, head)? {
                reader.say(text, &ServerFrame::Gap(gap));
            }
        }
        let extent = Extent { events: TURN_EVENTS_MAX, bytes: FRAME_BYTES_MAX };
        let Piece { entries, is_all } =
            reader.position.read(store, &reader.selection, &PageFilter::default(), head, extent)?;
        for entry in entries.iter().filter(|entry| reader.selection.shows(&entry.event)) {
            let name = (reader.names == EventNames::Given).then_some(entry.event.as_str());
            id_line(text, entry.id, &reader.behind_id);
            block(text, name, &entry.frame);
            reader.owes_id = false;
        }
        Ok(is_all)
    }

    /// Agents that were deleted. It is the end of a stream of one of them alone, and of a reader that is too far behind to
    /// be told: it comes back, and is sent the states that there are. They are told before any event, which may be of a new
    /// agent under the same id.
    fn read_deletions(&self, reader: &mut Reader, text: &mut String, now: Timestamp) -> Next {
        let Some(deleted) = self.states.deleted_after(reader.deletions_had) else { return Next::End };
        reader.deletions_had = self.states.count();
        for agent_id in deleted.filter(|agent_id| reader.selection.includes(agent_id)) {
            if reader.selection.agents != AgentSelection::All {
                text.push_str(&reader.farewell(Code::NotFound, Ending::AgentDeleted, now));
                return Next::End;
            }
            reader.say(text, &ServerFrame::AgentDeleted { agent_id: agent_id.clone() });
        }
        Next::Wait
    }

    /// The states of what it watches, as many as fit into a turn; true if that was the last of them.
    fn read_state_list(&self, reader: &mut Reader, text: &mut String) -> Result<bool> {
        let mut texts = StateTexts::new(self.store.as_ref());
        while let StateList::After(after) = &reader.states {
            let page = texts.page(&reader.selection, after.as_ref())?;
            if page.is_empty() {
                reader.states = StateList::Had;
            }
            for (agent_id, state) in page {
                if text.len() >= FRAME_BYTES_MAX {
                    return Ok(false);
                }
                block(text, Some("state"), &state);
                reader.states = StateList::After(Some(agent_id));
            }
        }
        Ok(true)
    }

    /// States that have changed, as many as fit into a turn, and what is being typed; true if those were all.
    fn read_states(&self, reader: &mut Reader, text: &mut String) -> Result<bool> {
        for (number, agent_id) in self.states.after(reader.states_had) {
            if text.len() >= FRAME_BYTES_MAX {
                return Ok(false);
            }
            if reader.selection.includes(agent_id)
                && let Some(state) = self.agent(agent_id)?
            {
                reader.say(text, &ServerFrame::State { agent: Box::new(state) });
            }
            reader.states_had = number;
        }
        for shown in self.previews.after(reader.previews_had).filter(|_| reader.form == Form::Frames) {
            if reader.selection.filters.output && reader.selection.includes(&shown.agent_id) {
                block(text, Some("preview"), &shown.text);
            }
        }
        reader.previews_had = self.previews.count();
        Ok(true)
    }

    pub(crate) fn hello(&self, reset: bool) -> Result<ServerFrame> {
        Ok(ServerFrame::Hello {
            protocol: crate::reading::streams::PROTOCOL_VERSION,
            town_id: self.town_id.clone(),
            epoch: self.epoch.clone(),
            head: log::head(self.store.as_ref())?,
            oldest_id: log::oldest(self.store.as_ref())?,
            reset,
            settings: self.config.settings,
        })
    }
}

fn message(text: &mut String, frame: &ServerFrame) {
    block(text, Some(frame.name()), &text_of(frame));
}

/// The line of an id, before its block.
fn id_line(text: &mut String, id: EventId, behind: &str) {
    text.extend(["id: ", &id.to_string(), behind, "\n"]);
}

/// The block of one message. JSON that was posted may have line breaks between its parts, which a message's line may not: there, and
/// only there, they are spaces.
fn block(text: &mut String, event: Option<&str>, data: &str) {
    if let Some(event) = event {
        text.extend(["event: ", event, "\n"]);
    }
    text.extend(["data: ", &one_line(data), "\n\n"]);
}

/// A JSON text without line breaks. Those within a string are escaped already.
pub(crate) fn one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}

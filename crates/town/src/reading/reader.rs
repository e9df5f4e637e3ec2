//! An event stream (SSE). Its reader pulls, and each pull reads the new events out of the log.

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
use crate::reading::log_position::{LogPiece, LogPosition, ReadLimit};
use crate::reading::resumption::{BEFORE_TOKEN, Seat};
use crate::reading::stream_query::{EventNames, Form};
use crate::reading::streams::Join;
use crate::town::Town;
use crate::viewers::state_list::{StateList, StatePage, StateTexts};
use crate::viewers::text_of;

/// The time after which a browser connects again by itself, 1 s.
const RETRY_MS: u64 = 1_000;
/// Events of one turn, 64; further events come with the next pull.
const TURN_EVENTS_MAX: u64 = 64;

/// The state of one event stream.
#[derive(Debug)]
pub struct Reader {
    selection: Selection,
    position: LogPosition,
    live: bool,
    until_exit: bool,
    form: Form,
    names: EventNames,
    /// The position in the list of states. The log follows behind the list.
    states: StateList,
    /// The newest frames of states, deletions and previews that the reader has had.
    states_had: u64,
    deletions_had: u64,
    previews_had: u64,
    heartbeat_at: Timestamp,
    /// The time at which the stream ends, to be opened again.
    ends_at: Timestamp,
    /// The grantor by whose right the stream was opened.
    grantor: Grantor,
    /// The text behind each id: the right to resume, for example `~TOKEN`, or nothing.
    behind_id: String,
    /// The seat of the right's one connection; `None` for a stream without a right to resume.
    seat: Option<Rc<Seat>>,
    /// Whether the reader still has to be told its right and its position. Without them, after a cut before the first
    /// event, the reader could not resume.
    owes_id: bool,
    /// The first text for the reader.
    greeting: Option<String>,
}

/// The result of a pull.
#[derive(Debug)]
pub struct PullResult {
    /// Whole messages, as they are sent.
    pub text: String,
    /// The next step.
    pub next: Next,
}

/// The step after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// A further pull at once, because there is more.
    Pull,
    /// A wait until something happens, or the stream is due.
    Wait,
    /// The end of the stream.
    End,
}

impl Reader {
    /// The time at which the reader gets something even if nothing has happened.
    pub fn due_at(&self) -> Timestamp {
        self.grantor.ends_at.into_iter().chain([self.heartbeat_at, self.ends_at]).min().unwrap_or(self.ends_at)
    }

    /// Notes the name under which the reader waits, so that it can be woken when another connection takes its place.
    pub fn waits_as(&self, name: u64) {
        if let Some(seat) = &self.seat {
            seat.waits_as.set(name);
        }
    }

    /// The last message of a stream that is not to be opened again. A browser's event source connects again even so,
    /// and is refused with a status that ends it for good.
    pub fn farewell(&self, code: Code, ending: Ending, now: Timestamp) -> String {
        let message = ending.reason().to_owned();
        let mut text = String::new();
        self.say(&mut text, &ServerFrame::Error { code: code.name().to_owned(), message, frame: None, at: now });
        text
    }

    /// Writes a frame that is no event, for a reader of frames; a flat reader gets none.
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
        // The line `retry:` is in the block of the first message, because some readers fail on a block that has nothing
        // else.
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

    /// Whether a stream that ends with its agent's run has nothing left to send: the run is over, and the reader has
    /// had its end.
    pub fn is_past_exit(&self, join: &Join) -> Result<bool> {
        let store = self.store.as_ref();
        let selection = join.selection();
        if !join.until_exit || runs::over(store, &selection.agents)?.is_none() {
            return Ok(false);
        }
        let begin = cursor::resolve(store, &selection, &self.epoch, &join.asked)?;
        let head = log::head(store)?;
        let limit = ReadLimit { events: 1, bytes: FRAME_BYTES_MAX };
        let left = LogPosition::new(begin, head).read(store, &selection, &PageFilter::default(), head, limit)?;
        Ok(!begin.reset && left.entries.is_empty())
    }

    /// Reads the next messages of an event stream.
    pub fn read_on(&self, reader: &mut Reader, now: Timestamp) -> Result<PullResult> {
        if reader.seat.as_ref().is_some_and(|seat| seat.is_lost.get()) {
            return Ok(PullResult { text: String::new(), next: Next::End });
        }
        if self.is_over(&reader.grantor, now) {
            let text = reader.farewell(Code::Unauthorized, Ending::RightEnded, now);
            return Ok(PullResult { text, next: Next::End });
        }
        let mut text = reader.greeting.take().unwrap_or_default();
        if self.read_deletions(reader, &mut text, now) == Next::End {
            return Ok(PullResult { text, next: Next::End });
        }
        if now >= reader.ends_at {
            return Ok(PullResult { text, next: Next::End });
        }
        if now >= reader.heartbeat_at {
            reader.heartbeat_at = now.plus_millis(HEARTBEAT_MS);
            match reader.form {
                Form::Frames => reader.say(&mut text, &ServerFrame::Heartbeat { at: now, id: reader.position.cursor }),
                // A comment line. It must not be a block of its own, just as `retry:` must not.
                Form::Flat => text.push_str(": still here\n"),
            }
        }
        if !self.read_state_list(reader, &mut text)? {
            return Ok(PullResult { text, next: Next::Pull });
        }
        let head = log::head(self.store.as_ref())?;
        if reader.position.cursor < head && !self.read_log(reader, head, &mut text)? {
            return Ok(PullResult { text, next: Next::Pull });
        }
        if !std::mem::replace(&mut reader.live, true) {
            reader.say(&mut text, &ServerFrame::CaughtUp { id: head });
        }
        if !self.read_states(reader, &mut text)? {
            return Ok(PullResult { text, next: Next::Pull });
        }
        if std::mem::take(&mut reader.owes_id) {
            // No message could carry the id yet. So this is a block without a message, and a reader makes no event of
            // it.
            id_line(&mut text, reader.position.cursor, &reader.behind_id);
            text.push('\n');
        }
        if reader.until_exit
            && let Some(agent_id) = runs::over(self.store.as_ref(), &reader.selection.agents)?
        {
            if let Some(state) = self.agent(agent_id)? {
                reader.say(&mut text, &ServerFrame::State { agent: Box::new(state) });
            }
            return Ok(PullResult { text, next: Next::End });
        }
        Ok(PullResult { text, next: Next::Wait })
    }

    /// Writes the next events of the log; true if that was all up to the head.
    fn read_log(&self, reader: &mut Reader, head: EventId, text: &mut String) -> Result<bool> {
        let store = self.store.as_ref();
        if !reader.live || self.viewers.may_be_pruned(reader.position.cursor) {
            for gap in reader.position.take_gaps(store, &reader.selection, head)? {
                reader.say(text, &ServerFrame::Gap(gap));
            }
        }
        let limit = ReadLimit { events: TURN_EVENTS_MAX, bytes: FRAME_BYTES_MAX };
        let LogPiece { entries, is_all } =
            reader.position.read(store, &reader.selection, &PageFilter::default(), head, limit)?;
        for entry in entries.iter().filter(|entry| reader.selection.shows(&entry.event)) {
            let name = (reader.names == EventNames::Given).then_some(entry.event.as_str());
            id_line(text, entry.id, &reader.behind_id);
            block(text, name, &entry.frame);
            reader.owes_id = false;
        }
        Ok(is_all)
    }

    /// Writes the deletions of agents. A deletion is the end of a stream that watches named agents, and of a reader
    /// that is too far behind to be told. Such a reader connects again, and is sent the present states. Deletions come
    /// before any event, because an event may be of a new agent under the same id.
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

    /// Writes the states of the watched agents, as many as fit into a turn; true if these were the last.
    fn read_state_list(&self, reader: &mut Reader, text: &mut String) -> Result<bool> {
        let mut texts = StateTexts::new(self.store.as_ref());
        while let StateList::After(after) = &reader.states {
            let StatePage { states, is_last } = texts.page(&reader.selection, after.as_ref())?;
            for (agent_id, state) in states {
                if text.len() >= FRAME_BYTES_MAX {
                    return Ok(false);
                }
                block(text, Some("state"), &state);
                reader.states = StateList::After(Some(agent_id));
            }
            if is_last {
                reader.states = StateList::Complete;
            }
        }
        Ok(true)
    }

    /// Writes the states that have changed, as many as fit into a turn, and the previews of texts that are being typed;
    /// true if these were all.
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

/// Writes the line of an id, which stands before its block.
fn id_line(text: &mut String, id: EventId, behind: &str) {
    text.extend(["id: ", &id.to_string(), behind, "\n"]);
}

/// Writes the block of one message. Posted JSON may have line breaks between its parts, but a message's line may have
/// none. So these line breaks, and nothing else, become spaces.
fn block(text: &mut String, event: Option<&str>, data: &str) {
    if let Some(event) = event {
        text.extend(["event: ", event, "\n"]);
    }
    text.extend(["data: ", &one_line(data), "\n\n"]);
}

/// Makes a JSON text one line. Line breaks within a string need no change: JSON escapes them.
pub(crate) fn one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}

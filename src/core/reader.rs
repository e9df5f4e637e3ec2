//! An event stream (SSE): its reader pulls, and each time gets what has come since, out of the log.

use crate::core::cursor;
use crate::core::log::{self, Selection, Span, Wanted};
use crate::core::runs;
use crate::core::streams::Join;
use crate::core::town::Town;
use crate::core::viewers::text_of;
use crate::error::Result;
use crate::id::EventId;
use crate::limits::{FRAME_BYTES_MAX, HEARTBEAT_MS, READER_LIFE_MS};
use crate::protocol::{AgentSelection, AgentState, ServerFrame};
use crate::time::Timestamp;

/// After how long a browser comes back by itself.
const RETRY_MS: u64 = 1_000;
/// Events of one turn.
const TURN_EVENTS_MAX: u64 = 64;

/// Where a reader stands.
#[derive(Debug)]
pub struct Reader {
    selection: Selection,
    cursor: EventId,
    live: bool,
    /// The head when it was last told what is pruned.
    gaps_known_at: Option<EventId>,
    until_exit: bool,
    /// The newest frames of states and previews that it has had.
    states_had: u64,
    previews_had: u64,
    heartbeat_at: Timestamp,
    ends_at: Timestamp,
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
        self.heartbeat_at.min(self.ends_at)
    }
}

impl Town {
    /// Opens an event stream, with `hello` and the states as its first messages.
    pub fn open_reader(&self, join: &Join, now: Timestamp) -> Result<Reader> {
        let store = self.store.as_ref();
        let selection = join.selection();
        let begin = cursor::resolve(store, &selection, &self.epoch, &join.asked)?;
        let mut greeting = format!("retry: {RETRY_MS}\n\n");
        say(&mut greeting, &self.hello(begin.reset)?);
        for state in self.states_of(&selection)? {
            say(&mut greeting, &ServerFrame::State { agent: Box::new(state) });
        }
        Ok(Reader {
            selection,
            cursor: begin.cursor,
            live: false,
            gaps_known_at: if begin.tail { Some(log::head(store)?) } else { None },
            until_exit: join.until_exit,
            states_had: self.states.count(),
            previews_had: self.previews.count(),
            heartbeat_at: now.plus_millis(HEARTBEAT_MS),
            ends_at: now.plus_millis(READER_LIFE_MS),
            greeting: Some(greeting),
        })
    }

    /// The next messages of an event stream.
    pub fn read_on(&self, reader: &mut Reader, now: Timestamp) -> Result<Turn> {
        let mut text = reader.greeting.take().unwrap_or_default();
        if now >= reader.ends_at {
            return Ok(Turn { text, next: Next::End });
        }
        if now >= reader.heartbeat_at {
            reader.heartbeat_at = now.plus_millis(HEARTBEAT_MS);
            say(&mut text, &ServerFrame::Heartbeat { at: now, id: reader.cursor });
        }
        let head = log::head(self.store.as_ref())?;
        if reader.cursor < head && !self.read_log(reader, head, &mut text)? {
            return Ok(Turn { text, next: Next::Pull });
        }
        if !std::mem::replace(&mut reader.live, true) {
            say(&mut text, &ServerFrame::CaughtUp { id: head });
        }
        self.read_states(reader, &mut text)?;
        if reader.until_exit
            && let Some(agent_id) = runs::over(self.store.as_ref(), &reader.selection.agents)?
        {
            if let Some(state) = self.agent(agent_id)? {
                say(&mut text, &ServerFrame::State { agent: Box::new(state) });
            }
            return Ok(Turn { text, next: Next::End });
        }
        Ok(Turn { text, next: Next::Wait })
    }

    /// True if that was all up to the head.
    fn read_log(&self, reader: &mut Reader, head: EventId, text: &mut String) -> Result<bool> {
        let store = self.store.as_ref();
        if !reader.live || self.viewers.may_be_pruned(reader.cursor) {
            for gap in cursor::pruned_gaps(store, &reader.selection, reader.cursor, reader.gaps_known_at)? {
                say(text, &ServerFrame::Gap(gap));
            }
            reader.gaps_known_at = Some(head);
        }
        let (agents, after) = (&reader.selection.agents, Span::After(reader.cursor));
        let (entries, is_all) =
            log::read_page(store, agents, after, &Wanted::default(), TURN_EVENTS_MAX, FRAME_BYTES_MAX)?;
        reader.cursor = entries.last().filter(|_| !is_all).map_or(head, |entry| entry.id);
        for entry in entries.iter().filter(|entry| reader.selection.shows(&entry.event)) {
            message(text, Some(entry.id), &entry.event, &entry.frame);
        }
        Ok(is_all)
    }

    /// States that have changed, and what is being typed.
    fn read_states(&self, reader: &mut Reader, text: &mut String) -> Result<()> {
        for agent_id in self.states.after(reader.states_had).filter(|agent_id| reader.selection.includes(agent_id)) {
            if let Some(state) = self.agent(agent_id)? {
                say(text, &ServerFrame::State { agent: Box::new(state) });
            }
        }
        reader.states_had = self.states.count();
        for shown in self.previews.after(reader.previews_had) {
            if reader.selection.filters.output && reader.selection.includes(&shown.agent_id) {
                message(text, None, "preview", &shown.text);
            }
        }
        reader.previews_had = self.previews.count();
        Ok(())
    }

    pub(crate) fn hello(&self, reset: bool) -> Result<ServerFrame> {
        Ok(ServerFrame::Hello {
            protocol: crate::core::streams::PROTOCOL_VERSION,
            town_id: self.town_id.clone(),
            epoch: self.epoch.clone(),
            head: log::head(self.store.as_ref())?,
            oldest_id: log::oldest(self.store.as_ref())?,
            reset,
        })
    }

    pub(crate) fn states_of(&self, selection: &Selection) -> Result<Vec<AgentState>> {
        match &selection.agents {
            AgentSelection::All => self.agents(),
            AgentSelection::Only(agents) => agents.iter().filter_map(|agent| self.agent(agent).transpose()).collect(),
        }
    }
}

fn say(text: &mut String, frame: &ServerFrame) {
    message(text, None, frame.name(), &text_of(frame));
}

/// One message. JSON that was posted may have line breaks between its parts, which a message's line may not: there, and
/// only there, they are spaces.
fn message(text: &mut String, id: Option<EventId>, event: &str, data: &str) {
    let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
    text.extend([id.as_str(), "event: ", event, "\ndata: ", &one_line(data), "\n\n"]);
}

/// A JSON text without line breaks. Those within a string are escaped already.
pub(crate) fn one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}

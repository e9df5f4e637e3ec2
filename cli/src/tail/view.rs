//! The events seen so far, and their form on standard output.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use serde::Deserialize;
use serde_json::value::RawValue;
use townwatch_protocol::event::{AgentExited, EventData, EventKind, OutputStream};
use townwatch_protocol::id::{AgentId, Epoch};
use townwatch_protocol::wire::{Gap, ServerFrame, TownEvent};

use super::ConnectionEnd;
use super::ending;
use super::printed::{AgentTerminals, PrintedLines};
use super::{plain, sentence};
use crate::arguments::TailArguments;
use crate::notice::say;

/// The bytes of states after which an acknowledgement is due, 1 MiB. The server sends 4 MiB of them without one.
const STATE_BYTES: usize = 1 << 20;

/// The fields of an agent's state that are needed here. The others may have words of a newer server.
#[derive(Debug, Deserialize)]
#[allow(clippy::struct_field_names)] // `agent_id` is the word of the wire
struct ShownAgent {
    agent_id: AgentId,
    name: String,
    run_number: u64,
    exit: Option<AgentExited>,
}

/// A view that continues over connections.
#[allow(clippy::struct_excessive_bools)] // three are the command line's independent switches
pub(super) struct View {
    pub(super) agent: Option<AgentId>,
    /// Whether it ends with the agent's run.
    pub(super) until_exit: bool,
    begin: String,
    json: bool,
    colours: bool,
    /// Whether standard output is a terminal, so that a line can be written over.
    is_terminal: bool,
    terminals: AgentTerminals,
    /// The unfinished line at the end of a terminal. After each other text it is written again below.
    open: Option<(AgentId, String)>,
    epoch: Option<Epoch>,
    /// The last event that was shown, or that this view leaves out.
    shown_id: Option<u64>,
    names: HashMap<AgentId, String>,
    /// The bytes of states that are not acknowledged yet.
    state_bytes: usize,
    exit: Option<AgentExited>,
    /// Whether the person knows of the agent: was told that it has not started, or saw it at work.
    started: bool,
}

impl View {
    pub(super) fn new(arguments: &TailArguments) -> Self {
        let begin = match (arguments.from, arguments.tail) {
            // The server's `from` is the first event that is wanted. Beyond the head it waits, where `after_id` would reset.
            (Some(id), _) => format!("from={}", id.saturating_add(1)),
            (None, Some(count)) => format!("tail={count}"),
            (None, None) => "after_id=0".to_owned(),
        };
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            agent: arguments.agent.clone(),
            until_exit: arguments.agent.is_some() && !arguments.follow,
            begin,
            json: arguments.json,
            colours: !no_color && io::stdout().is_terminal(),
            is_terminal: !arguments.json && io::stdout().is_terminal(),
            terminals: AgentTerminals::default(),
            open: None,
            epoch: None,
            shown_id: None,
            names: HashMap::new(),
            state_bytes: 0,
            exit: None,
            started: false,
        }
    }

    /// The query of the next connection, after its ticket.
    pub(super) fn query(&self) -> String {
        let mut query = "&flow=ack".to_owned();
        if self.until_exit {
            query.push_str("&until=exit");
        }
        match (&self.epoch, self.shown_id) {
            (Some(epoch), Some(id)) => {
                let _ = write!(query, "&epoch={epoch}&after_id={id}");
            }
            _ => {
                let _ = write!(query, "&{}", self.begin);
            }
        }
        query
    }

    /// Shows a frame; gives the id to acknowledge, if there is one.
    pub(super) fn take(&mut self, text: &str) -> Result<Option<u64>, ConnectionEnd> {
        let frame = match ServerFrame::read(text) {
            Ok(Some(frame)) => frame,
            // A frame of a newer server's may be of a type that is not known here.
            Ok(None) => return Ok(None),
            Err(error) => return unreadable(text, &error),
        };
        match frame {
            ServerFrame::Hello { epoch, reset, .. } => self.hello(epoch, reset),
            ServerFrame::State { agent } => return Ok(self.state(*agent, text.len())),
            ServerFrame::Events { events, .. } => return self.events(&events),
            ServerFrame::CaughtUp { id } => self.caught_up(id.get()),
            ServerFrame::Gap(gap) => self.gap(&gap),
            ServerFrame::Error { message, .. } => say(&plain::line(&message, 500)),
            ServerFrame::AgentDeleted { .. }
            | ServerFrame::Preview(_)
            | ServerFrame::Backpressure { .. }
            | ServerFrame::SubscriptionConfirmed { .. }
            | ServerFrame::Heartbeat { .. }
            | ServerFrame::Pong => {}
        }
        Ok(None)
    }

    /// The exit code of the watched run. A reason other than 0 is printed.
    pub(super) fn exit_code(&self) -> u8 {
        let (Some(exit), Some(agent)) = (&self.exit, &self.agent) else { return 0 };
        if let Some(problem) = ending::problem(exit) {
            say(&format!("{} {}", self.name(agent), plain::line(&problem, 1000)));
        }
        ending::code(exit)
    }

    fn hello(&mut self, epoch: Epoch, reset: bool) {
        if reset && self.shown_id.is_some() {
            say("the town's log was begun anew; from its start");
            (self.shown_id, self.exit) = (None, None);
            "after_id=0".clone_into(&mut self.begin);
        }
        self.epoch = Some(epoch);
    }

    /// Takes a state; gives the last shown id if an acknowledgement is due.
    fn state(&mut self, agent: ShownAgent, bytes: usize) -> Option<u64> {
        if Some(&agent.agent_id) == self.agent.as_ref() {
            self.started |= agent.run_number > 0;
            self.exit = agent.exit;
        }
        self.names.insert(agent.agent_id, plain::line(&agent.name, 30));
        self.state_bytes += bytes;
        if self.state_bytes < STATE_BYTES {
            return None;
        }
        self.state_bytes = 0;
        Some(self.shown_id.unwrap_or(0))
    }

    fn events(&mut self, events: &[Box<RawValue>]) -> Result<Option<u64>, ConnectionEnd> {
        let (text, last) = self
            .news(events)
            .map_err(|error| ConnectionEnd::Lost(format!("the server sent what is no event: {error}")))?;
        let text = self.above_open_line(&text);
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|_| ConnectionEnd::StdoutClosed)?;
        Ok(last)
    }

    /// The output that puts a text above the unfinished line. That line does not wrap, or it could not be written over.
    fn above_open_line(&self, text: &str) -> String {
        if !self.is_terminal {
            return text.to_owned();
        }
        let open = self.open.as_ref().map_or_else(String::new, |(_, open)| format!("\x1b[?7l{open}\x1b[?7h"));
        format!("\r\x1b[K{text}{open}")
    }

    /// The lines of a frame's events that were not shown yet, and the id of the last one.
    fn news(&mut self, events: &[Box<RawValue>]) -> serde_json::Result<(String, Option<u64>)> {
        let (mut text, mut last) = (String::new(), None);
        for raw in events {
            let event: TownEvent = serde_json::from_str(raw.get())?;
            let id = event.id.get();
            last = Some(id);
            if self.shown_id.is_some_and(|shown| id <= shown) {
                continue;
            }
            text.push_str(&if self.json { json_line(raw.get()) } else { self.lines(&event) });
            self.shown_id = Some(id);
            self.started = true;
            if event.event.is(EventKind::Exited) {
                self.exit = serde_json::from_str(event.data.get()).ok();
            }
        }
        Ok((text, last))
    }

    fn caught_up(&mut self, id: u64) {
        self.shown_id = self.shown_id.max(Some(id));
        if let (Some(agent), false) = (&self.agent, self.started) {
            say(&format!("waiting for {agent} to start"));
            self.started = true;
        }
    }

    fn gap(&self, gap: &Gap) {
        let name = self.name(&gap.agent_id);
        let count = gap.count.map_or_else(|| "events".to_owned(), |count| format!("{count} events"));
        say(&format!("{count} of {name} are missing, ids {} to {}: the town keeps only the newest", gap.from, gap.to));
    }

    /// The lines of an event. An unfinished line is shown where it can be written over, else when it is complete.
    fn lines(&mut self, event: &TownEvent) -> String {
        let PrintedLines { lines, open } = match EventData::read(&event.event, &event.data) {
            EventData::Output(output) if matches!(output.stream, OutputStream::Stdout | OutputStream::Stderr) => {
                self.terminals.take(&event.agent_id, &output, self.colours)
            }
            EventData::Exited(_) => {
                PrintedLines { lines: self.terminals.end(&event.agent_id, self.colours), open: None }
            }
            _ => return self.sentence(event),
        };
        let line = |text: &String| sentence::printed(text, &time(event), self.name(&event.agent_id), self.colours);
        let mut text: String = lines.iter().map(line).collect();
        let open = open.as_ref().map(|open| (event.agent_id.clone(), line(open).trim_end_matches('\n').to_owned()));
        if event.event.is(EventKind::Exited) {
            text.push_str(&self.sentence(event));
        }
        if open.is_some() || self.open.as_ref().is_some_and(|(agent, _)| *agent == event.agent_id) {
            self.open = open;
        }
        text
    }

    fn sentence(&self, event: &TownEvent) -> String {
        sentence::of(event).line(&time(event), self.name(&event.agent_id), self.colours)
    }

    fn name<'a>(&'a self, agent: &'a AgentId) -> &'a str {
        self.names.get(agent).map_or(agent.as_str(), String::as_str)
    }
}

fn time(event: &TownEvent) -> String {
    let time = chrono::DateTime::from_timestamp_millis(event.at.millis()).unwrap_or_default();
    time.with_timezone(&chrono::Local).format("%H:%M:%S").to_string()
}

/// The event as one line. JSON can break lines only between values, where a space means the same.
fn json_line(raw: &str) -> String {
    raw.replace(['\n', '\r'], " ") + "\n"
}

/// Judges a frame that cannot be read. A newer server's words in a frame that shows nothing here end nothing; in a gap they
/// do not hide the gap.
fn unreadable(text: &str, error: &serde_json::Error) -> Result<Option<u64>, ConnectionEnd> {
    #[derive(Deserialize)]
    struct FrameType {
        r#type: String,
    }
    match serde_json::from_str(text).map(|FrameType { r#type }| r#type).as_deref() {
        Ok("preview" | "backpressure" | "subscription_confirmed" | "heartbeat" | "pong" | "agent_deleted") => {}
        Ok("gap") => say("some events are missing here"),
        _ => return Err(ConnectionEnd::Lost(format!("the server sent what is no frame: {error}"))),
    }
    Ok(None)
}

#[cfg(test)]
mod tests;

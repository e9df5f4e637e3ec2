//! An open run, seen from what executes it: it can say something, and it can end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::Instant;
use townwatch_agents::normalise::Piece;
use townwatch_agents::normalise::pictures::Picture;
use townwatch_agents::redact::Redaction;
use townwatch_protocol::event::{AgentExited, AgentSession, EventData, ExitReason, FileChanged, Runtime, StopSignal};
use townwatch_protocol::id::{AgentId, RunId};
use townwatch_protocol::time::Timestamp;

use crate::command::{self, CommandReceiver};
use crate::files::Attribution;
use crate::runtimes;
use crate::town::Town;

/// The buffers of an ended run go this long after its end.
pub const ENDED_KEPT: Duration = Duration::from_mins(5);

/// An open run, in the hands of what executes it.
#[derive(Debug, Clone)]
#[allow(clippy::struct_field_names)] // `run_id` is the word of the wire
pub struct Run {
    pub(crate) town: Arc<Town>,
    pub(crate) agent_id: AgentId,
    pub(crate) run_id: RunId,
    pub(crate) runtime: Runtime,
    /// The signal by which the run was asked to stop, once it was.
    pub stop_asked: watch::Receiver<Option<StopSignal>>,
    pub(crate) redaction: Arc<Redaction>,
    pub(crate) attribution: Arc<Mutex<Attribution>>,
}

impl Run {
    /// The agent.
    pub fn agent_id(&self) -> &AgentId {
        &self.agent_id
    }

    /// The run.
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// From now on people can tell the agent something.
    pub fn listen(&self) -> CommandReceiver {
        let (sender, receiver) = command::channel();
        self.town.take_commands(self, sender);
        receiver
    }

    /// Appends events, in order.
    pub fn append(&self, mut events: Vec<EventData>, at: Timestamp) {
        events.retain(|event| self.attribution().says(event, Instant::now()));
        for event in &mut events {
            if let EventData::Session(session) = event {
                session.takes_messages = Some(runtimes::takes_messages(self.runtime));
                if let AgentSession { agent_version: Some(version), .. } = session {
                    runtimes::saw(self.runtime, version);
                }
            }
        }
        if !events.is_empty() {
            self.town.append(self, self.told(events), at);
        }
    }

    /// Keeps pictures for the events that name them, and so before these: who reads the event may ask at once.
    pub(crate) fn keep(&self, pictures: Vec<Picture>) {
        for picture in pictures {
            self.town.keep(self, picture);
        }
    }

    /// Tells a change of a file that was seen between two moments, unless the agent has told it; whether it was told.
    pub(crate) fn tell_change(&self, change: FileChanged, from: Instant, to: Instant, at: Timestamp) -> bool {
        let change = self.attribution().attribute(change, from, to, Instant::now());
        let is_told = change.is_some();
        if let Some(change) = change {
            self.town.append(self, self.told(vec![change.into()]), at);
        }
        is_told
    }

    fn attribution(&self) -> MutexGuard<'_, Attribution> {
        self.attribution.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a piece of a message that is still being typed.
    pub fn type_on(&self, piece: Piece) {
        self.town.type_on(self, self.redaction.piece(piece));
    }

    /// The events with their data as text, without secrets; and notices of those that were in them, before an end.
    fn told(&self, events: Vec<EventData>) -> Vec<(Box<RawValue>, EventData)> {
        let tell = |event: EventData| (self.redaction.data(&event), event);
        let mut told: Vec<_> = events.into_iter().map(tell).collect();
        let ends = matches!(told.last(), Some((_, EventData::Exited(_))));
        let notices = if ends { self.redaction.last_notices() } else { self.redaction.first_notices() };
        let at = told.len() - usize::from(ends);
        told.splice(at..at, notices.into_iter().map(tell));
        told
    }

    /// Ends a run that has no process, or has lost it.
    pub fn fail(self, message: &str) {
        let message = Some(message.to_owned());
        let exit = AgentExited { reason: ExitReason::Failed, exit_code: None, signal: None, message };
        self.end(exit, townwatch_host::now());
    }

    /// Ends the run and, a while later, lets its events go.
    pub fn end(self, mut exit: AgentExited, at: Timestamp) {
        exit.message = exit.message.map(|message| self.redaction.text(&message).into_owned());
        let Some(last_event_id) = self.town.append(&self, self.told(vec![exit.into()]), at) else { return };
        tokio::spawn(async move {
            tokio::time::sleep(ENDED_KEPT).await;
            self.town.expire(&self.agent_id, &self.run_id, last_event_id);
        });
    }
}

//! An open run, for the task that executes it: it appends events, and ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::time::Instant;
use townwatch_agents::normalise::Piece;
use townwatch_agents::normalise::pictures::Picture;
use townwatch_agents::redact::{Redaction, SecretValues};
use townwatch_protocol::error::Result;
use townwatch_protocol::event::{AgentExited, AgentSession, EventData, ExitReason, FileChanged};
use townwatch_protocol::id::{AgentId, RunId};
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::time::Timestamp;

use crate::attribution::Attribution;
use crate::command::{self, CommandReceiver};
use crate::runtimes;
use crate::stop::StopReceiver;
use crate::town::Town;

/// The time from a run's end until its buffers go, 5 minutes.
pub const ENDED_KEPT: Duration = Duration::from_mins(5);

/// An open run, as the task that executes it holds it.
#[derive(Debug, Clone)]
#[allow(clippy::struct_field_names)] // `run_id` is the word of the wire
pub struct RunHandle {
    pub(crate) town: Arc<Town>,
    pub(crate) agent_id: AgentId,
    pub(crate) run_id: RunId,
    pub(crate) runtime: Runtime,
    /// The receiver of orders to stop the run. Each task that waits for them needs a clone.
    pub(crate) stop: StopReceiver,
    pub(crate) redaction: Arc<Redaction>,
    pub(crate) attribution: Arc<Mutex<Attribution>>,
}

impl RunHandle {
    /// Opens a run that has to be executed now; `None` for one that was opened before.
    ///
    /// # Errors
    ///
    /// `already_running` where another run of the agent is open, `rate_limited` where the town has as many agents as it may,
    /// `internal` where what finds secrets cannot be made.
    pub fn begin(
        town: &Arc<Town>,
        agent_id: &AgentId,
        run_id: &RunId,
        runtime: Runtime,
        secrets: SecretValues,
    ) -> Result<Option<Self>> {
        let redaction = Arc::new(Redaction::new(secrets)?);
        let stop = town.begin(agent_id, run_id)?;
        Ok(stop.map(|stop| {
            let (town, agent_id, run_id) = (town.clone(), agent_id.clone(), run_id.clone());
            Self { town, agent_id, run_id, runtime, stop, redaction, attribution: Arc::default() }
        }))
    }

    /// The agent.
    pub fn agent_id(&self) -> &AgentId {
        &self.agent_id
    }

    /// The run.
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// Lets people send commands to the agent, from now on.
    pub fn listen(&self) -> CommandReceiver {
        let (sender, receiver) = command::channel();
        self.town.take_commands(&self.agent_id, &self.run_id, sender);
        receiver
    }

    /// Appends events, in order.
    pub fn append(&self, mut events: Vec<EventData>, at: Timestamp) {
        events.retain(|event| self.attribution().says(event, Instant::now()));
        for event in &mut events {
            if let EventData::Session(session) = event {
                session.takes_messages = Some(self.runtime.takes_messages());
                if let AgentSession { agent_version: Some(version), .. } = session {
                    runtimes::saw(self.runtime, version);
                }
            }
        }
        if !events.is_empty() {
            self.town.append(&self.agent_id, &self.run_id, self.redacted(events), at);
        }
    }

    /// Keeps pictures for the events that name them. This must come before these events, because a reader of an event
    /// may ask for its picture at once.
    pub(crate) fn keep(&self, pictures: Vec<Picture>) {
        for picture in pictures {
            self.town.keep(&self.agent_id, &self.run_id, picture);
        }
    }

    /// Appends a change of a file that was seen between two moments, unless the agent has reported it; true if it was
    /// appended.
    pub(crate) fn tell_change(&self, change: FileChanged, from: Instant, to: Instant, at: Timestamp) -> bool {
        let change = self.attribution().attribute(change, from, to, Instant::now());
        let is_told = change.is_some();
        if let Some(change) = change {
            self.town.append(&self.agent_id, &self.run_id, self.redacted(vec![change.into()]), at);
        }
        is_told
    }

    fn attribution(&self) -> MutexGuard<'_, Attribution> {
        self.attribution.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a piece of a message that is still being typed.
    pub fn type_on(&self, piece: Piece) {
        self.town.type_on(&self.agent_id, &self.run_id, self.redaction.piece(piece));
    }

    /// Gives the events with their data as text, without secrets. Notices about the secrets that were in them are
    /// added, before an end.
    fn redacted(&self, events: Vec<EventData>) -> Vec<(Box<RawValue>, EventData)> {
        let redact = |event: EventData| (self.redaction.data(&event), event);
        let mut redacted: Vec<_> = events.into_iter().map(redact).collect();
        let ends = matches!(redacted.last(), Some((_, EventData::Exited(_))));
        let notices = if ends { self.redaction.last_notices() } else { self.redaction.first_notices() };
        let at = redacted.len() - usize::from(ends);
        redacted.splice(at..at, notices.into_iter().map(redact));
        redacted
    }

    /// Ends a run that has no process, or whose process is lost.
    pub fn fail(self, message: &str) {
        self.end(AgentExited::because(ExitReason::Failed, message), townwatch_host::now());
    }

    /// Ends the run and, after [`ENDED_KEPT`], lets its events go.
    pub fn end(self, mut exit: AgentExited, at: Timestamp) {
        exit.message = exit.message.map(|message| self.redaction.text(&message).into_owned());
        let events = self.redacted(vec![exit.into()]);
        let Some(last_event_id) = self.town.append(&self.agent_id, &self.run_id, events, at) else { return };
        tokio::spawn(async move {
            tokio::time::sleep(ENDED_KEPT).await;
            self.town.expire(&self.agent_id, &self.run_id, last_event_id);
        });
    }
}

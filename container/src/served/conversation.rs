//! A conversation with the server of OpenCode or Kilo: it makes a session, sends prompts, and reads events. The stream
//! of `GET /event` has no ids, so events from a time in which it is cut off are fetched afterwards (`catch_up`).

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use townwatch_agents::normalise::{Meaning, Normalise, Opencode, RunContext};
use townwatch_agents::sse::{SseDecoder, SseMessage};
use townwatch_host::{now, run_context_of};
use townwatch_protocol::limits::STDOUT_LINE_BYTES_MAX;
use townwatch_protocol::wire::StartAgent;

use crate::command::CommandReceiver;
use crate::life::{Life, SETTLE, Turn};
use crate::loopback::{CALL_LIMIT, LoopbackServer};
use crate::run::RunHandle;
use crate::runtimes::opencode::model;

/// The time limit for the start of the server, 2 minutes. At its first start it downloads and prepares files.
const START_LIMIT: Duration = Duration::from_mins(2);
/// The time limit of one request for its health, 2 s. While it starts it may accept a connection and never answer.
const HEALTH_LIMIT: Duration = Duration::from_secs(2);
const HEALTH_PAUSE: Duration = Duration::from_millis(100);
/// The silence after which the stream counts as cut off, 30 s. The stream has a heartbeat every 10 s.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// A conversation with one server.
pub(super) struct Conversation<'a> {
    pub(super) run: &'a RunHandle,
    order: &'a StartAgent,
    working_dir: &'a Path,
    commands: CommandReceiver,
    pub(super) normaliser: Opencode,
    /// The server and the session's id, once both are there.
    pub(super) session: Option<(LoopbackServer, String)>,
    stream: Option<(Incoming, SseDecoder)>,
    /// Whether an event has come since the waiting time was last checked.
    has_happened: bool,
    /// The moment at which the server is asked whether the turn goes on.
    pub(super) status_again_at: Option<Instant>,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(
        run: &'a RunHandle,
        order: &'a StartAgent,
        working_dir: &'a Path,
        commands: CommandReceiver,
    ) -> Self {
        let normaliser = Opencode::new(order.runtime.as_str(), context(working_dir), None);
        Self {
            run,
            order,
            working_dir,
            commands,
            normaliser,
            session: None,
            stream: None,
            has_happened: false,
            status_again_at: None,
        }
    }

    /// The agent's turn. After a failed or interrupted turn the server first reports that it is idle, and then how the
    /// last calls ended.
    pub(super) fn turn(&self) -> Turn {
        if self.normaliser.is_idle() { Turn::Idle { can_go_on: self.normaliser.can_go_on() } } else { Turn::Open }
    }

    pub(super) fn failure(&self) -> Option<&str> {
        self.normaliser.failure()
    }

    /// Appends the events that are still missing before the run's exit.
    pub(super) fn end(&mut self, succeeded: bool) {
        self.run.append(self.normaliser.end(succeeded, now()), now());
    }

    /// Holds the conversation until a time limit is reached, or until it cannot go on. The error is the reason. The
    /// future can be dropped at any time.
    pub(super) async fn hold(
        &mut self,
        life: &mut Life,
        address: oneshot::Receiver<SocketAddr>,
        password: &str,
    ) -> Result<(), String> {
        let begun = match timeout(START_LIMIT, self.begin(address, password)).await {
            Ok(begun) => begun,
            Err(_) => Err(format!("its server was not up within {} s", START_LIMIT.as_secs())),
        };
        begun?;
        self.go_on(life).await
    }

    async fn begin(&mut self, address: oneshot::Receiver<SocketAddr>, password: &str) -> Result<(), String> {
        let Ok(address) = address.await else { return std::future::pending().await }; // it has ended
        let program = self.order.runtime.as_str();
        let server = LoopbackServer::new(address, program, password);
        while server.get("/global/health", HEALTH_LIMIT).await.and_then(|answer| answer.success().map(drop)).is_err() {
            sleep(HEALTH_PAUSE).await;
        }
        let answer = server.post("/session", &json!({}), START_LIMIT).await?;
        let session = answer.success()?;
        let Identified { id } = serde_json::from_str(session).map_err(|error| format!("POST /session: {error}"))?;
        if !is_plain(&id) {
            return Err(format!("{program} calls its session {id:?}, which is none of its names"));
        }
        self.normaliser = Opencode::new(program, context(self.working_dir), Some(id.clone()));
        self.take_frame(&format!(r#"{{"type":"session.created","properties":{{"info":{session}}}}}"#));
        self.session = Some((server, id));
        self.open_stream().await?;
        let prompt = self.order.prompt.clone().unwrap_or_default();
        self.prompt(&prompt, CALL_LIMIT).await
    }

    pub(super) async fn prompt(&self, text: &str, limit: Duration) -> Result<(), String> {
        let (server, session_id) = self.session()?;
        let mut body = json!({"parts": [{"type": "text", "text": text}]});
        if let Some((provider, model)) = self.order.model.as_deref().and_then(model) {
            body["model"] = json!({"providerID": provider, "modelID": model});
        }
        if let Some(system) = &self.order.system_prompt {
            body["system"] = json!(system);
        }
        let answer = server.post(&format!("/session/{session_id}/prompt_async"), &body, limit).await?;
        answer.success().map(drop).map_err(|problem| format!("it did not take the prompt: {problem}"))
    }

    pub(super) fn session(&self) -> Result<(&LoopbackServer, &str), String> {
        let (server, session_id) = self.session.as_ref().ok_or("its server is not up yet")?;
        Ok((server, session_id))
    }

    async fn go_on(&mut self, life: &mut Life) -> Result<(), String> {
        loop {
            if std::mem::take(&mut self.has_happened) {
                life.happened();
            }
            let (due, status_again_at) = (life.due(self.turn(), Instant::now()), self.status_again_at);
            tokio::select! {
                listened = listen(&mut self.stream) => match listened {
                    Some(bytes) => self.take(&bytes),
                    None => self.come_back().await.map_err(|problem| {
                        format!("its event stream broke off and could not be opened again: {problem}")
                    })?,
                },
                () = until(status_again_at) => self.ask_status_again().await,
                Some(queued) = self.commands.recv() => self.fulfil(queued).await,
                () = sleep_until(due) => return Ok(()),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let Some((stream, mut decoder)) = self.stream.take() else { return };
        decoder.push(bytes, |message| match message {
            SseMessage::Event { data, .. } => self.take_frame(&data),
            SseMessage::Oversized { bytes, sample } => {
                let sample = self.run.redaction.redactor().beginning(&sample);
                self.run.append(self.normaliser.oversized(bytes, &sample), now());
            }
        });
        self.stream = Some((stream, decoder));
    }

    fn take_frame(&mut self, frame: &str) {
        let at = now();
        let Meaning { events, piece, pictures } = self.normaliser.line(&self.run.redaction.json(frame), at);
        self.has_happened |= !events.is_empty();
        self.run.keep(pictures);
        self.run.append(events, at);
        if let Some(piece) = piece {
            self.run.type_on(piece);
        }
    }

    pub(super) async fn open_stream(&mut self) -> Result<(), String> {
        let (server, _) = self.session()?;
        let stream = server.open("/event", CALL_LIMIT).await?;
        self.stream = Some((stream, SseDecoder::new(STDOUT_LINE_BYTES_MAX)));
        // The first message means that from now on everything is on the stream.
        match timeout(CALL_LIMIT, listen(&mut self.stream)).await {
            Ok(Some(bytes)) => {
                self.take(&bytes);
                Ok(())
            }
            _ => Err(format!("/event: no word within {} s", CALL_LIMIT.as_secs())),
        }
    }

    /// Interrupts the turn, and reads its end.
    pub(super) async fn interrupt(&mut self) {
        let Ok((server, session_id)) = self.session() else { return };
        let (server, path) = (server.clone(), format!("/session/{session_id}/abort"));
        if self.normaliser.is_idle() || server.post(&path, &json!({}), CALL_LIMIT).await.is_err() {
            return;
        }
        loop {
            let patience = if self.normaliser.is_idle() { SETTLE } else { SILENCE_MAX };
            match timeout(patience, listen(&mut self.stream)).await {
                Ok(Some(bytes)) => self.take(&bytes),
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// The context in which the agent works. It takes messages.
fn context(working_dir: &Path) -> RunContext {
    RunContext { takes_messages: true, ..run_context_of(working_dir) }
}

/// An object with an id.
#[derive(Deserialize)]
pub(super) struct Identified {
    pub(super) id: String,
}

/// Waits for the next bytes of the stream; `None` once it is cut off.
async fn listen(stream: &mut Option<(Incoming, SseDecoder)>) -> Option<hyper::body::Bytes> {
    let (body, _) = stream.as_mut()?;
    loop {
        match timeout(SILENCE_MAX, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(bytes) = frame.into_data() {
                    return Some(bytes);
                }
            }
            _ => return None,
        }
    }
}

/// Waits until a moment, or for ever if there is none.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Whether an id can stand in a path without escapes.
pub(super) fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

//! A conversation with the server of OpenCode or Kilo: a session is made, told what to do, and listened to.
//! The stream of `GET /event` carries no ids: what happens while it is broken off is asked for afterwards (`catch_up`).

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
use townwatch_agents::sse::{Message, SseDecoder};
use townwatch_host::{now, run_context_of};
use townwatch_protocol::limits::STDOUT_LINE_BYTES_MAX;
use townwatch_protocol::wire::StartAgent;

use super::Over;
use crate::command::{CommandReceiver, Inbox};
use crate::loopback::{CALL_LIMIT, Server};
use crate::run::Run;
use crate::runtimes::opencode::model;

/// A server that is not up by then never will be: with its first start it fetches and prepares things.
const START_LIMIT: Duration = Duration::from_mins(2);
/// One question about its health; while it starts it may take a connection and never answer.
const HEALTH_LIMIT: Duration = Duration::from_secs(2);
const HEALTH_PAUSE: Duration = Duration::from_millis(100);
/// The stream has a heartbeat every 10 s; without a word for this long it is dead.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// A turn that failed or was interrupted says that it is idle, and then how its last calls ended.
const SETTLE: Duration = Duration::from_secs(1);

pub(super) struct Conversation<'a> {
    pub(super) run: &'a Run,
    order: &'a StartAgent,
    working_dir: &'a Path,
    commands: CommandReceiver,
    waiting_max: Duration,
    pub(super) normaliser: Opencode,
    /// The server and the session's id, once both are there.
    pub(super) session: Option<(Server, String)>,
    stream: Option<(Incoming, SseDecoder)>,
    idle_since: Option<Instant>,
    /// When its server is asked whether the turn goes on.
    pub(super) status_again_at: Option<Instant>,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(run: &'a Run, order: &'a StartAgent, working_dir: &'a Path, inbox: Inbox) -> Self {
        let Inbox { commands, waiting_max } = inbox;
        let normaliser = Opencode::new(order.runtime.as_str(), context(working_dir), None);
        Self {
            run,
            order,
            working_dir,
            commands,
            waiting_max,
            normaliser,
            session: None,
            stream: None,
            idle_since: None,
            status_again_at: None,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.normaliser.is_idle()
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.normaliser.failure().map(str::to_owned)
    }

    /// What is still to be said before the run's exit.
    pub(super) fn end(&mut self, succeeded: bool) {
        self.run.append(self.normaliser.end(succeeded, now()), now());
    }

    /// Holds it until it is over. Can be given up at any time.
    pub(super) async fn hold(&mut self, address: oneshot::Receiver<SocketAddr>, password: &str) -> Over {
        let begun = match timeout(START_LIMIT, self.begin(address, password)).await {
            Ok(begun) => begun,
            Err(_) => Err(format!("its server was not up within {} s", START_LIMIT.as_secs())),
        };
        match begun {
            Ok(()) => self.go_on().await,
            Err(problem) => Over::Broken(problem),
        }
    }

    async fn begin(&mut self, address: oneshot::Receiver<SocketAddr>, password: &str) -> Result<(), String> {
        let Ok(address) = address.await else { return std::future::pending().await }; // it has ended
        let program = self.order.runtime.as_str();
        let server = Server::new(address, program, password);
        while server.get("/global/health", HEALTH_LIMIT).await.and_then(|answer| answer.success().map(drop)).is_err() {
            sleep(HEALTH_PAUSE).await;
        }
        let answer = server.post("/session", &json!({}), START_LIMIT).await?;
        let session = answer.success()?;
        let Named { id } = serde_json::from_str(session).map_err(|error| format!("POST /session: {error}"))?;
        if !is_plain(&id) {
            return Err(format!("{program} calls its session {id:?}, which is none of its names"));
        }
        self.normaliser = Opencode::new(program, context(self.working_dir), Some(id.clone()));
        self.hear(&format!(r#"{{"type":"session.created","properties":{{"info":{session}}}}}"#));
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

    pub(super) fn session(&self) -> Result<(&Server, &str), String> {
        let (server, session_id) = self.session.as_ref().ok_or("its server is not up yet")?;
        Ok((server, session_id))
    }

    async fn go_on(&mut self) -> Over {
        loop {
            let (idle_end, status_again_at) = (self.idle_end(), self.status_again_at);
            tokio::select! {
                listened = listen(&mut self.stream) => match listened {
                    Some(bytes) => self.take(&bytes),
                    None => if let Err(problem) = self.come_back().await {
                        return Over::Broken(format!("its event stream broke off and could not be opened again: {problem}"));
                    },
                },
                () = until(status_again_at) => self.ask_status_again().await,
                Some(queued) = self.commands.recv() => self.fulfil(queued).await,
                () = until(idle_end) => return Over::Idle,
            }
        }
    }

    /// When it will have waited long enough. A turn that failed is waited for only as long as its last words may take.
    fn idle_end(&mut self) -> Option<Instant> {
        if !self.normaliser.is_idle() {
            self.idle_since = None;
            return None;
        }
        let since = *self.idle_since.get_or_insert_with(Instant::now);
        let failed = self.normaliser.failure().is_some();
        Some(since + if failed { SETTLE } else { self.waiting_max.max(SETTLE) })
    }

    fn take(&mut self, bytes: &[u8]) {
        let Some((stream, mut decoder)) = self.stream.take() else { return };
        decoder.push(bytes, |message| match message {
            Message::Event { data, .. } => self.hear(&data),
            Message::Oversized { bytes, sample } => {
                let sample = self.run.redaction.redactor().beginning(&sample);
                self.run.append(self.normaliser.oversized(bytes, &sample), now());
            }
        });
        self.stream = Some((stream, decoder));
    }

    fn hear(&mut self, frame: &str) {
        let at = now();
        let Meaning { events, piece, pictures } = self.normaliser.line(&self.run.redaction.json(frame), at);
        if !events.is_empty() {
            self.idle_since = None; // a sub-agent in the background, or last words
        }
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
        // Its first message says that from now on everything is on it.
        match timeout(CALL_LIMIT, listen(&mut self.stream)).await {
            Ok(Some(bytes)) => {
                self.take(&bytes);
                Ok(())
            }
            _ => Err(format!("/event: no word within {} s", CALL_LIMIT.as_secs())),
        }
    }

    /// Interrupts the turn and hears how it ends.
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

/// Where it works; it is spoken to.
fn context(working_dir: &Path) -> RunContext {
    RunContext { takes_messages: true, ..run_context_of(working_dir) }
}

/// What has an id.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

/// The next bytes of the stream; `None` once it has broken off.
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

/// Waits until then; for ever, if that is never.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Whether it can stand in a path as it is.
pub(super) fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

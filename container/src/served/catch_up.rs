//! The return after the stream was cut off. The stream does not repeat earlier events, so everything is fetched once
//! more, as it is now. The normaliser knows what it has already reported.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep, timeout_at};
use townwatch_host::now;

use super::conversation::{Conversation, Identified, is_plain};
use crate::loopback::CALL_LIMIT;

/// The pause between two tries to open the stream again. All tries together take at most [`RECONNECT_LIMIT`].
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);
const RECONNECT_LIMIT: Duration = Duration::from_mins(1);
/// The time after which a server is asked again that was sent a message and answers that it is idle, 5 s.
const STATUS_PAUSE: Duration = Duration::from_secs(5);
/// Messages of a session that are read again, the newest 200. Older ones were reported long before the stream was cut
/// off.
const MESSAGES_REREAD_MAX: usize = 200;
/// Sessions that are read again, 64, the main one and those of sub-agents. Further ones are not.
const SESSIONS_REREAD_MAX: usize = 64;

impl Conversation<'_> {
    /// Opens the stream again, and appends the events that were missed.
    pub(super) async fn come_back(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + RECONNECT_LIMIT;
        loop {
            let problem = match timeout_at(deadline, self.catch_up()).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(problem)) => problem,
                Err(_) => format!("it took longer than {} s", RECONNECT_LIMIT.as_secs()),
            };
            if Instant::now() + RECONNECT_PAUSE >= deadline {
                return Err(problem);
            }
            sleep(RECONNECT_PAUSE).await;
        }
    }

    async fn catch_up(&mut self) -> Result<(), String> {
        self.open_stream().await?;
        let (server, main) = self.session.clone().ok_or("no session")?;
        let get = async |path: String| {
            let answer = server.get(&path, CALL_LIMIT).await?;
            answer.success().map(str::to_owned)
        };
        // The status comes before the messages. A turn that ends after this request is ended by the stream, after all
        // of its events.
        let status = self.status().await?;
        let mut sessions = vec![main];
        for index in 0..SESSIONS_REREAD_MAX {
            let Some(id) = sessions.get(index).cloned() else { break };
            let messages = get(format!("/session/{id}/message?limit={MESSAGES_REREAD_MAX}")).await?;
            for Messages { info, parts } in list(&messages)? {
                self.reread("message.updated", &format!(r#"{{"info":{info}}}"#));
                for part in parts {
                    self.reread("message.part.updated", &format!(r#"{{"part":{part}}}"#));
                }
            }
            for child in list::<Box<RawValue>>(&get(format!("/session/{id}/children")).await?)? {
                self.reread("session.created", &format!(r#"{{"info":{child}}}"#));
                sessions.extend(
                    serde_json::from_str::<Identified>(child.get())
                        .map(|child| child.id)
                        .ok()
                        .filter(|id| is_plain(id)),
                );
            }
        }
        for (path, kind) in [("/permission", "permission.asked"), ("/question", "question.asked")] {
            for asked in list::<Box<RawValue>>(&get(path.to_owned()).await?)? {
                self.reread(kind, asked.get());
            }
        }
        match status {
            None if self.normaliser.owes_answer() => self.status_again_at = Some(Instant::now() + STATUS_PAUSE),
            status => self.reread_status(status.as_deref()),
        }
        Ok(())
    }

    /// Asks once more whether a turn goes on, where it was not known whether the turn had begun. A server that does not
    /// answer is asked again: only the stream decides whether the server is alive.
    pub(super) async fn ask_status_again(&mut self) {
        match self.status().await {
            Ok(status) => self.reread_status(status.as_deref()),
            Err(_) => self.status_again_at = Some(Instant::now() + STATUS_PAUSE),
        }
    }

    /// Asks for the status of the session; `None` where it is idle.
    async fn status(&self) -> Result<Option<Box<RawValue>>, String> {
        let (server, session_id) = self.session()?;
        let answer = server.get("/session/status", CALL_LIMIT).await?;
        let mut statuses: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(answer.success()?).map_err(|error| format!("/session/status: {error}"))?;
        Ok(statuses.remove(session_id)) // idle ones are not listed
    }

    fn reread_status(&mut self, status: Option<&RawValue>) {
        self.status_again_at = None;
        let Ok((_, session_id)) = self.session() else { return };
        let status = status.map_or(r#"{"type":"idle"}"#, RawValue::get);
        let properties = format!(r#"{{"sessionID":"{session_id}","status":{status}}}"#);
        self.reread("session.status", &properties);
    }

    fn reread(&mut self, kind: &str, properties: &str) {
        let at = now();
        let frame = format!(r#"{{"type":"{kind}","properties":{properties}}}"#);
        let events = self.normaliser.reread(&self.run.redaction.json(&frame), at);
        self.run.append(events, at);
    }
}

#[derive(Deserialize)]
struct Messages {
    info: Box<RawValue>,
    parts: Vec<Box<RawValue>>,
}

fn list<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, String> {
    serde_json::from_str(text).map_err(|error| format!("an answer could not be read: {error}"))
}

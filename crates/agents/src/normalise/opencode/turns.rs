//! Turns: their beginnings, ends and failures.

use townwatch_protocol::event::{AgentError, AgentStatusChanged, EventData, NoticeKind, Status};
use townwatch_protocol::time::Timestamp;

use super::Opencode;
use super::wire::{NamedError, SessionStatus};
use crate::normalise::warnings::{self, RATE_LIMITED};
use crate::summary;

impl Opencode {
    /// Reads a session's report of its activity.
    pub(super) fn status(
        &mut self,
        status: &SessionStatus,
        main: bool,
        frame: &str,
        at: Timestamp,
        events: &mut Vec<EventData>,
    ) {
        match status.kind.as_deref() {
            Some("busy") if main => {
                self.progress.turn_began(at);
                self.at_work(events);
            }
            Some("idle") if main => {
                self.progress.turn_ended(at);
                self.turn_end(events);
            }
            Some("busy" | "idle") => {}
            Some("retry") => events.push(retry(status, at).into()),
            _ => events.extend(self.notices.note(NoticeKind::Unknown, frame)),
        }
    }

    /// Begins a turn.
    pub(super) fn at_work(&mut self, events: &mut Vec<EventData>) {
        if std::mem::take(&mut self.waiting) {
            (self.told_late, self.told_failure, self.failure) = (false, None, None);
            events.extend(self.parts.broken_off());
            events.push(AgentStatusChanged { status: Status::Running }.into());
        }
    }

    pub(super) fn turn_end(&mut self, events: &mut Vec<EventData>) {
        self.tell_session(None, events);
        if !self.waiting || std::mem::take(&mut self.told_late) {
            events.push(AgentStatusChanged { status: Status::Waiting }.into());
        }
        self.waiting = true;
    }

    /// Reports a failure once. The stream and the message both have it, and the stream sometimes twice, once with a
    /// stack trace.
    pub(super) fn fail(&mut self, failure: NamedError, main: bool, at: Timestamp, events: &mut Vec<EventData>) {
        let code = failure.name.unwrap_or_else(|| "error".to_owned());
        let data = failure.data.unwrap_or_default();
        let interrupted = code == "MessageAbortedError";
        let said = data.message.as_deref().and_then(|text| text.lines().find(|line| !line.trim().is_empty()));
        let said = if interrupted { "The turn was interrupted" } else { said.unwrap_or(&code) };
        if self.told_failure.as_ref().is_some_and(|told| said.contains(told.as_str())) {
            return;
        }
        self.told_failure = Some(said.to_owned());
        let mut message = said.to_owned();
        if code == "ProviderAuthError" || matches!(data.status_code, Some(401 | 403)) {
            let program = self.program;
            message =
                format!("{message}; sign in with `{program} auth login`, or give the provider's key in `env_vars`");
        }
        if main && !interrupted {
            self.failure = Some(message.clone());
        }
        let limited = data.is_limit();
        let until = limited.then(|| data.limit_end(at)).flatten();
        let code = if limited { RATE_LIMITED.to_owned() } else { code };
        let retryable = Some(data.is_retryable.unwrap_or(false));
        events.push(AgentError { until, ..AgentError::new(code, message, retryable) }.into());
    }
}

fn retry(status: &SessionStatus, at: Timestamp) -> AgentError {
    let said = summary::line(status.message.as_deref().unwrap_or("no reason given"));
    let attempt = status.attempt.map_or(String::new(), |attempt| format!("; attempt {attempt}"));
    #[allow(clippy::cast_precision_loss)] // a pause, in milliseconds
    let seconds = status.next.map(|next| next.saturating_sub(at.millis()).max(0) as f64 / 1000.0);
    let pause = seconds.map_or(String::new(), |seconds| format!(" follows in {seconds:.1} s"));
    let action = status.action.as_ref().and_then(|action| action.message.as_deref()).filter(|text| !text.is_empty());
    let action = action.map_or(String::new(), |text| format!(". {}", summary::line(text)));
    let message = format!("The model's API failed: {said}{attempt}{pause}{action}");
    let until = status.next.filter(|next| *next > at.millis()).map(Timestamp::from_millis);
    let code = if warnings::is_limit(&said) { RATE_LIMITED } else { "api_retry" };
    AgentError { until, ..AgentError::new(code, message, Some(true)) }
}

//! `result`: the end of a turn.

use townwatch_protocol::event::{AgentError, AgentOutput, AgentStatusChanged, EventData, OutputStream, Status};
use townwatch_protocol::time::Timestamp;

use super::{ClaudeCode, TurnFailure, hash};
use crate::json::read;
use crate::normalise::limit_end;
use crate::normalise::stop::{REFUSAL, Stop};
use crate::normalise::warnings::{self, RATE_LIMITED};
use crate::normalise::wire::TurnEnd;

impl ClaudeCode {
    pub(super) fn turn_end(&mut self, line: &str, at: Timestamp, events: &mut Vec<EventData>) {
        let end: TurnEnd = read(line).unwrap_or_default();
        if end.uuid.as_deref().is_some_and(|uuid| !self.is_new(uuid)) {
            return;
        }
        self.turns += 1;
        events.extend(self.partials.turn_ended(None));
        events.extend(self.tasks.settle());
        if let Some((usage, cost_usd)) = self.spent.totals(&end, !self.context.takes_messages) {
            let message_id = end.uuid.clone().unwrap_or_else(|| format!("result-{}", self.turns));
            events.push(usage.event(message_id, cost_usd, true).into());
        }
        let failed = end.is_error == Some(true) || end.subtype.as_deref().is_some_and(|is| is.starts_with("error"));
        let mut stop = None;
        if failed {
            self.failed(end, at, events);
        } else {
            self.failure = None;
            if let Some(reason) = end.stop_reason.as_deref() {
                self.stops.heard(reason, None, None, None);
                stop = self.stops.tell();
            }
            let text = end.result.filter(|text| !text.is_empty());
            if let (Some(text), false) = (text.filter(|text| hash(text) != self.last_said), self.spoke) {
                // A command of the program itself (`/help`) answers here only. Otherwise this repeats what was said,
                // and after a background task two results in a row repeat the same.
                events.push(AgentOutput::new(OutputStream::Assistant, text).into());
            }
        }
        events.extend(stop);
        self.limits.turn_ended();
        self.stops.turn_ended();
        (self.told_failure, self.spoke, self.waiting, self.compacting) = (None, false, true, false);
        events.push(AgentStatusChanged { status: Status::Waiting }.into());
    }

    /// Reports the failure of a turn, unless it was reported already.
    fn failed(&mut self, end: TurnEnd, at: Timestamp, events: &mut Vec<EventData>) {
        let refused = end.stop_reason.as_deref() == Some(REFUSAL);
        let reason = if refused { end.stop_reason } else { end.terminal_reason };
        let code = reason.or(end.subtype).unwrap_or_else(|| "error".into());
        let only_broken_off = code.starts_with("aborted") || code == "error_during_execution";
        let errors = end.errors.filter(|errors| !errors.is_empty()).map(|errors| errors.join("; "));
        let interrupted = code.starts_with("aborted").then(|| format!("The turn was interrupted ({code})"));
        let text = end.result.filter(|text| !text.is_empty());
        let message = text.or(interrupted).or(errors).unwrap_or_else(|| words(&code));
        let limited = end.api_error_status == Some(429) || message.to_lowercase().contains("limit");
        let told = self.told_failure.as_ref() == Some(&message)
            || (limited && self.limits.told_in_turn())
            || (refused && self.stops.is_told(Stop::Refused));
        if !told {
            let limited = end.api_error_status == Some(429) || warnings::is_limit(&message);
            let until = limited.then(|| limit_end::in_words(&message, at)).flatten();
            let code = if limited { RATE_LIMITED.to_owned() } else { code };
            events.push(AgentError { until, ..AgentError::new(code, message.clone(), Some(false)) }.into());
        }
        self.failure = Some(TurnFailure { message, only_broken_off });
    }
}

/// The words for a failure code, where the program gives no other.
fn words(code: &str) -> String {
    match code {
        "error_max_turns" | "max_turns" => "The turn ended at the most steps that it may take".to_owned(),
        "error_max_budget_usd" => "The turn ended because it took all the money that it may".to_owned(),
        "error_max_structured_output_retries" => {
            "The turn ended because its answer did not get the form that was asked for".to_owned()
        }
        other => format!("The turn ended with {other}"),
    }
}

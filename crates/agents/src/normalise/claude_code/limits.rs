//! Limits of the model's API: near, reached, over again. The program reports a reached limit up to three times: as an
//! event of its own, as a message in the agent's place, and as the turn's result. One event is made of them.

use townwatch_protocol::event::{AgentError, AgentNotice, AgentNoticeKind, EventData, NoticeLevel};
use townwatch_protocol::time::Timestamp;

use crate::normalise::limit_end;
use crate::normalise::warnings::RATE_LIMITED;
use crate::normalise::wire::RateLimit;

/// The known limits.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits {
    /// The limit that was reported last.
    told: Option<(LimitLevel, String, Option<Timestamp>)>,
    /// Whether a reached limit was reported in this turn.
    told_in_turn: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LimitLevel {
    Near,
    Reached,
}

impl Limits {
    /// Whether a reached limit was reported in this turn.
    pub(super) fn told_in_turn(&self) -> bool {
        self.told_in_turn
    }

    /// Notes that a reached limit was reported by another line.
    pub(super) fn told_otherwise(&mut self) {
        self.told_in_turn = true;
        self.told.get_or_insert_with(|| (LimitLevel::Reached, String::new(), None));
    }

    /// Ends the turn. The next turn that reaches the limit reports it again.
    pub(super) fn turn_ended(&mut self) {
        self.told_in_turn = false;
    }

    /// Reads the program's line about a limit.
    pub(super) fn stands(&mut self, limit: RateLimit) -> Option<EventData> {
        let until = limit.resets_at.and_then(limit_end::since_1970);
        let name = limit.limit.unwrap_or_default();
        let extra = limit.is_using_overage == Some(true)
            || limit.overage_status.as_deref().is_some_and(|status| status.starts_with("allowed"));
        let standing = match limit.status.as_deref() {
            Some("rejected") if !extra => LimitLevel::Reached,
            Some("rejected" | "allowed_warning") => LimitLevel::Near,
            _ => return self.is_over(),
        };
        let told = (standing, name, until);
        if self.told.as_ref() == Some(&told) && (standing == LimitLevel::Near || self.told_in_turn) {
            return None;
        }
        self.told_in_turn |= standing == LimitLevel::Reached;
        let what = words(&told.1);
        self.told = Some(told);
        if standing == LimitLevel::Reached {
            let message = format!("{what} is reached");
            return Some(AgentError { until, ..AgentError::new(RATE_LIMITED, message, Some(false)) }.into());
        }
        let message = match limit.utilization {
            _ if limit.status.as_deref() == Some("rejected") => format!("{what} is reached; it works on extra usage"),
            Some(used) if (0.0..=1.0).contains(&used) => format!("{what} is near: {:.0} % is used", used * 100.0),
            _ => format!("{what} is near"),
        };
        let notice = AgentNotice::new(AgentNoticeKind::RateLimit, NoticeLevel::Warning, message);
        Some(AgentNotice { until, ..notice }.into())
    }

    fn is_over(&mut self) -> Option<EventData> {
        let (standing, name, _) = self.told.take()?;
        let message = format!("{} is over again", words(&name));
        let notice = AgentNotice::new(AgentNoticeKind::RateLimit, NoticeLevel::Info, message);
        (standing == LimitLevel::Reached).then(|| notice.into())
    }
}

/// The words for a limit: those of `five_hour` for example.
fn words(limit: &str) -> String {
    match limit {
        "five_hour" => "The limit of five hours".to_owned(),
        "seven_day" => "The limit of seven days".to_owned(),
        "" => "The limit of the model's API".to_owned(),
        "overage" => "The limit of extra usage".to_owned(),
        other => match other.strip_prefix("seven_day_") {
            Some(model) => format!("The limit of seven days of {}", model.replace('_', " ")),
            None => format!("The limit {}", other.replace('_', " ")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    fn told(limits: &mut Limits, json: &str) -> String {
        let event = limits.stands(read(json).unwrap());
        event.map_or_else(String::new, |event| format!("{} {}", event.name(), event.to_raw().get()))
    }

    #[test]
    fn a_limit_is_told_once_as_it_nears_once_as_it_is_reached_and_once_as_it_is_over() {
        let mut limits = Limits::default();
        let near =
            r#"{"status":"allowed_warning","resetsAt":1795900000,"rateLimitType":"five_hour","utilization":0.91}"#;
        let notice = r#"agent_notice {"kind":"rate_limit","level":"warning","message":"The limit of five hours is near: 91 % is used","until":"2026-11-28T21:06:40.000Z"}"#;
        assert_eq!(told(&mut limits, near), notice);
        assert_eq!(told(&mut limits, near), "");
        let reached = r#"{"status":"rejected","resetsAt":1795900000,"rateLimitType":"five_hour"}"#;
        let error = r#"agent_error {"code":"rate_limited","message":"The limit of five hours is reached","retryable":false,"until":"2026-11-28T21:06:40.000Z"}"#;
        assert_eq!(told(&mut limits, reached), error);
        assert_eq!((told(&mut limits, reached), limits.told_in_turn()), (String::new(), true));
        limits.turn_ended();
        assert_eq!(told(&mut limits, reached), error);
        let over = told(&mut limits, r#"{"status":"allowed"}"#);
        assert!(over.contains(r#""level":"info""#) && over.contains("is over again"), "{over}");
        assert_eq!(told(&mut limits, r#"{"status":"allowed"}"#), "");
        let extra = r#"{"status":"rejected","overageStatus":"allowed","rateLimitType":"seven_day_opus"}"#;
        assert!(
            told(&mut limits, extra).contains("The limit of seven days of opus is reached; it works on extra usage")
        );
    }
}

//! Notices of the program about itself that a person should know: hooks at the end of a turn, full files, published
//! pages.

use townwatch_protocol::event::{AgentError, AgentNotice, AgentNoticeKind, EventData, NoticeLevel};
use townwatch_protocol::time::Timestamp;

use crate::normalise::fields::Fields;
use crate::normalise::limit_end;
use crate::normalise::warnings::{self, RATE_LIMITED};
use crate::summary;

/// A part of a hook's error that stopped nothing.
const ONLY_FAILED: &str = "non-blocking";
/// Things of one line that are named. Further ones are counted.
const NAMED_MAX: usize = 5;
/// The longest pause before a try, a week in milliseconds. A longer one is ignored.
const PAUSE_MS_MAX: i64 = 7 * 24 * 3_600_000;

/// A `system` line that becomes a notice.
#[derive(Debug, Clone, Copy)]
pub(in crate::normalise) enum ProgramNotice {
    StopHooks,
    Informational,
    MemorySaved,
    InstructionSize,
    MirrorError,
    PluginInstall,
    Published,
    Preempted,
    AttachmentsMissing,
    WritesLost,
    PeerMessage,
    Plugin,
    Reset,
}

/// The events of such a line; none if it has no content.
pub(super) fn notices(kind: ProgramNotice, line: &str) -> Vec<EventData> {
    let fields = Fields::read(line).unwrap_or_default();
    let notice = match kind {
        ProgramNotice::StopHooks => return stop_hooks(&fields),
        ProgramNotice::Informational => informational(&fields),
        ProgramNotice::MemorySaved => {
            let paths = fields.get::<Vec<String>>("written_paths").unwrap_or_default();
            (!paths.is_empty()).then(|| info(&format!("It noted for later what it learned: {}", named(&paths))))
        }
        ProgramNotice::InstructionSize => {
            let count = |name| fields.get::<u64>(name);
            count("total_chars").zip(count("total_limit_chars")).map(|(chars, limit)| {
                warning(&format!("The files of instructions have {chars} characters; {limit} at most are recommended"))
            })
        }
        ProgramNotice::MirrorError => {
            text(&fields, "error").map(|error| warning(&format!("A part of its transcript could not be kept: {error}")))
        }
        ProgramNotice::PluginInstall => (fields.text("status").as_deref() == Some("failed")).then(|| {
            let name = text(&fields, "name").map_or(String::new(), |name| format!(" {name}"));
            let why = text(&fields, "error").map_or(String::new(), |error| format!(": {error}"));
            warning(&format!("The plugin{name} could not be installed{why}"))
        }),
        ProgramNotice::Published => text(&fields, "url").map(|url| {
            let action = text(&fields, "action").unwrap_or_else(|| "published".to_owned());
            info(&format!("A change was {}: {url}", action.replace('-', " ")))
        }),
        ProgramNotice::Preempted => Some(info("The turn was stopped so that the next message is answered at once")),
        ProgramNotice::AttachmentsMissing => {
            let missing = fields.objects("missing");
            let why = missing.first().and_then(|file| text(file, "reason"));
            let why = why.map_or(String::new(), |why| format!(" ({})", why.replace('_', " ")));
            (!missing.is_empty())
                .then(|| warning(&format!("{} files of a message did not reach the agent{why}", missing.len())))
        }
        ProgramNotice::WritesLost => {
            let lost = fields.get::<Vec<String>>("lost").unwrap_or_default();
            let what = named(&lost.iter().map(|what| what.replace('_', " ")).collect::<Vec<_>>());
            Some(warning(&format!("The disk was full, so that not all could be kept: {what}")))
        }
        ProgramNotice::PeerMessage => {
            let from = ["from_name", "from"].iter().find_map(|name| text(&fields, name));
            let from = from.map_or(String::new(), |from| format!(" of {from}"));
            match fields.text("state").as_deref() {
                Some("held") => Some(info(&format!("A message{from} is held back"))),
                Some("dropped") => Some(warning(&format!("A message{from} was not given to the agent"))),
                _ => None,
            }
        }
        ProgramNotice::Reset => {
            Some(info("The conversation was begun anew: the agent no longer knows what was said before"))
        }
        ProgramNotice::Plugin => text(&fields, "text").map(|words| {
            let plugin = text(&fields, "plugin").map_or(String::new(), |plugin| format!("{plugin}: "));
            info(&format!("{plugin}{words}"))
        }),
    };
    notice.map(EventData::from).into_iter().collect()
}

/// The error of `api_error`: a failed request that is repeated.
pub(super) fn api_error(line: &str, at: Timestamp) -> AgentError {
    let fields = Fields::read(line).unwrap_or_default();
    let error = fields.object("error").unwrap_or_default();
    let said = ["formatted", "message"].iter().find_map(|name| text(&error, name));
    let said = said.or_else(|| text(&fields, "error")).unwrap_or_else(|| "no reason given".to_owned());
    let limited = error.get::<u64>("status") == Some(429) || warnings::is_limit(&said);
    let number = |names: [&str; 2]| names.iter().find_map(|name| fields.get::<i64>(name));
    let attempt = number(["retry_attempt", "retryAttempt"]);
    let attempt = attempt.map_or(String::new(), |attempt| format!("; attempt {attempt}"));
    let pause_ms = number(["retry_in_ms", "retryInMs"]).filter(|ms| (0..=PAUSE_MS_MAX).contains(ms));
    let resets_at = error.object("rate_limits").and_then(|limits| limits.get::<f64>("resets_at"));
    let until = pause_ms.map(|ms| at.plus_millis(ms)).or_else(|| resets_at.and_then(limit_end::since_1970));
    let code = if limited { RATE_LIMITED } else { "api_retry" };
    AgentError { until, ..AgentError::new(code, format!("The model's API failed: {said}{attempt}"), Some(true)) }
}

/// The events of hooks at the end of a turn. A hook with an objection makes the agent continue; one that failed, or
/// that stops the agent for good, gets a notice, too.
fn stop_hooks(fields: &Fields) -> Vec<EventData> {
    let either = |names: [&str; 2]| names.iter().find_map(|name| text(fields, name));
    let hook = either(["hook_label", "hookLabel"]).unwrap_or_else(|| "Stop".to_owned());
    let list = |names: [&str; 2]| names.iter().find_map(|name| fields.get::<Vec<String>>(name)).unwrap_or_default();
    let told = |texts: Vec<String>, tell: &dyn Fn(&String) -> AgentNotice| -> Vec<AgentNotice> {
        texts.iter().filter(|text| !text.trim().is_empty()).take(NAMED_MAX).map(tell).collect()
    };
    let error = |text: &String| {
        let words = summary::line(text);
        if text.contains(ONLY_FAILED) {
            return warning(&format!("The hook {hook} failed: {words}"));
        }
        blocked(&format!("The hook {hook} did not let the turn end: {words}"))
    };
    let feedback = |text: &String| info(&format!("The hook {hook} told the agent: {}", summary::line(text)));
    let mut notices = told(list(["hook_errors", "hookErrors"]), &error);
    notices.extend(told(list(["hook_additional_context", "hookAdditionalContext"]), &feedback));
    if fields.get("prevented_continuation").or_else(|| fields.get("preventedContinuation")) == Some(true) {
        let why = either(["stop_reason", "stopReason"]).map_or(String::new(), |why| format!(": {why}"));
        notices.push(blocked(&format!("The hook {hook} did not let it go on{why}")));
    }
    notices.into_iter().map(EventData::from).collect()
}

fn informational(fields: &Fields) -> Option<AgentNotice> {
    let message = text(fields, "content")?;
    let stops = fields.get("prevent_continuation").or_else(|| fields.get("preventContinuation")) == Some(true);
    Some(match fields.text("level").as_deref() {
        _ if stops => blocked(&message),
        Some("warning" | "error") => warning(&message),
        _ => info(&message),
    })
}

/// The text of a field as one line; `None` if it is empty.
fn text(fields: &Fields, name: &str) -> Option<String> {
    fields.text(name).map(|text| summary::line(&text)).filter(|text| !text.is_empty())
}

fn named(things: &[String]) -> String {
    let named = things.iter().take(NAMED_MAX).map(|thing| summary::line(thing)).collect::<Vec<_>>().join(", ");
    match things.len().saturating_sub(NAMED_MAX) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn info(message: &str) -> AgentNotice {
    AgentNotice::new(AgentNoticeKind::Other, NoticeLevel::Info, message)
}

fn warning(message: &str) -> AgentNotice {
    AgentNotice::new(AgentNoticeKind::Other, NoticeLevel::Warning, message)
}

fn blocked(message: &str) -> AgentNotice {
    AgentNotice::new(AgentNoticeKind::HookBlocked, NoticeLevel::Warning, message)
}

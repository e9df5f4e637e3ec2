//! The program's lines about itself: `system`, of many subtypes, and other lines of their own kind.

use townwatch_protocol::event::{
    AgentError, AgentNotice, AgentNoticeKind, AgentOutput, AgentSession, EventData, NoticeKind, NoticeLevel,
    OutputStream,
};
use townwatch_protocol::time::Timestamp;

use super::tasks::{TaskEnd, outcome, tagged};
use super::{ClaudeCode, hooks, kinds, program_words};
use crate::json::read;
use crate::normalise::RunContext;
use crate::normalise::fields::Fields;
use crate::normalise::kinds::Handling;
use crate::normalise::stop::REFUSAL;
use crate::normalise::warnings::RATE_LIMITED;
use crate::normalise::wire::{AuthStatus, RateLimitEvent, StopDetails, System, ToolServer};
use crate::summary;

/// The longest pause before a try, a week in milliseconds. A longer one is ignored.
const PAUSE_MS_MAX: f64 = 7.0 * 24.0 * 3_600_000.0;

impl ClaudeCode {
    pub(super) fn system(&mut self, subtype: &str, line: &str, at: Timestamp, events: &mut Vec<EventData>) {
        let kind = match kinds::SYSTEM.find(subtype) {
            Some(Handling::Event(_, kind) | Handling::Preview(kind)) => kind,
            Some(Handling::Nothing(_)) => return,
            None => return events.extend(self.notices.note(NoticeKind::Unknown, line)),
        };
        let system: System = read(line).unwrap_or_default();
        // What says how things stand can say the same again later; all else happens once.
        let happens =
            !matches!(kind, kinds::SystemKind::Init | kinds::SystemKind::TasksChanged | kinds::SystemKind::Status);
        if happens && system.uuid.as_deref().is_some_and(|uuid| !self.is_new(uuid)) {
            return;
        }
        match kind {
            kinds::SystemKind::Init => self.init(system, events),
            kinds::SystemKind::PermissionDenied => {
                let tool = system.tool_name.as_deref().unwrap_or("a tool");
                let message = system.message.unwrap_or_else(|| format!("{tool} was not allowed"));
                events.push(AgentError::new("permission_denied", message, None).into());
            }
            kinds::SystemKind::Retry => {
                self.spent.aside();
                events.push(retry(&system, at).into());
            }
            kinds::SystemKind::TasksChanged => self.tasks.listed(system.tasks.unwrap_or_default()),
            kinds::SystemKind::TaskStarted => {
                let call = system.tool_use_id.as_deref().and_then(|id| self.calls.get(id));
                let parent = system.parent_tool_use_id.clone().or_else(|| call.and_then(|call| call.author.clone()));
                let parent = parent.map(|id| self.names.told(id));
                let tool_use_id = system.tool_use_id.map(|id| self.names.told(id));
                events.extend(self.tasks.started(System { tool_use_id, ..system }, parent));
            }
            kinds::SystemKind::TaskUpdated => events.extend(self.tasks.updated(system)),
            kinds::SystemKind::TaskEnded => {
                let System { task_id, tool_use_id, status, summary, exit_code, .. } = system;
                let end = TaskEnd { outcome: status.as_deref().and_then(outcome), summary, exit_code };
                let tool_use_id = tool_use_id.map(|id| self.names.told(id));
                events.extend(self.tasks.ended(task_id.as_deref().unwrap_or_default(), tool_use_id, end));
            }
            kinds::SystemKind::Status => self.status(&system, events),
            kinds::SystemKind::Compacted => {
                self.compacting = false;
                self.spent.aside();
                events.push(compacted(system).into());
            }
            kinds::SystemKind::Hook => events.extend(hooks::response(&system).map(EventData::from)),
            kinds::SystemKind::ModelChanged => events.extend(model_changed(line)),
            kinds::SystemKind::Notification => {
                let text = system.text.or(system.message).or(system.content).unwrap_or_default();
                events.extend(notice(NoticeLevel::Info, &text));
            }
            kinds::SystemKind::CommandOutput => {
                let text = system.content.or(system.text).or(system.message).unwrap_or_default();
                events.extend(command_output(&text));
            }
            kinds::SystemKind::ProgramNotice(words) => events.extend(program_words::notices(words, line)),
            kinds::SystemKind::RequestFailed => {
                self.spent.aside();
                events.push(program_words::api_error(line, at).into());
            }
            kinds::SystemKind::Refused => {
                let fields = Fields::read(line).unwrap_or_default();
                let explanation = ["api_refusal_explanation", "content"].iter().find_map(|name| fields.text(name));
                let details = StopDetails { explanation, category: fields.text("api_refusal_category") };
                self.stops.heard(REFUSAL, Some(details), None, None);
            }
            kinds::SystemKind::TodoStatuses => {
                let statuses = Fields::read(line).unwrap_or_default().objects("statuses");
                let todos = self.todos.statuses(&statuses);
                events.extend(self.progress.todos(None, todos, at).map(EventData::from));
            }
            kinds::SystemKind::FilesPersisted => {
                let failed = system.failed.map_or(0, |failed| failed.len());
                let message = format!("{failed} files could not be kept");
                events.extend((failed > 0).then(|| notice(NoticeLevel::Warning, &message)).flatten());
            }
        }
    }

    fn init(&mut self, system: System, events: &mut Vec<EventData>) {
        let session_id = system.session_id.unwrap_or_default();
        self.working_dir = system.cwd.or(self.working_dir.take());
        // Every turn of a session begins with one.
        if self.session_id.as_ref() != Some(&session_id) {
            self.session_id = Some(session_id.clone());
            let mut session = self.context.session(session_id);
            session.model = system.model;
            session.working_dir.clone_from(&self.working_dir);
            session.tools = system.tools;
            session.permission_mode = system.permission_mode;
            session.agent_version = system.claude_code_version;
            events.push(session.into());
        }
        for server in system.mcp_servers.unwrap_or_default() {
            let problem = server_problem(&server);
            // The same trouble is told once, not in each turn.
            let told = |message: &String| self.told_servers.insert(message, ());
            events.extend(
                problem
                    .filter(told)
                    .map(|message| AgentNotice::new(AgentNoticeKind::ToolServer, NoticeLevel::Warning, message).into()),
            );
        }
    }

    /// Reads `status`: the program's activity between two messages.
    fn status(&mut self, system: &System, events: &mut Vec<EventData>) {
        let compacting = system.status.as_deref() == Some("compacting");
        let began = compacting && !std::mem::replace(&mut self.compacting, compacting);
        if began {
            let message = "The conversation is being summed up, to make room";
            events.push(AgentNotice::new(AgentNoticeKind::CompactionStarted, NoticeLevel::Info, message).into());
        }
        if let Some(error) = system.compact_error.as_deref().filter(|error| !error.is_empty()) {
            self.compacting = false;
            let message = format!("The conversation could not be summed up: {}", summary::line(error));
            events.push(AgentNotice::new(AgentNoticeKind::CompactionEnded, NoticeLevel::Warning, message).into());
        }
    }

    pub(super) fn rate_limit(&mut self, line: &str, events: &mut Vec<EventData>) {
        let limit = read::<RateLimitEvent>(line).and_then(|event| event.rate_limit_info);
        events.extend(limit.and_then(|limit| self.limits.stands(limit)));
    }

    pub(super) fn authentication(line: &str, events: &mut Vec<EventData>) {
        let error = read::<AuthStatus>(line).and_then(|status| status.error).filter(|error| !error.is_empty());
        events.extend(error.map(|error| AgentError::new("authentication_failed", error, None).into()));
    }
}

/// The output of the program's own command, which it may put into `<local-command-stdout>`.
pub(super) fn command_output(text: &str) -> Option<EventData> {
    let inner = ["local-command-stdout", "local-command-stderr"].iter().find_map(|name| tagged(text, name));
    let text = inner.unwrap_or(text).trim();
    (!text.is_empty()).then(|| AgentOutput::new(OutputStream::Assistant, text.to_owned()).into())
}

fn notice(level: NoticeLevel, message: &str) -> Option<EventData> {
    let message = message.trim();
    (!message.is_empty()).then(|| AgentNotice::new(AgentNoticeKind::Other, level, message).into())
}

fn server_problem(server: &ToolServer) -> Option<String> {
    let name = summary::line(server.name.as_deref().unwrap_or("without a name"));
    let error = server.error.as_deref().map(|error| format!(": {}", summary::line(error))).unwrap_or_default();
    match server.status.as_deref()? {
        "connected" | "pending" | "disabled" => None,
        "failed" => Some(format!("The tool server {name} did not start{error}")),
        "needs-auth" => Some(format!("The tool server {name} wants somebody to sign in{error}")),
        status => Some(format!("The tool server {name} cannot be used ({}){error}", summary::line(status))),
    }
}

fn compacted(system: System) -> AgentNotice {
    let sizes = system.compact_metadata.unwrap_or_default();
    let asked = if sizes.trigger.as_deref() == Some("manual") { ", as it was told" } else { "" };
    let message = match (sizes.pre_tokens, sizes.post_tokens) {
        (Some(before), Some(after)) => {
            format!("The conversation was summed up{asked}: of {before} tokens, {after} are left")
        }
        (Some(before), None) => format!("The conversation of {before} tokens was summed up{asked}"),
        _ => format!("The conversation was summed up{asked}"),
    };
    AgentNotice {
        tokens_before: sizes.pre_tokens,
        tokens_after: sizes.post_tokens,
        parent_tool_use_id: system.parent_tool_use_id,
        ..AgentNotice::new(AgentNoticeKind::CompactionEnded, NoticeLevel::Info, message)
    }
}

/// The notice of a changed model. Its words differ between versions.
fn model_changed(line: &str) -> Vec<EventData> {
    let fields = Fields::read(line).unwrap_or_default();
    let first = |names: &[&str]| names.iter().find_map(|name| fields.text(name)).filter(|text| !text.is_empty());
    let from = first(&["from_model", "previous_model", "original_model", "old_model"]);
    let to = first(&["to_model", "new_model", "fallback_model", "model"]);
    let why = first(&["reason", "message", "content"]).map(|why| format!(": {}", summary::line(&why)));
    let message = match (from, &to) {
        (Some(from), Some(to)) => format!("The model {to} took over from {from}"),
        (None, Some(to)) => format!("The model is {to} now"),
        _ => "Another model took over".to_owned(),
    };
    let message = message + &why.unwrap_or_default();
    let mut events = vec![AgentNotice::new(AgentNoticeKind::ModelChanged, NoticeLevel::Info, message).into()];
    let session =
        to.map(|to| AgentSession { session_id: None, model: Some(to), ..RunContext::default().session(String::new()) });
    events.extend(session.map(EventData::from));
    events
}

fn retry(system: &System, at: Timestamp) -> AgentError {
    let error = system.error.clone().unwrap_or_else(|| "api_retry".into());
    let limited = error == "rate_limit" || system.error_status == Some(429);
    let code = if limited { RATE_LIMITED.to_owned() } else { error };
    let status = system.error_status.map_or(String::new(), |status| format!(" {status}"));
    let attempt = match (system.attempt, system.max_retries) {
        (Some(attempt), Some(most)) => format!("; attempt {attempt} of {most}"),
        (Some(attempt), None) => format!("; attempt {attempt}"),
        _ => String::new(),
    };
    let pause = system.retry_delay_ms.map_or(String::new(), |ms| format!(" follows in {:.1} s", ms / 1000.0));
    let message = format!("The model's API answered{status} ({code}){attempt}{pause}");
    let delay_ms = system.retry_delay_ms.filter(|ms| (0.0..=PAUSE_MS_MAX).contains(ms));
    #[allow(clippy::cast_possible_truncation)] // a week at most
    let until = delay_ms.map(|ms| at.plus_millis(ms as i64));
    AgentError { until, ..AgentError::new(code, message, Some(true)) }
}

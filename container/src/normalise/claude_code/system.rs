//! What the program says of itself: `system`, of many subtypes.

use townwatch::event::{AgentError, EventData, NoticeKind};

use super::ClaudeCode;
use crate::json::read;
use crate::normalise::wire::System;

impl ClaudeCode {
    pub(super) fn system(&mut self, subtype: &str, line: &str, events: &mut Vec<EventData>) {
        let system: System = read(line).unwrap_or_default();
        match subtype {
            "init" => self.init(system, events),
            "permission_denied" => {
                let tool = system.tool_name.as_deref().unwrap_or("a tool");
                let message = system.message.unwrap_or_else(|| format!("{tool} was not allowed"));
                events.push(AgentError { code: "permission_denied".into(), message, retryable: None }.into());
            }
            "api_retry" => events.push(retry(&system).into()),
            "background_tasks_changed" => self.tasks = system.tasks.map_or(0, |tasks| tasks.len()),
            "status"
            | "thinking_tokens"
            | "compact_boundary"
            | "session_state_changed"
            | "notification"
            | "task_started"
            | "task_progress"
            | "task_updated"
            | "task_notification"
            | "hook_started"
            | "hook_progress"
            | "hook_response"
            | "files_persisted"
            | "local_command_output"
            | "commands_changed"
            | "model_changed"
            | "post_turn_summary"
            | "memory_recall" => {}
            _ => events.extend(self.notices.note(NoticeKind::Unknown, line)),
        }
    }

    fn init(&mut self, system: System, events: &mut Vec<EventData>) {
        let session_id = system.session_id.unwrap_or_default();
        self.working_dir = system.cwd.or(self.working_dir.take());
        if self.session_id.as_ref() == Some(&session_id) {
            return; // every turn of a session begins with one
        }
        self.session_id = Some(session_id.clone());
        let mut session = self.place.session(session_id);
        session.model = system.model;
        session.working_dir.clone_from(&self.working_dir);
        session.tools = system.tools;
        session.permission_mode = system.permission_mode;
        session.agent_version = system.claude_code_version;
        events.push(session.into());
    }
}

fn retry(system: &System) -> AgentError {
    let code = system.error.clone().unwrap_or_else(|| "api_retry".into());
    let status = system.error_status.map_or(String::new(), |status| format!(" {status}"));
    let attempt = match (system.attempt, system.max_retries) {
        (Some(attempt), Some(most)) => format!("; attempt {attempt} of {most}"),
        (Some(attempt), None) => format!("; attempt {attempt}"),
        _ => String::new(),
    };
    let pause = system.retry_delay_ms.map_or(String::new(), |ms| format!(" follows in {:.1} s", ms / 1000.0));
    let message = format!("The model's API answered{status} ({code}){attempt}{pause}");
    AgentError { code, message, retryable: Some(true) }
}

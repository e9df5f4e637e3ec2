//! Sub-agents of Codex: threads of their own, which work in the background. The output says how they stand only when a
//! call is about them.

use townwatch_protocol::event::{AgentTaskEnded, AgentTaskStarted, EventData, TaskKind, TaskOutcome};

use super::fields::Fields;
use crate::summary;

/// Sub-agents that work at once. The ends of further ones are not reported.
const AGENTS_MAX: usize = 64;

/// The working sub-agents, each with the call that began it.
#[derive(Debug, Clone, Default)]
pub(super) struct Agents(Vec<(String, String)>);

impl Agents {
    /// The events after a call about sub-agents: those that began, and those that ended.
    pub(super) fn told(&mut self, item: &Fields, tool_use_id: &str) -> Vec<EventData> {
        let states = item.object("agents_states").unwrap_or_default();
        let mut events = Vec::new();
        for thread in states.names() {
            let state = states.object(&thread).unwrap_or_default();
            let known = self.0.iter().position(|(agent, _)| *agent == thread);
            let outcome = match state.text("status").as_deref() {
                Some("completed") => TaskOutcome::Completed,
                Some("errored") => TaskOutcome::Failed,
                Some("shutdown" | "interrupted" | "not_found") => TaskOutcome::Stopped,
                _ => {
                    if known.is_none() && self.0.len() < AGENTS_MAX {
                        self.0.push((thread.clone(), tool_use_id.to_owned()));
                        let description = item.text("prompt").filter(|prompt| !prompt.is_empty());
                        let description =
                            description.map_or_else(|| "A sub-agent".to_owned(), |text| summary::line(&text));
                        let task = AgentTaskStarted {
                            task_id: thread,
                            kind: TaskKind::Agent,
                            description,
                            tool_use_id: Some(tool_use_id.to_owned()),
                            parent_tool_use_id: None,
                        };
                        events.push(task.into());
                    }
                    continue;
                }
            };
            let Some(index) = known else { continue };
            let (task_id, call) = self.0.remove(index);
            let summary = state.text("message").filter(|message| !message.is_empty());
            let ended = AgentTaskEnded { task_id, outcome, summary, exit_code: None, tool_use_id: Some(call) };
            events.push(ended.into());
        }
        events
    }
}

/// The states of the sub-agents, one line each.
pub(super) fn states(item: &Fields) -> String {
    let agents = item.object("agents_states").unwrap_or_default();
    let line = |thread: &String| {
        let agent = agents.object(thread).unwrap_or_default();
        let status = agent.text("status").unwrap_or_default().replace('_', " ");
        match agent.text("message").filter(|message| !message.is_empty()) {
            Some(message) => format!("{thread}: {status}: {message}"),
            None => format!("{thread}: {status}"),
        }
    };
    agents.names().iter().map(line).collect::<Vec<_>>().join("\n")
}

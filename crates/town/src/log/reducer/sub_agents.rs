//! Sub-agents, and what is left running in the background.

use townwatch_protocol::event::{AgentTaskEnded, AgentTaskStarted, HANDING_WORK, ProgressUpdate, TaskKind, Todo};
use townwatch_protocol::limits::{STATE_SUB_AGENTS_MAX, STATE_TASKS_MAX, STATE_TODOS_MAX};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{BackgroundTask, SubAgent, UsageTotals};

use super::Snapshot;
use super::texts::{clip, first_line, hash};

/// The task of a sub-agent's call: `build the api` of `Handing work to a sub-agent: build the api`.
fn handed_work(summary: &str) -> &str {
    summary.strip_prefix(HANDING_WORK).map_or(summary, |rest| rest.trim_start_matches(':').trim_start())
}

/// Tasks that are known again when their beginning is repeated after their end.
const TASKS_REMEMBERED_MAX: usize = 64;

impl Snapshot {
    /// The sub-agent that works for a call, new if it has not been heard of. Beyond [`STATE_SUB_AGENTS_MAX`] the oldest
    /// that has ended goes, else the oldest.
    pub(super) fn sub_agent(&mut self, id: &str, at: Timestamp) -> Option<&mut SubAgent> {
        let id = clip(id);
        let sub_agents = &mut self.state.sub_agents;
        let index = sub_agents.iter().position(|one| one.tool_use_id == id).unwrap_or_else(|| {
            if sub_agents.len() == STATE_SUB_AGENTS_MAX {
                sub_agents.remove(sub_agents.iter().position(|one| one.ended_at.is_some()).unwrap_or(0));
            }
            let call = self.state.outstanding_tool_calls.iter().find(|call| call.tool_use_id == id);
            sub_agents.push(SubAgent {
                description: call.map(|call| handed_work(&call.summary).to_owned()).unwrap_or_default(),
                tool_use_id: id,
                usage: UsageTotals::default(),
                todos: Vec::new(),
                current_phase: None,
                since: call.map_or(at, |call| call.since),
                ended_at: None,
            });
            sub_agents.len() - 1
        });
        sub_agents.get_mut(index)
    }

    /// Something was said to a sub-agent: the first of it is what it is about, where its call did not say.
    pub(super) fn told_sub_agent(&mut self, id: &str, text: &str, at: Timestamp) {
        if let Some(sub_agent) = self.sub_agent(id, at)
            && sub_agent.description.is_empty()
        {
            sub_agent.description = first_line(text).map(clip).unwrap_or_default();
        }
    }

    /// Takes the progress of a sub-agent, by its own list.
    pub(super) fn sub_agent_progress(&mut self, id: &str, data: &ProgressUpdate, at: Timestamp) {
        let Some(sub_agent) = self.sub_agent(id, at) else { return };
        if let Some(todos) = &data.todos {
            sub_agent.todos = stated_todos(todos);
        }
        sub_agent.current_phase = Some(clip(&data.current_phase));
    }

    /// Work is left running. At [`STATE_TASKS_MAX`] the oldest is taken for ended.
    pub(super) fn task_started(&mut self, data: &AgentTaskStarted, at: Timestamp) {
        let task_id = clip(&data.task_id);
        if !self.memory.tasks.remember(hash(&[&task_id]), TASKS_REMEMBERED_MAX) {
            return;
        }
        let tool_use_id = data.tool_use_id.as_deref().map(clip);
        if data.kind == TaskKind::Agent
            && let Some(id) = &tool_use_id
            && let Some(sub_agent) = self.sub_agent(id, at)
        {
            // The call has its result already: that the sub-agent was sent off.
            sub_agent.ended_at = None;
            if sub_agent.description.is_empty() {
                sub_agent.description = clip(&data.description);
            }
        }
        let tasks = &mut self.state.background_tasks;
        if tasks.len() == STATE_TASKS_MAX {
            tasks.remove(0);
        }
        let (kind, description) = (data.kind, clip(&data.description));
        tasks.push(BackgroundTask { task_id, kind, description, tool_use_id, since: at });
    }

    /// Work in the background is over, and with it what its sub-agent had open.
    pub(super) fn task_ended(&mut self, data: &AgentTaskEnded, at: Timestamp) {
        let task_id = clip(&data.task_id);
        let tasks = &mut self.state.background_tasks;
        let Some(index) = tasks.iter().position(|task| task.task_id == task_id) else { return };
        let task = tasks.remove(index);
        if let Some(id) = task.tool_use_id
            && !self.is_background(&id)
        {
            self.author_ended(&id, at);
        }
    }

    /// Whether a call's work goes on in the background.
    pub(super) fn is_background(&self, tool_use_id: &str) -> bool {
        self.state.background_tasks.iter().any(|task| task.tool_use_id.as_deref() == Some(tool_use_id))
    }
}

/// A to-do list as a state has it: at most [`STATE_TODOS_MAX`], each in its first words.
pub(super) fn stated_todos(todos: &[Todo]) -> Vec<Todo> {
    let stated = |todo: &Todo| Todo { content: clip(&todo.content), status: todo.status };
    todos.iter().take(STATE_TODOS_MAX).map(stated).collect()
}

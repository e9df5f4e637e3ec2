//! Open calls: a call is open until its result, else until its author's work ends, else until its run does.

use serde::{Deserialize, Serialize};
use townwatch_protocol::event::{AgentToolCall, AgentToolResult, ToolCategory};
use townwatch_protocol::limits::STATE_OUTSTANDING_MAX;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{AgentState, OutstandingCall};

use super::Snapshot;
use super::texts::{clip, hash};

/// Calls that are known again when their line is repeated. One that is older counts once more.
const CALLS_REMEMBERED_MAX: usize = 128;

/// An open call as it is known again: `[hash of its id, hash of its tool and input]`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct OpenCall(u32, u32);

/// The command in the input of a call that runs one; the words that describe it can differ from try to try.
#[derive(Deserialize)]
struct CommandInput {
    command: String,
}

/// The content of a call as a hash, by which an equal call is recognised.
fn doing(data: &AgentToolCall) -> u32 {
    let is_command = data.category == ToolCategory::Bash;
    let command = is_command.then(|| serde_json::from_str::<CommandInput>(data.input.get()).ok()).flatten();
    hash(&[&data.tool, command.as_ref().map_or(data.input.get(), |input| &input.command)])
}

impl Snapshot {
    /// A tool is called. The same call said once more changes nothing; said otherwise while it is open, it is corrected.
    pub(super) fn called(&mut self, data: &AgentToolCall, at: Timestamp) {
        let id = clip(&data.tool_use_id);
        let what = doing(data);
        let is_new = self.memory.calls.remember(hash(&[&id, &what.to_string()]), CALLS_REMEMBERED_MAX);
        let call = OutstandingCall {
            tool_use_id: id.clone(),
            tool: clip(&data.tool),
            path: data.path.as_deref().map(clip),
            summary: clip(&data.summary),
            parent_tool_use_id: data.parent_tool_use_id.as_deref().map(clip),
            since: at,
        };
        let open = OpenCall(hash(&[&id]), what);
        if let Some(known) = self.state.outstanding_tool_calls.iter_mut().find(|known| known.tool_use_id == id) {
            *known = OutstandingCall { since: known.since, ..call };
            self.memory.open.retain(|known| known.0 != open.0);
            self.memory.open.push(open);
            return;
        }
        if !is_new {
            return;
        }
        self.state.tool_call_count += 1;
        self.count_other_work(what);
        if let Some(parent) = &data.parent_tool_use_id {
            self.sub_agent(parent, at);
        } else {
            self.state.outstanding_llm_calls = 0;
        }
        if self.state.outstanding_tool_calls.len() < STATE_OUTSTANDING_MAX {
            self.state.outstanding_tool_calls.push(call);
            if self.memory.open.len() == STATE_OUTSTANDING_MAX {
                self.memory.open.remove(0);
            }
            self.memory.open.push(open);
        }
        if data.category == ToolCategory::Task {
            self.sub_agent(&id, at);
        }
    }

    /// A call has its result. A late one, of a call that is open no more, ends nothing but what still waits for it.
    pub(super) fn call_ended(&mut self, data: &AgentToolResult, at: Timestamp) {
        let id = clip(&data.tool_use_id);
        let ended = self.state.outstanding_tool_calls.iter().position(|call| call.tool_use_id == id);
        let ended = ended.map(|index| self.state.outstanding_tool_calls.remove(index));
        let known = self.memory.open.iter().position(|call| call.0 == hash(&[&id]));
        let known = known.map(|index| self.memory.open.remove(index));
        self.state.questions.retain(|open| open.question.tool_use_id.as_ref() != Some(&id));
        if !self.is_background(&id) {
            self.author_ended(&id, at);
        }
        let Some(call) = ended else { return };
        if let Some(OpenCall(_, what)) = known {
            self.count_outcome(what, data.success, &call.summary);
        }
        if call.parent_tool_use_id.is_none() {
            self.model_goes_on();
        }
    }

    /// The model is called again, unless an open call of the agent's own is what it waits for.
    pub(super) fn model_goes_on(&mut self) {
        let state = &mut self.state;
        let waits = state.outstanding_tool_calls.iter().any(|call| call.parent_tool_use_id.is_none());
        state.outstanding_llm_calls = u64::from(!waits);
    }

    /// The agent's turn is over, and with it all that it does not do in the background.
    pub(super) fn turn_ended(&mut self, at: Timestamp) {
        let going_on = self.background_calls();
        let goes_on = |id: &Option<String>| id.as_ref().is_some_and(|id| going_on.contains(id));
        self.keep_calls(|call| goes_on(&call.parent_tool_use_id));
        let AgentState { outstanding_tool_calls: calls, questions, .. } = &mut self.state;
        questions.retain(|open| {
            let is_of_open_call = |id: &String| calls.iter().any(|call| call.tool_use_id == *id);
            goes_on(&open.question.parent_tool_use_id)
                || open.question.tool_use_id.as_ref().is_some_and(is_of_open_call)
        });
        for sub_agent in &mut self.state.sub_agents {
            if !going_on.contains(&sub_agent.tool_use_id) {
                sub_agent.ended_at = sub_agent.ended_at.or(Some(at));
            }
        }
    }

    /// The sub-agent that works for a call is done, and with it what it had open, and its own sub-agents.
    pub(super) fn author_ended(&mut self, id: &str, at: Timestamp) {
        let mut authors = vec![id.to_owned()];
        while let Some(author) = authors.pop() {
            if let Some(sub_agent) = self.state.sub_agents.iter_mut().find(|one| one.tool_use_id == author) {
                sub_agent.ended_at = sub_agent.ended_at.or(Some(at));
            }
            self.state.questions.retain(|open| open.question.parent_tool_use_id.as_ref() != Some(&author));
            // Each call is taken out of the list with its author, so a circle of names comes to its end.
            let is_of_author = |call: &OutstandingCall| call.parent_tool_use_id.as_ref() == Some(&author);
            let open = &self.state.outstanding_tool_calls;
            authors.extend(open.iter().filter(|call| is_of_author(call)).map(|call| call.tool_use_id.clone()));
            self.keep_calls(|call| !is_of_author(call));
        }
    }

    fn keep_calls(&mut self, keep: impl Fn(&OutstandingCall) -> bool) {
        let calls = &mut self.state.outstanding_tool_calls;
        let before = calls.len();
        calls.retain(keep);
        if calls.len() < before {
            let open: Vec<u32> = calls.iter().map(|call| hash(&[&call.tool_use_id])).collect();
            self.memory.open.retain(|call| open.contains(&call.0));
        }
    }

    /// The calls whose work goes on when the turn is over: those of background tasks, and what their sub-agents have
    /// open.
    fn background_calls(&self) -> Vec<String> {
        let tasks = &self.state.background_tasks;
        let mut ids: Vec<String> = tasks.iter().filter_map(|task| task.tool_use_id.clone()).collect();
        let mut looked_at = 0;
        while let Some(author) = ids.get(looked_at).cloned() {
            looked_at += 1;
            for call in &self.state.outstanding_tool_calls {
                if call.parent_tool_use_id.as_ref() == Some(&author) && !ids.contains(&call.tool_use_id) {
                    ids.push(call.tool_use_id.clone());
                }
            }
        }
        ids
    }
}

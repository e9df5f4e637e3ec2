//! The activity of an agent, from its open work alone, and its time at work.

use townwatch_protocol::event::{ExitReason, Status};
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::{Activity, ActivityKind, AgentState, OpenQuestion, OutstandingCall};

use super::Snapshot;

impl Snapshot {
    /// Says what the agent is at after an event, and counts its time.
    pub(super) fn settle(&mut self, at: Timestamp) {
        let activity = activity(&self.state, at);
        let since = match &self.state.activity {
            Some(before) if before.kind == activity.kind && is_a_pause(before.kind) => before.since,
            _ => activity.since,
        };
        self.state.activity = Some(Activity { since, ..activity });
        self.count_time(at);
    }

    fn count_time(&mut self, at: Timestamp) {
        let (state, memory) = (&mut self.state, &mut self.memory);
        match (is_at_work(state), state.working_since) {
            (true, None) => {
                state.waited_ms += memory.idle_since.take().map_or(0, |since| at.millis_since(since));
                state.working_since = Some(at);
            }
            (false, Some(since)) => {
                state.worked_ms += at.millis_since(since);
                state.working_since = None;
                memory.idle_since = Some(at);
            }
            _ => {}
        }
        if state.exit.is_some() {
            state.waited_ms += memory.idle_since.take().map_or(0, |since| at.millis_since(since));
        }
    }
}

/// Whether an activity has no event of its own and is known only by its duration. It then began with the event that
/// brought it.
fn is_a_pause(kind: ActivityKind) -> bool {
    matches!(kind, ActivityKind::Thinking | ActivityKind::Waiting)
}

/// What the agent does now: the first of these that there is.
///
/// * the run's end;
/// * the oldest open question;
/// * the newest open call of the agent itself;
/// * the newest open call of a sub-agent;
/// * thinking, while the model works or the agent does not wait;
/// * the newest work in the background;
/// * waiting.
fn activity(state: &AgentState, at: Timestamp) -> Activity {
    let done = |kind, since| Activity { kind, detail: None, since };
    if let Some(exit) = &state.exit {
        let kind = if exit.reason == ExitReason::Lost { ActivityKind::Lost } else { ActivityKind::Ended };
        return done(kind, state.ended_at.unwrap_or(at));
    }
    if let Some(OpenQuestion { question, since, .. }) = state.questions.first() {
        let detail = Some(super::texts::clip(&question.detail));
        return Activity { kind: ActivityKind::Question, detail, since: *since };
    }
    let calls = &state.outstanding_tool_calls;
    let own = calls.iter().rfind(|call| call.parent_tool_use_id.is_none());
    if let Some(call) = own.or(calls.last()) {
        return Activity { kind: ActivityKind::Tool, detail: Some(call.summary.clone()), since: call.since };
    }
    if state.outstanding_llm_calls > 0 || state.status != Status::Waiting {
        return done(ActivityKind::Thinking, at);
    }
    if let Some(task) = state.background_tasks.last() {
        let detail = Some(task.description.clone());
        return Activity { kind: ActivityKind::Background, detail, since: task.since };
    }
    done(ActivityKind::Waiting, at)
}

/// Whether anything is under way that does not itself wait for a person.
fn is_at_work(state: &AgentState) -> bool {
    let asks_for = |id: Option<&String>| id.is_some() && state.questions.iter().any(|open| is_for(open, id));
    let is_asked_by = |author: Option<&String>| {
        let unnamed = |open: &OpenQuestion| open.question.tool_use_id.is_none();
        state.questions.iter().any(|open| unnamed(open) && open.question.parent_tool_use_id.as_ref() == author)
    };
    let call_works =
        |call: &OutstandingCall| !asks_for(Some(&call.tool_use_id)) && !is_asked_by(call.parent_tool_use_id.as_ref());
    let own_question = || state.questions.iter().any(|open| open.question.parent_tool_use_id.is_none());
    state.exit.is_none()
        && (state.outstanding_tool_calls.iter().any(call_works)
            || state.background_tasks.iter().any(|task| !asks_for(task.tool_use_id.as_ref()))
            || (state.outstanding_llm_calls > 0 && !own_question())
            || (state.questions.is_empty() && state.status != Status::Waiting))
}

/// Whether a question stands in the way of this call: the call itself waits for the answer, or its sub-agent does.
fn is_for(open: &OpenQuestion, tool_use_id: Option<&String>) -> bool {
    let question = &open.question;
    question.tool_use_id.as_ref() == tool_use_id || question.parent_tool_use_id.as_ref() == tool_use_id
}

//! The part of a state whose change is sent as a `state` frame of its own.

use townwatch_protocol::wire::AgentState;

/// Whether two states differ in a field for which viewers need a `state` frame. Other fields need none: for example,
/// a viewer knows an event's id and time from the event itself, and can count events.
pub fn differs(before: &AgentState, after: &AgentState) -> bool {
    shown(before) != shown(after)
}

/// The fields that need a `state` frame. The pattern names all fields of a state, so a new field does not compile
/// until somebody decides about it.
fn shown(state: &AgentState) -> impl PartialEq + '_ {
    let AgentState {
        agent_id: _,
        rig_id: _,
        name,
        role,
        runtime,
        status,
        run_id,
        run_number: _,
        title,
        prompt_event_id,
        takes_messages,
        session_id,
        model,
        working_dir,
        branch,
        initial_commit,
        git_origin,
        hostname,
        os,
        in_container,
        message_count: _,
        tool_call_count: _,
        outstanding_llm_calls: _,
        outstanding_tool_calls,
        questions,
        background_tasks,
        sub_agents,
        failing_loop,
        usage,
        run_budget: _,
        day_budget: _,
        archived_at: _,
        files_changed,
        lines_added,
        lines_removed,
        todos,
        progress,
        activity,
        first_event_id: _,
        last_event_id: _,
        last_event_at: _,
        started_at: _,
        worked_ms: _,
        working_since,
        waited_ms: _,
        ended_at: _,
        exit,
    } = state;
    (
        (name, role, runtime, status, run_id, title, prompt_event_id, takes_messages),
        (session_id, model, working_dir, branch, initial_commit, git_origin, hostname, os, in_container),
        (outstanding_tool_calls, questions, background_tasks, sub_agents, failing_loop, usage),
        (files_changed, lines_added, lines_removed, todos, progress, activity, working_since, exit),
    )
}

//! Keeps the lists of a state within their room.

use townwatch_protocol::limits::STATE_WORK_BYTES_MAX;
use townwatch_protocol::wire::AgentState;

use super::texts::json_bytes;

/// The largest entry of a list other than to-dos: five texts and their names.
const ENTRY_BYTES_MAX: usize = 1_700;
/// The largest to-do.
const TODO_BYTES_MAX: usize = 330;

/// Keeps to-dos, open calls, background tasks and sub-agents together within [`STATE_WORK_BYTES_MAX`]. What a list loses
/// is what says least, of the list that takes most: the last to-do, a sub-agent's before the sub-agent; the newest task; the
/// oldest call or sub-agent.
pub(super) fn bound_work(state: &mut AgentState) {
    let AgentState { todos, outstanding_tool_calls: calls, background_tasks: tasks, sub_agents, .. } = state;
    let entries = calls.len() + tasks.len() + sub_agents.len();
    let all_todos = todos.len() + sub_agents.iter().map(|one| one.todos.len()).sum::<usize>();
    if entries * ENTRY_BYTES_MAX + all_todos * TODO_BYTES_MAX <= STATE_WORK_BYTES_MAX {
        return;
    }
    let mut bytes = [json_bytes(todos), json_bytes(calls), json_bytes(tasks), json_bytes(sub_agents)];
    while bytes.iter().sum::<usize>() > STATE_WORK_BYTES_MAX {
        let longest = (0..bytes.len()).max_by_key(|list| bytes[*list]).unwrap_or(0);
        let gone = match longest {
            0 => todos.pop().map(|gone| json_bytes(&gone)),
            1 => Some(json_bytes(&calls.remove(0))),
            2 => tasks.pop().map(|gone| json_bytes(&gone)),
            _ => match sub_agents.iter_mut().max_by_key(|one| one.todos.len()).filter(|one| !one.todos.is_empty()) {
                Some(one) => one.todos.pop().map(|gone| json_bytes(&gone)),
                None => Some(json_bytes(&sub_agents.remove(0))),
            },
        };
        bytes[longest] = bytes[longest].saturating_sub(gone.unwrap_or(usize::MAX));
    }
}

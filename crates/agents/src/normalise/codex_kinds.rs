//! The kinds of lines and items that Codex prints.

use super::content_kinds;
use super::kinds::{Becomes, Known, Table};

/// The reading of a line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Line {
    Thread,
    TurnStarted,
    TurnCompleted,
    TurnFailed,
    Item,
    Error,
    Asked,
}

/// The reading of an item.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item {
    Message,
    Thought,
    Call,
    Todos,
    Warning,
    Compaction,
}

/// The values of a line's `type`.
pub(super) static LINES: Table<Line> = Table::new(
    "line",
    &[
        ("thread.started", Becomes::Event("agent_session", Line::Thread)),
        ("turn.started", Becomes::Event("agent.status", Line::TurnStarted)),
        ("turn.completed", Becomes::Event("agent_usage", Line::TurnCompleted)),
        ("turn.failed", Becomes::Event("agent_error", Line::TurnFailed)),
        ("item.started", Becomes::Event("agent_tool_call", Line::Item)),
        ("item.updated", Becomes::Event("progress_update", Line::Item)),
        ("item.completed", Becomes::Event("agent_tool_result", Line::Item)),
        ("item.plan.delta", Becomes::Nothing("the plan comes whole when it is completed")),
        ("request_user_input", Becomes::Event("agent_notice", Line::Asked)),
        ("error", Becomes::Event("agent_error", Line::Error)),
    ],
);

/// The values of an item's `type`.
pub(super) static ITEMS: Table<Item> = Table::new(
    "item",
    &[
        ("agent_message", Becomes::Event("agent_output", Item::Message)),
        ("plan", Becomes::Event("agent_output", Item::Message)),
        ("reasoning", Becomes::Event("agent_output", Item::Thought)),
        ("command_execution", Becomes::Event("agent_tool_call", Item::Call)),
        ("file_change", Becomes::Event("agent_tool_call", Item::Call)),
        ("mcp_tool_call", Becomes::Event("agent_tool_call", Item::Call)),
        ("collab_tool_call", Becomes::Event("agent_tool_call", Item::Call)),
        ("web_search", Becomes::Event("agent_tool_call", Item::Call)),
        ("todo_list", Becomes::Event("progress_update", Item::Todos)),
        ("error", Becomes::Event("agent_notice", Item::Warning)),
        ("context_compaction", Becomes::Event("agent_notice", Item::Compaction)),
        ("ContextCompaction", Becomes::Event("agent_notice", Item::Compaction)),
    ],
);

/// The tables of Codex, and that of an MCP tool's result.
pub(super) fn known() -> Vec<Known> {
    vec![LINES.known(), ITEMS.known(), content_kinds::known()]
}

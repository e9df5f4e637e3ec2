//! The kinds of lines and items that Codex prints.

use super::content_kinds;
use super::kinds::{Handling, KnownKinds, Table};

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
        ("thread.started", Handling::Event("agent_session", Line::Thread)),
        ("turn.started", Handling::Event("agent.status", Line::TurnStarted)),
        ("turn.completed", Handling::Event("agent_usage", Line::TurnCompleted)),
        ("turn.failed", Handling::Event("agent_error", Line::TurnFailed)),
        ("item.started", Handling::Event("agent_tool_call", Line::Item)),
        ("item.updated", Handling::Event("progress_update", Line::Item)),
        ("item.completed", Handling::Event("agent_tool_result", Line::Item)),
        ("item.plan.delta", Handling::Nothing("the plan comes whole when it is completed")),
        ("request_user_input", Handling::Event("agent_notice", Line::Asked)),
        ("error", Handling::Event("agent_error", Line::Error)),
    ],
);

/// The values of an item's `type`.
pub(super) static ITEMS: Table<Item> = Table::new(
    "item",
    &[
        ("agent_message", Handling::Event("agent_output", Item::Message)),
        ("plan", Handling::Event("agent_output", Item::Message)),
        ("reasoning", Handling::Event("agent_output", Item::Thought)),
        ("command_execution", Handling::Event("agent_tool_call", Item::Call)),
        ("file_change", Handling::Event("agent_tool_call", Item::Call)),
        ("mcp_tool_call", Handling::Event("agent_tool_call", Item::Call)),
        ("collab_tool_call", Handling::Event("agent_tool_call", Item::Call)),
        ("web_search", Handling::Event("agent_tool_call", Item::Call)),
        ("todo_list", Handling::Event("progress_update", Item::Todos)),
        ("error", Handling::Event("agent_notice", Item::Warning)),
        ("context_compaction", Handling::Event("agent_notice", Item::Compaction)),
        ("ContextCompaction", Handling::Event("agent_notice", Item::Compaction)),
    ],
);

/// The tables of Codex, and that of an MCP tool's result.
pub(super) fn known() -> Vec<KnownKinds> {
    vec![LINES.known(), ITEMS.known(), content_kinds::known()]
}

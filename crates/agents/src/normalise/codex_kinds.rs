//! The kinds of lines and items that Codex prints.

use super::content_kinds;
use super::kinds::{Handling, KnownKinds, Table};

/// The reading of a line.
#[derive(Debug, Clone, Copy)]
pub(super) enum LineKind {
    Thread,
    TurnStarted,
    TurnCompleted,
    TurnFailed,
    ItemKind,
    Error,
    Asked,
}

/// The reading of an item.
#[derive(Debug, Clone, Copy)]
pub(super) enum ItemKind {
    Message,
    Thought,
    Call,
    Todos,
    Warning,
    Compaction,
}

/// The values of a line's `type`.
pub(super) static LINES: Table<LineKind> = Table::new(
    "line",
    &[
        ("thread.started", Handling::Event("agent_session", LineKind::Thread)),
        ("turn.started", Handling::Event("agent.status", LineKind::TurnStarted)),
        ("turn.completed", Handling::Event("agent_usage", LineKind::TurnCompleted)),
        ("turn.failed", Handling::Event("agent_error", LineKind::TurnFailed)),
        ("item.started", Handling::Event("agent_tool_call", LineKind::ItemKind)),
        ("item.updated", Handling::Event("progress_update", LineKind::ItemKind)),
        ("item.completed", Handling::Event("agent_tool_result", LineKind::ItemKind)),
        ("item.plan.delta", Handling::Nothing("the plan comes whole when it is completed")),
        ("request_user_input", Handling::Event("agent_notice", LineKind::Asked)),
        ("error", Handling::Event("agent_error", LineKind::Error)),
    ],
);

/// The values of an item's `type`.
pub(super) static ITEMS: Table<ItemKind> = Table::new(
    "item",
    &[
        ("agent_message", Handling::Event("agent_output", ItemKind::Message)),
        ("plan", Handling::Event("agent_output", ItemKind::Message)),
        ("reasoning", Handling::Event("agent_output", ItemKind::Thought)),
        ("command_execution", Handling::Event("agent_tool_call", ItemKind::Call)),
        ("file_change", Handling::Event("agent_tool_call", ItemKind::Call)),
        ("mcp_tool_call", Handling::Event("agent_tool_call", ItemKind::Call)),
        ("collab_tool_call", Handling::Event("agent_tool_call", ItemKind::Call)),
        ("web_search", Handling::Event("agent_tool_call", ItemKind::Call)),
        ("todo_list", Handling::Event("progress_update", ItemKind::Todos)),
        ("error", Handling::Event("agent_notice", ItemKind::Warning)),
        ("context_compaction", Handling::Event("agent_notice", ItemKind::Compaction)),
        ("ContextCompaction", Handling::Event("agent_notice", ItemKind::Compaction)),
    ],
);

/// The tables of Codex, and that of an MCP tool's result.
pub(super) fn known() -> Vec<KnownKinds> {
    vec![LINES.known(), ITEMS.known(), content_kinds::known()]
}

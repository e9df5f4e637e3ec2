//! The kinds of lines and items that Codex prints.

use super::content_kinds;
use super::kinds::{Handling, KindTable, KnownKinds};
use townwatch_protocol::event::EventKind;

/// The reading of a line.
#[derive(Debug, Clone, Copy)]
pub(super) enum CodexLineKind {
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
pub(super) static LINES: KindTable<CodexLineKind> = KindTable::new(
    "line",
    &[
        ("thread.started", Handling::Event(EventKind::Session, CodexLineKind::Thread)),
        ("turn.started", Handling::Event(EventKind::Status, CodexLineKind::TurnStarted)),
        ("turn.completed", Handling::Event(EventKind::Usage, CodexLineKind::TurnCompleted)),
        ("turn.failed", Handling::Event(EventKind::Error, CodexLineKind::TurnFailed)),
        ("item.started", Handling::Event(EventKind::ToolCall, CodexLineKind::ItemKind)),
        ("item.updated", Handling::Event(EventKind::Progress, CodexLineKind::ItemKind)),
        ("item.completed", Handling::Event(EventKind::ToolResult, CodexLineKind::ItemKind)),
        ("item.plan.delta", Handling::Nothing("the plan comes whole when it is completed")),
        ("request_user_input", Handling::Event(EventKind::Notice, CodexLineKind::Asked)),
        ("error", Handling::Event(EventKind::Error, CodexLineKind::Error)),
    ],
);

/// The values of an item's `type`.
pub(super) static ITEMS: KindTable<ItemKind> = KindTable::new(
    "item",
    &[
        ("agent_message", Handling::Event(EventKind::Output, ItemKind::Message)),
        ("plan", Handling::Event(EventKind::Output, ItemKind::Message)),
        ("reasoning", Handling::Event(EventKind::Output, ItemKind::Thought)),
        ("command_execution", Handling::Event(EventKind::ToolCall, ItemKind::Call)),
        ("file_change", Handling::Event(EventKind::ToolCall, ItemKind::Call)),
        ("mcp_tool_call", Handling::Event(EventKind::ToolCall, ItemKind::Call)),
        ("collab_tool_call", Handling::Event(EventKind::ToolCall, ItemKind::Call)),
        ("web_search", Handling::Event(EventKind::ToolCall, ItemKind::Call)),
        ("todo_list", Handling::Event(EventKind::Progress, ItemKind::Todos)),
        ("error", Handling::Event(EventKind::Notice, ItemKind::Warning)),
        ("context_compaction", Handling::Event(EventKind::Notice, ItemKind::Compaction)),
        ("ContextCompaction", Handling::Event(EventKind::Notice, ItemKind::Compaction)),
    ],
);

/// The tables of Codex, and that of an MCP tool's result.
pub(super) fn known() -> Vec<KnownKinds> {
    vec![LINES.known(), ITEMS.known(), content_kinds::known()]
}

//! Every kind of block that a result can hold, with how it is read.

use super::kinds::{Handling, KnownKinds, Table};
use townwatch_protocol::event::EventKind;

/// The reading of a block.
#[derive(Debug, Clone, Copy)]
pub(super) enum BlockKind {
    Text,
    Image,
    Audio,
    Document,
    Resource,
    Link,
    Search,
    Found,
    Fetched,
    Executed,
    File,
    Viewed,
    Replaced,
    Created,
    References,
    Reference,
    Failed,
}

const RESULT: EventKind = EventKind::ToolResult;

/// The blocks that a result can hold, and those that stand in its place.
pub(super) static BLOCKS: Table<BlockKind> = Table::new(
    "block of a result",
    &[
        ("text", Handling::Event(RESULT, BlockKind::Text)),
        ("image", Handling::Event(RESULT, BlockKind::Image)),
        ("audio", Handling::Event(RESULT, BlockKind::Audio)),
        ("document", Handling::Event(RESULT, BlockKind::Document)),
        ("resource", Handling::Event(RESULT, BlockKind::Resource)),
        ("resource_link", Handling::Event(RESULT, BlockKind::Link)),
        ("search_result", Handling::Event(RESULT, BlockKind::Search)),
        ("web_search_result", Handling::Event(RESULT, BlockKind::Found)),
        ("web_search_tool_result_error", Handling::Event(RESULT, BlockKind::Failed)),
        ("web_fetch_result", Handling::Event(RESULT, BlockKind::Fetched)),
        ("web_fetch_tool_result_error", Handling::Event(RESULT, BlockKind::Failed)),
        ("code_execution_result", Handling::Event(RESULT, BlockKind::Executed)),
        ("encrypted_code_execution_result", Handling::Event(RESULT, BlockKind::Executed)),
        ("code_execution_tool_result_error", Handling::Event(RESULT, BlockKind::Failed)),
        ("code_execution_output", Handling::Event(RESULT, BlockKind::File)),
        ("bash_code_execution_result", Handling::Event(RESULT, BlockKind::Executed)),
        ("bash_code_execution_tool_result_error", Handling::Event(RESULT, BlockKind::Failed)),
        ("bash_code_execution_output", Handling::Event(RESULT, BlockKind::File)),
        ("text_editor_code_execution_view_result", Handling::Event(RESULT, BlockKind::Viewed)),
        ("text_editor_code_execution_create_result", Handling::Event(RESULT, BlockKind::Created)),
        ("text_editor_code_execution_str_replace_result", Handling::Event(RESULT, BlockKind::Replaced)),
        ("text_editor_code_execution_tool_result_error", Handling::Event(RESULT, BlockKind::Failed)),
        ("tool_search_tool_search_result", Handling::Event(RESULT, BlockKind::References)),
        ("tool_search_tool_result_error", Handling::Event(RESULT, BlockKind::Failed)),
        ("tool_reference", Handling::Event(RESULT, BlockKind::Reference)),
        ("error", Handling::Event(RESULT, BlockKind::Failed)),
        ("mcp_tool_result_error", Handling::Event(RESULT, BlockKind::Failed)),
        ("advisor_result", Handling::Event(RESULT, BlockKind::Text)),
        ("advisor_tool_result_error", Handling::Event(RESULT, BlockKind::Failed)),
        ("container_upload", Handling::Event(RESULT, BlockKind::File)),
        ("advisor_redacted_result", Handling::Nothing("it is encrypted, for the model alone")),
    ],
);

/// The kinds of blocks that are read here.
pub(super) fn known() -> KnownKinds {
    BLOCKS.known()
}

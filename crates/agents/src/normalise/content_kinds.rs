//! Every kind of block that a result can hold, with how it is read.

use super::kinds::{Handling, KindTable, KnownKinds};
use townwatch_protocol::event::EventKind;

/// The reading of a block.
#[derive(Debug, Clone, Copy)]
pub(super) enum ContentKind {
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
pub(super) static BLOCKS: KindTable<ContentKind> = KindTable::new(
    "block of a result",
    &[
        ("text", Handling::Event(RESULT, ContentKind::Text)),
        ("image", Handling::Event(RESULT, ContentKind::Image)),
        ("audio", Handling::Event(RESULT, ContentKind::Audio)),
        ("document", Handling::Event(RESULT, ContentKind::Document)),
        ("resource", Handling::Event(RESULT, ContentKind::Resource)),
        ("resource_link", Handling::Event(RESULT, ContentKind::Link)),
        ("search_result", Handling::Event(RESULT, ContentKind::Search)),
        ("web_search_result", Handling::Event(RESULT, ContentKind::Found)),
        ("web_search_tool_result_error", Handling::Event(RESULT, ContentKind::Failed)),
        ("web_fetch_result", Handling::Event(RESULT, ContentKind::Fetched)),
        ("web_fetch_tool_result_error", Handling::Event(RESULT, ContentKind::Failed)),
        ("code_execution_result", Handling::Event(RESULT, ContentKind::Executed)),
        ("encrypted_code_execution_result", Handling::Event(RESULT, ContentKind::Executed)),
        ("code_execution_tool_result_error", Handling::Event(RESULT, ContentKind::Failed)),
        ("code_execution_output", Handling::Event(RESULT, ContentKind::File)),
        ("bash_code_execution_result", Handling::Event(RESULT, ContentKind::Executed)),
        ("bash_code_execution_tool_result_error", Handling::Event(RESULT, ContentKind::Failed)),
        ("bash_code_execution_output", Handling::Event(RESULT, ContentKind::File)),
        ("text_editor_code_execution_view_result", Handling::Event(RESULT, ContentKind::Viewed)),
        ("text_editor_code_execution_create_result", Handling::Event(RESULT, ContentKind::Created)),
        ("text_editor_code_execution_str_replace_result", Handling::Event(RESULT, ContentKind::Replaced)),
        ("text_editor_code_execution_tool_result_error", Handling::Event(RESULT, ContentKind::Failed)),
        ("tool_search_tool_search_result", Handling::Event(RESULT, ContentKind::References)),
        ("tool_search_tool_result_error", Handling::Event(RESULT, ContentKind::Failed)),
        ("tool_reference", Handling::Event(RESULT, ContentKind::Reference)),
        ("error", Handling::Event(RESULT, ContentKind::Failed)),
        ("mcp_tool_result_error", Handling::Event(RESULT, ContentKind::Failed)),
        ("advisor_result", Handling::Event(RESULT, ContentKind::Text)),
        ("advisor_tool_result_error", Handling::Event(RESULT, ContentKind::Failed)),
        ("container_upload", Handling::Event(RESULT, ContentKind::File)),
        ("advisor_redacted_result", Handling::Nothing("it is encrypted, for the model alone")),
    ],
);

/// The kinds of blocks that are read here.
pub(super) fn known() -> KnownKinds {
    BLOCKS.known()
}

//! Every kind of block that a result can hold, with how it is read.

use super::kinds::{Handling, KnownKinds, Table};

/// The reading of a block.
#[derive(Debug, Clone, Copy)]
pub(super) enum Block {
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

const RESULT: &str = "agent_tool_result";

/// The blocks that a result can hold, and those that stand in its place.
pub(super) static BLOCKS: Table<Block> = Table::new(
    "block of a result",
    &[
        ("text", Handling::Event(RESULT, Block::Text)),
        ("image", Handling::Event(RESULT, Block::Image)),
        ("audio", Handling::Event(RESULT, Block::Audio)),
        ("document", Handling::Event(RESULT, Block::Document)),
        ("resource", Handling::Event(RESULT, Block::Resource)),
        ("resource_link", Handling::Event(RESULT, Block::Link)),
        ("search_result", Handling::Event(RESULT, Block::Search)),
        ("web_search_result", Handling::Event(RESULT, Block::Found)),
        ("web_search_tool_result_error", Handling::Event(RESULT, Block::Failed)),
        ("web_fetch_result", Handling::Event(RESULT, Block::Fetched)),
        ("web_fetch_tool_result_error", Handling::Event(RESULT, Block::Failed)),
        ("code_execution_result", Handling::Event(RESULT, Block::Executed)),
        ("encrypted_code_execution_result", Handling::Event(RESULT, Block::Executed)),
        ("code_execution_tool_result_error", Handling::Event(RESULT, Block::Failed)),
        ("code_execution_output", Handling::Event(RESULT, Block::File)),
        ("bash_code_execution_result", Handling::Event(RESULT, Block::Executed)),
        ("bash_code_execution_tool_result_error", Handling::Event(RESULT, Block::Failed)),
        ("bash_code_execution_output", Handling::Event(RESULT, Block::File)),
        ("text_editor_code_execution_view_result", Handling::Event(RESULT, Block::Viewed)),
        ("text_editor_code_execution_create_result", Handling::Event(RESULT, Block::Created)),
        ("text_editor_code_execution_str_replace_result", Handling::Event(RESULT, Block::Replaced)),
        ("text_editor_code_execution_tool_result_error", Handling::Event(RESULT, Block::Failed)),
        ("tool_search_tool_search_result", Handling::Event(RESULT, Block::References)),
        ("tool_search_tool_result_error", Handling::Event(RESULT, Block::Failed)),
        ("tool_reference", Handling::Event(RESULT, Block::Reference)),
        ("error", Handling::Event(RESULT, Block::Failed)),
        ("mcp_tool_result_error", Handling::Event(RESULT, Block::Failed)),
        ("advisor_result", Handling::Event(RESULT, Block::Text)),
        ("advisor_tool_result_error", Handling::Event(RESULT, Block::Failed)),
        ("container_upload", Handling::Event(RESULT, Block::File)),
        ("advisor_redacted_result", Handling::Nothing("it is encrypted, for the model alone")),
    ],
);

/// The kinds of blocks that are read here.
pub(super) fn known() -> KnownKinds {
    BLOCKS.known()
}

//! Every kind of block that a result can hold, with how it is read.

use super::kinds::{Becomes, Known, Table};

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
        ("text", Becomes::Event(RESULT, Block::Text)),
        ("image", Becomes::Event(RESULT, Block::Image)),
        ("audio", Becomes::Event(RESULT, Block::Audio)),
        ("document", Becomes::Event(RESULT, Block::Document)),
        ("resource", Becomes::Event(RESULT, Block::Resource)),
        ("resource_link", Becomes::Event(RESULT, Block::Link)),
        ("search_result", Becomes::Event(RESULT, Block::Search)),
        ("web_search_result", Becomes::Event(RESULT, Block::Found)),
        ("web_search_tool_result_error", Becomes::Event(RESULT, Block::Failed)),
        ("web_fetch_result", Becomes::Event(RESULT, Block::Fetched)),
        ("web_fetch_tool_result_error", Becomes::Event(RESULT, Block::Failed)),
        ("code_execution_result", Becomes::Event(RESULT, Block::Executed)),
        ("encrypted_code_execution_result", Becomes::Event(RESULT, Block::Executed)),
        ("code_execution_tool_result_error", Becomes::Event(RESULT, Block::Failed)),
        ("code_execution_output", Becomes::Event(RESULT, Block::File)),
        ("bash_code_execution_result", Becomes::Event(RESULT, Block::Executed)),
        ("bash_code_execution_tool_result_error", Becomes::Event(RESULT, Block::Failed)),
        ("bash_code_execution_output", Becomes::Event(RESULT, Block::File)),
        ("text_editor_code_execution_view_result", Becomes::Event(RESULT, Block::Viewed)),
        ("text_editor_code_execution_create_result", Becomes::Event(RESULT, Block::Created)),
        ("text_editor_code_execution_str_replace_result", Becomes::Event(RESULT, Block::Replaced)),
        ("text_editor_code_execution_tool_result_error", Becomes::Event(RESULT, Block::Failed)),
        ("tool_search_tool_search_result", Becomes::Event(RESULT, Block::References)),
        ("tool_search_tool_result_error", Becomes::Event(RESULT, Block::Failed)),
        ("tool_reference", Becomes::Event(RESULT, Block::Reference)),
        ("error", Becomes::Event(RESULT, Block::Failed)),
        ("mcp_tool_result_error", Becomes::Event(RESULT, Block::Failed)),
        ("advisor_result", Becomes::Event(RESULT, Block::Text)),
        ("advisor_tool_result_error", Becomes::Event(RESULT, Block::Failed)),
        ("container_upload", Becomes::Event(RESULT, Block::File)),
        ("advisor_redacted_result", Becomes::Nothing("it is encrypted, for the model alone")),
    ],
);

/// The kinds of blocks that are read here.
pub(super) fn known() -> Known {
    BLOCKS.known()
}

//! The kinds of the API's own events about a message that is being typed.

use super::kinds::{Becomes, Known, Table};

/// The reading of an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    MessageStarts,
    MessageEnds,
    BlockStarts,
    Adds,
    Counts,
}

/// The values of an event's `type`.
pub(super) static EVENTS: Table<Step> = Table::new(
    "stream_event",
    &[
        ("content_block_delta", Becomes::Event("preview", Step::Adds)),
        ("content_block_start", Becomes::Event("preview", Step::BlockStarts)),
        ("content_block_stop", Becomes::Nothing("the block's own line comes before it")),
        ("message_start", Becomes::Event("agent_usage", Step::MessageStarts)),
        ("message_delta", Becomes::Event("agent_usage", Step::Counts)),
        ("message_stop", Becomes::Event("preview", Step::MessageEnds)),
        ("ping", Becomes::Nothing("it keeps a connection open")),
        ("error", Becomes::Nothing("the program tries again or says in a line of its own what went wrong")),
    ],
);

/// The kinds of blocks and of their additions, and whether each is shown while it is typed.
pub(super) static TYPED: Table<()> = Table::new(
    "typed block",
    &[
        ("text", Becomes::Event("preview", ())),
        ("text_delta", Becomes::Event("preview", ())),
        ("thinking", Becomes::Nothing("its line has it whole")),
        ("thinking_delta", Becomes::Nothing("the block's line has it whole")),
        ("redacted_thinking", Becomes::Nothing("it is encrypted, for the model alone")),
        ("signature_delta", Becomes::Nothing("it is for the API alone")),
        ("tool_use", Becomes::Nothing("the call is told once its input is whole")),
        ("server_tool_use", Becomes::Nothing("the call is told once its input is whole")),
        ("mcp_tool_use", Becomes::Nothing("the call is told once its input is whole")),
        ("input_json_delta", Becomes::Nothing("the call is told once its input is whole")),
        ("citations_delta", Becomes::Nothing("what is cited stands in the text")),
        ("compaction_delta", Becomes::Nothing("a summary is for the model")),
    ],
);

/// The kinds that are read here.
pub(super) fn known() -> [Known; 2] {
    [EVENTS.known(), TYPED.known()]
}

//! The kinds of the API's own events about a message that is being typed.

use super::kinds::{Handling, KindTable, KnownKinds};
use townwatch_protocol::event::EventKind;

/// The reading of an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum PartialStep {
    MessageStarts,
    MessageEnds,
    BlockStarts,
    Adds,
    Counts,
}

/// The values of an event's `type`.
pub(super) static EVENTS: KindTable<PartialStep> = KindTable::new(
    "stream_event",
    &[
        ("content_block_delta", Handling::Preview(PartialStep::Adds)),
        ("content_block_start", Handling::Preview(PartialStep::BlockStarts)),
        ("content_block_stop", Handling::Nothing("the block's own line comes before it")),
        ("message_start", Handling::Event(EventKind::Usage, PartialStep::MessageStarts)),
        ("message_delta", Handling::Event(EventKind::Usage, PartialStep::Counts)),
        ("message_stop", Handling::Preview(PartialStep::MessageEnds)),
        ("ping", Handling::Nothing("it keeps a connection open")),
        ("error", Handling::Nothing("the program tries again or says in a line of its own what went wrong")),
    ],
);

/// The kinds of blocks and of their additions, and whether each is shown while it is typed.
pub(super) static TYPED: KindTable<()> = KindTable::new(
    "typed block",
    &[
        ("text", Handling::Preview(())),
        ("text_delta", Handling::Preview(())),
        ("thinking", Handling::Nothing("its line has it whole")),
        ("thinking_delta", Handling::Nothing("the block's line has it whole")),
        ("redacted_thinking", Handling::Nothing("it is encrypted, for the model alone")),
        ("signature_delta", Handling::Nothing("it is for the API alone")),
        ("tool_use", Handling::Nothing("the call is told once its input is whole")),
        ("server_tool_use", Handling::Nothing("the call is told once its input is whole")),
        ("mcp_tool_use", Handling::Nothing("the call is told once its input is whole")),
        ("input_json_delta", Handling::Nothing("the call is told once its input is whole")),
        ("citations_delta", Handling::Nothing("what is cited stands in the text")),
        ("compaction_delta", Handling::Nothing("a summary is for the model")),
    ],
);

/// The kinds that are read here.
pub(super) fn known() -> [KnownKinds; 2] {
    [EVENTS.known(), TYPED.known()]
}

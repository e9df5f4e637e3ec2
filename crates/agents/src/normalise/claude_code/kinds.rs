//! Every known kind of line and block of Claude Code, with its handling.

use super::program_words::ProgramNotice;
use super::stops::STOPS;
use crate::normalise::kinds::Handling::{Event, Nothing, Preview};
use crate::normalise::kinds::{KindTable, KnownKinds};
use crate::normalise::{content_kinds, partial_kinds};
use townwatch_protocol::event::EventKind;

/// The reading of a line, by its `type`.
#[derive(Debug, Clone, Copy)]
pub(super) enum ClaudeLineKind {
    System,
    Assistant,
    User,
    Result,
    /// A block with nothing around it.
    Block,
    StreamEvent,
    RateLimit,
    Authentication,
    ProgramNotice(ProgramNotice),
    ControlRequest,
    ControlCancel,
}

/// The reading of a `system` line, by its `subtype`.
#[derive(Debug, Clone, Copy)]
pub(super) enum SystemKind {
    Init,
    PermissionDenied,
    Retry,
    TasksChanged,
    TaskStarted,
    TaskUpdated,
    TaskEnded,
    Status,
    Compacted,
    Hook,
    ModelChanged,
    Notification,
    CommandOutput,
    FilesPersisted,
    RequestFailed,
    Refused,
    TodoStatuses,
    ProgramNotice(ProgramNotice),
}

/// The reading of a message's block, by its `type`.
#[derive(Debug, Clone, Copy)]
pub(super) enum BlockKind {
    Text,
    Thinking,
    Call,
    Result,
    /// A picture or document that a person gave the agent.
    Shown,
}

const UI: &str = "it is about what a plugin draws on a person's screen";

pub(super) static LINES: KindTable<ClaudeLineKind> = KindTable::new(
    "line",
    &[
        ("assistant", Event(EventKind::Output, ClaudeLineKind::Assistant)),
        ("user", Event(EventKind::ToolResult, ClaudeLineKind::User)),
        ("stream_event", Preview(ClaudeLineKind::StreamEvent)),
        ("system", Event(EventKind::Session, ClaudeLineKind::System)),
        ("result", Event(EventKind::Status, ClaudeLineKind::Result)),
        ("control_request", Event(EventKind::Question, ClaudeLineKind::ControlRequest)),
        ("control_cancel_request", Event(EventKind::QuestionAnswered, ClaudeLineKind::ControlCancel)),
        ("rate_limit_event", Event(EventKind::Notice, ClaudeLineKind::RateLimit)),
        ("auth_status", Event(EventKind::Error, ClaudeLineKind::Authentication)),
        ("text", Event(EventKind::Output, ClaudeLineKind::Block)),
        ("thinking", Event(EventKind::Output, ClaudeLineKind::Block)),
        ("tool_use", Event(EventKind::ToolCall, ClaudeLineKind::Block)),
        ("tool_result", Event(EventKind::ToolResult, ClaudeLineKind::Block)),
        ("control_response", Nothing("it answers what was asked of the program")),
        ("tool_progress", Nothing("how long a call takes is counted from its start")),
        ("tool_use_summary", Nothing("it sums up calls that are shown themselves")),
        ("prompt_suggestion", Nothing("it proposes what a person could say next")),
        ("keep_alive", Nothing("it keeps a connection open")),
        ("conversation_reset", Event(EventKind::Notice, ClaudeLineKind::ProgramNotice(ProgramNotice::Reset))),
        ("transcript_mirror", Nothing("it is a copy for whoever keeps the transcript")),
        ("attachment", Nothing("it is for the model; what a person attached is in her message")),
        ("tombstone", Nothing("what was said stays in the log")),
        ("command_lifecycle", Nothing("what is queued is told when it is taken up")),
        ("api_metrics", Nothing("how fast the API answered is nothing to a person")),
        ("active_goal", Nothing("the hook that keeps the goal tells of it")),
        ("autocompact_state", Nothing("the system's own lines tell of a compaction")),
        ("compact_progress", Nothing("the system's own lines tell of a compaction")),
        ("os_notification", Nothing("what it rings for is told itself")),
    ],
);

pub(super) static SYSTEM: KindTable<SystemKind> = KindTable::new(
    "system line",
    &[
        ("init", Event(EventKind::Session, SystemKind::Init)),
        ("status", Event(EventKind::Notice, SystemKind::Status)),
        ("api_retry", Event(EventKind::Error, SystemKind::Retry)),
        ("permission_denied", Event(EventKind::Error, SystemKind::PermissionDenied)),
        ("background_tasks_changed", Event(EventKind::TaskStarted, SystemKind::TasksChanged)),
        ("task_started", Event(EventKind::TaskStarted, SystemKind::TaskStarted)),
        ("task_updated", Event(EventKind::TaskEnded, SystemKind::TaskUpdated)),
        ("task_notification", Event(EventKind::TaskEnded, SystemKind::TaskEnded)),
        ("compact_boundary", Event(EventKind::Notice, SystemKind::Compacted)),
        ("hook_response", Event(EventKind::Notice, SystemKind::Hook)),
        ("model_changed", Event(EventKind::Notice, SystemKind::ModelChanged)),
        ("model_fallback", Event(EventKind::Notice, SystemKind::ModelChanged)),
        ("model_refusal_fallback", Event(EventKind::Notice, SystemKind::ModelChanged)),
        ("notification", Event(EventKind::Notice, SystemKind::Notification)),
        ("local_command_output", Event(EventKind::Output, SystemKind::CommandOutput)),
        ("local_command", Event(EventKind::Output, SystemKind::CommandOutput)),
        ("files_persisted", Event(EventKind::Notice, SystemKind::FilesPersisted)),
        ("task_progress", Nothing("a sub-agent's own lines say what it does")),
        ("thinking_tokens", Nothing("it is a guess; a message's usage has the number")),
        ("session_state_changed", Nothing("its turns and questions say the same")),
        ("hook_started", Nothing("what a hook comes to is in its response")),
        ("hook_progress", Nothing("what a hook comes to is in its response")),
        ("commands_changed", Nothing("which commands could be typed is nothing that happened")),
        ("post_turn_summary", Nothing("it sums up what is shown itself")),
        ("memory_recall", Nothing("what the program reads for the model by itself")),
        ("turn_duration", Nothing("how long a turn took is counted from its start")),
        ("stop_hook_summary", Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::StopHooks))),
        ("informational", Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::Informational))),
        ("permission_retry", Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::Informational))),
        ("scheduled_task_fire", Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::Informational))),
        ("memory_saved", Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::MemorySaved))),
        (
            "instruction_size_warning",
            Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::InstructionSize)),
        ),
        ("mirror_error", Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::MirrorError))),
        ("plugin_install", Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::PluginInstall))),
        ("code_change_published", Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::Published))),
        ("turn_preempted", Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::Preempted))),
        (
            "file_attachments_missing",
            Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::AttachmentsMissing)),
        ),
        ("session_writes_lost", Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::WritesLost))),
        ("peer_message_hold", Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::PeerMessage))),
        ("ui_notify", Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::Plugin))),
        ("ui_toast", Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::Plugin))),
        ("ui_log", Event(EventKind::Notice, SystemKind::ProgramNotice(ProgramNotice::Plugin))),
        ("api_error", Event(EventKind::Error, SystemKind::RequestFailed)),
        ("model_refusal_no_fallback", Event(EventKind::Error, SystemKind::Refused)),
        ("model_consent_fallback", Event(EventKind::Notice, SystemKind::ModelChanged)),
        ("task_list_statuses", Event(EventKind::Progress, SystemKind::TodoStatuses)),
        ("agents_killed", Nothing("each sub-agent's own end is told")),
        ("thinking", Nothing("the message's own block has it")),
        ("away_summary", Nothing("it sums up what is shown itself")),
        ("task_summary", Nothing("it sums up what is shown itself")),
        ("control_request_progress", Nothing("it is about what was asked of the program, not the agent")),
        ("permission_check_status", Nothing("the call that waits for it is open")),
        ("elicitation_complete", Nothing("the call that waited for it goes on")),
        ("vcs_state_changed", Nothing("the command that did it is told")),
        ("shell_cwd", Nothing("where a command left its shell is nothing to a person")),
        ("file_snapshot", Nothing("it is kept to go back to")),
        ("session_metadata", Nothing("it is for the server that keeps the session")),
        ("session_title_changed", Nothing("a run's title is what its agent was asked")),
        ("cloud_session_delta", Nothing("it is for the program that shows the session")),
        ("feedback_draft_queued", Nothing("the call that wrote it is told")),
        ("worker_shutting_down", Nothing("the end of the program is told")),
        ("inherited_asks_settled", Nothing("questions close with their calls")),
        ("late_allow_not_run", Nothing("who answers too late is told so")),
        ("turn_handoff_available", Nothing("it is for the program that starts it")),
        ("per_turn_effort_changed", Nothing("it is about how requests are written")),
        ("dev_intent", Nothing("it is a guess at what is made here")),
        ("ui_invalidate", Nothing(UI)),
        ("ui_notify_cancel", Nothing(UI)),
        ("ui_status", Nothing(UI)),
        ("ui_placed", Nothing(UI)),
        ("ui_panes", Nothing(UI)),
        ("ui_scroll", Nothing(UI)),
        ("ui_focus", Nothing(UI)),
    ],
);

pub(super) static BLOCKS: KindTable<BlockKind> = KindTable::new(
    "block",
    &[
        ("text", Event(EventKind::Output, BlockKind::Text)),
        ("tool_use", Event(EventKind::ToolCall, BlockKind::Call)),
        ("tool_result", Event(EventKind::ToolResult, BlockKind::Result)),
        ("thinking", Event(EventKind::Output, BlockKind::Thinking)),
        ("server_tool_use", Event(EventKind::ToolCall, BlockKind::Call)),
        ("mcp_tool_use", Event(EventKind::ToolCall, BlockKind::Call)),
        ("mcp_tool_result", Event(EventKind::ToolResult, BlockKind::Result)),
        ("web_search_tool_result", Event(EventKind::ToolResult, BlockKind::Result)),
        ("web_fetch_tool_result", Event(EventKind::ToolResult, BlockKind::Result)),
        ("code_execution_tool_result", Event(EventKind::ToolResult, BlockKind::Result)),
        ("bash_code_execution_tool_result", Event(EventKind::ToolResult, BlockKind::Result)),
        ("text_editor_code_execution_tool_result", Event(EventKind::ToolResult, BlockKind::Result)),
        ("tool_search_tool_result", Event(EventKind::ToolResult, BlockKind::Result)),
        ("advisor_tool_result", Event(EventKind::ToolResult, BlockKind::Result)),
        ("image", Event(EventKind::UserMessage, BlockKind::Shown)),
        ("document", Event(EventKind::UserMessage, BlockKind::Shown)),
        ("redacted_thinking", Nothing("it is encrypted, for the model alone")),
        ("container_upload", Nothing("a file is made ready for code that the API runs")),
        ("compaction", Nothing("the program's own lines tell of it")),
        ("fallback", Nothing("the program's own lines tell of it")),
    ],
);

/// The known block that an unknown kind is most similar to, so that its content is shown.
pub(super) fn guess(kind: &str) -> Option<BlockKind> {
    let ends = |end| kind.ends_with(end);
    ends("_tool_use").then_some(BlockKind::Call).or_else(|| ends("_tool_result").then_some(BlockKind::Result))
}

/// Whether a line of Claude Code has this type. A block of a broken message must not count as a line.
pub(super) fn is_own(kind: &str) -> bool {
    matches!(LINES.find(kind), Some(Event(_, line) | Preview(line)) if !matches!(line, ClaudeLineKind::Block))
        || kind == "control_response"
}

/// The tables of Claude Code.
pub(crate) fn known() -> Vec<KnownKinds> {
    let mut known = vec![LINES.known(), SYSTEM.known(), BLOCKS.known(), STOPS.known(), content_kinds::known()];
    known.extend(partial_kinds::known());
    known
}

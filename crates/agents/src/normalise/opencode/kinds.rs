//! The kinds of frames and of parts that OpenCode and Kilo stream.

use crate::normalise::kinds::{Handling, KindTable, KnownKinds};
use townwatch_protocol::event::EventKind;

/// The reading of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameKind {
    Session,
    Status,
    Idle,
    Error,
    Message,
    Part,
    Delta,
    Todos,
    Asked,
    Replied,
    Rejected,
    Compacted,
    MessageRemoved,
    PartRemoved,
    Toast,
    SignIn,
    Trouble,
    /// A frame known by name only. A notice shows it, because no other frame has its content.
    Unread,
}

/// The reading of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartKind {
    Text,
    Tool,
    Patch,
    StepStart,
    File,
    Subtask,
    Compaction,
}

/// The reading of a line of `run --format json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunLine {
    /// A part of this type, for lines whose part does not name its type.
    Part(&'static str),
    StepFinish,
    Error,
}

use FrameKind as F;
use Handling::{Event, Nothing};

const SERVER: &str = "the server's own affair, not the agent's";
const ENGINE: EventKind = EventKind::ParserNotice;

/// The values of a frame's `type`.
pub(super) static FRAMES: KindTable<FrameKind> = KindTable::new(
    "frame",
    &[
        // The most frequent ones first: looking is from the start on.
        ("message.part.updated", Event(EventKind::Output, F::Part)),
        ("message.part.delta", Event(EventKind::Output, F::Delta)),
        ("message.updated", Event(EventKind::Usage, F::Message)),
        ("session.status", Event(EventKind::Status, F::Status)),
        ("session.updated", Event(EventKind::Session, F::Session)),
        ("session.diff", Nothing("the changes of files are told one by one, with their calls")),
        ("sync", Nothing("every durable change once more")),
        ("session.created", Event(EventKind::Session, F::Session)),
        ("session.idle", Event(EventKind::Status, F::Idle)),
        ("session.error", Event(EventKind::Error, F::Error)),
        ("session.compacted", Event(EventKind::Notice, F::Compacted)),
        ("session.deleted", Nothing("what it did stays in the log")),
        ("message.removed", Event(EventKind::Notice, F::MessageRemoved)),
        ("message.part.removed", Event(EventKind::Output, F::PartRemoved)),
        ("todo.updated", Event(EventKind::Progress, F::Todos)),
        ("permission.asked", Event(EventKind::Question, F::Asked)),
        ("permission.replied", Event(EventKind::QuestionAnswered, F::Replied)),
        ("question.asked", Event(EventKind::Question, F::Asked)),
        ("question.replied", Event(EventKind::QuestionAnswered, F::Replied)),
        ("question.rejected", Event(EventKind::QuestionAnswered, F::Rejected)),
        ("tui.toast.show", Event(EventKind::Notice, F::Toast)),
        ("mcp.browser.open.failed", Event(EventKind::Notice, F::SignIn)),
        ("workspace.failed", Event(EventKind::Notice, F::Trouble)),
        ("worktree.failed", Event(EventKind::Notice, F::Trouble)),
        ("file.edited", Nothing("the call that edits it tells")),
        ("file.watcher.updated", Nothing("changes that nobody tells are seen in the directory itself")),
        ("command.executed", Nothing("the message that it becomes is told")),
        ("mcp.tools.changed", Nothing("its tools are used by name")),
        ("lsp.updated", Nothing(SERVER)),
        ("lsp.client.diagnostics", Nothing("the result of an edit has them")),
        ("server.connected", Nothing(SERVER)),
        ("server.heartbeat", Nothing(SERVER)),
        ("server.instance.disposed", Nothing(SERVER)),
        ("global.disposed", Nothing(SERVER)),
        ("plugin.added", Nothing(SERVER)),
        ("catalog.updated", Nothing(SERVER)),
        ("reference.updated", Nothing(SERVER)),
        ("integration.updated", Nothing(SERVER)),
        ("integration.connection.updated", Nothing(SERVER)),
        ("models-dev.refreshed", Nothing(SERVER)),
        ("installation.updated", Nothing(SERVER)),
        ("installation.update-available", Nothing(SERVER)),
        ("project.updated", Nothing(SERVER)),
        ("project.directories.updated", Nothing(SERVER)),
        ("vcs.branch.updated", Nothing(SERVER)),
        ("workspace.ready", Nothing(SERVER)),
        ("workspace.status", Nothing(SERVER)),
        ("worktree.ready", Nothing(SERVER)),
        ("pty.created", Nothing("a person's terminal")),
        ("pty.updated", Nothing("a person's terminal")),
        ("pty.exited", Nothing("a person's terminal")),
        ("pty.deleted", Nothing("a person's terminal")),
        ("tui.prompt.append", Nothing("what stands in a person's terminal is not sent yet")),
        ("tui.command.execute", Nothing("a key of a person's terminal")),
        ("tui.session.select", Nothing("a key of a person's terminal")),
        // Kilo's.
        ("indexing.status", Nothing(SERVER)),
        ("session.turn.open", Nothing("the session's status tells it")),
        ("session.turn.close", Nothing("the session's status tells it")),
        ("session.drain.interrupted", Nothing("the session's error tells it")),
        ("session.queue.changed", Nothing("what is queued is told when it is taken up")),
        // Of an engine that these versions name and do not stream from.
        ("permission.v2.asked", Event(ENGINE, F::Unread)),
        ("permission.v2.replied", Event(ENGINE, F::Unread)),
        ("question.v2.asked", Event(ENGINE, F::Unread)),
        ("question.v2.replied", Event(ENGINE, F::Unread)),
        ("question.v2.rejected", Event(ENGINE, F::Unread)),
        ("session.next.agent.switched", Event(ENGINE, F::Unread)),
        ("session.next.compaction.delta", Event(ENGINE, F::Unread)),
        ("session.next.compaction.ended", Event(ENGINE, F::Unread)),
        ("session.next.compaction.started", Event(ENGINE, F::Unread)),
        ("session.next.context.updated", Event(ENGINE, F::Unread)),
        ("session.next.model.switched", Event(ENGINE, F::Unread)),
        ("session.next.moved", Event(ENGINE, F::Unread)),
        ("session.next.prompt.admitted", Event(ENGINE, F::Unread)),
        ("session.next.prompted", Event(ENGINE, F::Unread)),
        ("session.next.reasoning.delta", Event(ENGINE, F::Unread)),
        ("session.next.reasoning.ended", Event(ENGINE, F::Unread)),
        ("session.next.reasoning.started", Event(ENGINE, F::Unread)),
        ("session.next.retried", Event(ENGINE, F::Unread)),
        ("session.next.revert.cleared", Event(ENGINE, F::Unread)),
        ("session.next.revert.committed", Event(ENGINE, F::Unread)),
        ("session.next.revert.staged", Event(ENGINE, F::Unread)),
        ("session.next.shell.ended", Event(ENGINE, F::Unread)),
        ("session.next.shell.started", Event(ENGINE, F::Unread)),
        ("session.next.step.ended", Event(ENGINE, F::Unread)),
        ("session.next.step.failed", Event(ENGINE, F::Unread)),
        ("session.next.step.started", Event(ENGINE, F::Unread)),
        ("session.next.synthetic", Event(ENGINE, F::Unread)),
        ("session.next.text.delta", Event(ENGINE, F::Unread)),
        ("session.next.text.ended", Event(ENGINE, F::Unread)),
        ("session.next.text.started", Event(ENGINE, F::Unread)),
        ("session.next.tool.called", Event(ENGINE, F::Unread)),
        ("session.next.tool.failed", Event(ENGINE, F::Unread)),
        ("session.next.tool.input.delta", Event(ENGINE, F::Unread)),
        ("session.next.tool.input.ended", Event(ENGINE, F::Unread)),
        ("session.next.tool.input.started", Event(ENGINE, F::Unread)),
        ("session.next.tool.progress", Event(ENGINE, F::Unread)),
        ("session.next.tool.success", Event(ENGINE, F::Unread)),
    ],
);

/// The values of a part's `type`.
pub(super) static PARTS: KindTable<PartKind> = KindTable::new(
    "part",
    &[
        ("tool", Event(EventKind::ToolCall, PartKind::Tool)),
        ("text", Event(EventKind::Output, PartKind::Text)),
        ("reasoning", Event(EventKind::Output, PartKind::Text)),
        ("step-start", Event(EventKind::FileChanged, PartKind::StepStart)),
        ("step-finish", Nothing("the message has the same tokens and price")),
        ("patch", Event(EventKind::FileChanged, PartKind::Patch)),
        ("file", Event(EventKind::ToolResult, PartKind::File)),
        ("subtask", Event(EventKind::UserMessage, PartKind::Subtask)),
        ("compaction", Event(EventKind::Notice, PartKind::Compaction)),
        ("snapshot", Nothing("a name for the state of the files")),
        ("agent", Nothing("a name in the message's own text")),
        ("retry", Nothing("the session's status tells of each retry")),
    ],
);

/// The values of `type` in a line of `run --format json`.
pub(super) static RUN_LINES: KindTable<RunLine> = KindTable::new(
    "line of run",
    &[
        ("step_start", Event(EventKind::Status, RunLine::Part("step-start"))),
        ("text", Event(EventKind::Output, RunLine::Part("text"))),
        ("reasoning", Event(EventKind::Output, RunLine::Part("reasoning"))),
        ("tool_use", Event(EventKind::ToolCall, RunLine::Part("tool"))),
        ("step_finish", Event(EventKind::Usage, RunLine::StepFinish)),
        ("error", Event(EventKind::Error, RunLine::Error)),
    ],
);

/// The tables of OpenCode and Kilo.
pub(super) fn known() -> Vec<KnownKinds> {
    vec![FRAMES.known(), PARTS.known(), RUN_LINES.known()]
}

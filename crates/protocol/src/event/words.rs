//! The closed lists of words in events.

use crate::wire_enum::wire_enum;

/// The beginning of a summary for a call that gives work to a sub-agent: `Handing work to a sub-agent: build the api`.
pub const HANDING_WORK: &str = "Handing work to a sub-agent";

wire_enum! {
    /// The status of an agent. `idle` stands only in states, for an agent without any run.
    Status {
        /// No run yet.
        Idle = "idle",
        /// A run was asked for; the process is not up yet.
        Starting = "starting",
        /// At work.
        Running = "running",
        /// The turn is over, or it waits for a person.
        Waiting = "waiting",
        /// A stop was ordered.
        Stopping = "stopping",
        /// The run ended as it should.
        Exited = "exited",
        /// The run ended badly.
        Failed = "failed",
    }
    /// The reason of a run's end.
    ExitReason {
        /// By itself, successfully.
        Completed = "completed",
        /// By itself or at its start, unsuccessfully.
        Failed = "failed",
        /// A person stopped it.
        Stopped = "stopped",
        /// The time limit was reached.
        Timeout = "timeout",
        /// A budget was used up: its own, its agent's or its town's.
        BudgetExceeded = "budget_exceeded",
        /// The container disappeared with the run.
        Lost = "lost",
    }
    /// The source of a text.
    OutputStream {
        /// Words of the agent.
        Assistant = "assistant",
        /// Thoughts of the agent.
        Thinking = "thinking",
        /// Standard output of a plain process.
        Stdout = "stdout",
        /// Standard error of a plain process.
        Stderr = "stderr",
    }
    /// The purpose of a tool, in words that all agents share. The agent's own name of the tool stands beside it.
    ToolCategory {
        /// Reads a file.
        Read = "Read",
        /// Writes a whole file.
        Write = "Write",
        /// Changes a part of a file.
        Edit = "Edit",
        /// Runs a command.
        Bash = "Bash",
        /// Searches in files.
        Grep = "Grep",
        /// Searches for files.
        Glob = "Glob",
        /// Fetches a page.
        WebFetch = "WebFetch",
        /// Searches the web.
        WebSearch = "WebSearch",
        /// Hands work to another agent.
        Task = "Task",
        /// Keeps the to-do list.
        Todo = "Todo",
        /// A tool of an MCP server.
        Mcp = "Mcp",
        /// Anything else.
        Other = "Other",
    }
    /// The subject of a question.
    QuestionKind {
        /// The agent asks whether it may do something.
        Permission = "permission",
        /// A decision or words of a person are needed.
        Input = "input",
    }
    /// The kind of a message to an agent.
    MessageSource {
        /// The prompt of a run.
        Prompt = "prompt",
        /// A message to a running agent.
        Message = "message",
        /// The command line of a process.
        Command = "command",
    }
    /// The form of a permission's subject.
    SubjectKind {
        /// A shell command.
        Command = "command",
        /// A plan, in Markdown.
        Plan = "plan",
        /// A difference, in the unified format.
        Difference = "difference",
        /// Anything else, as plain text or JSON.
        Text = "text",
    }
    /// The kinds of attachments of a result.
    AttachmentKind {
        /// A picture.
        Image = "image",
        /// A sound.
        Audio = "audio",
        /// A file.
        Document = "document",
        /// The address of something.
        Link = "link",
    }
    /// The subject of a notice of an agent's program.
    AgentNoticeKind {
        /// The conversation is being shortened to a summary, to make room.
        CompactionStarted = "compaction_started",
        /// The compaction is over.
        CompactionEnded = "compaction_ended",
        /// A server of tools did not start.
        ToolServer = "tool_server",
        /// A limit of the model's API is near, or over again.
        RateLimit = "rate_limit",
        /// A hook did not let something happen.
        HookBlocked = "hook_blocked",
        /// Another model took over.
        ModelChanged = "model_changed",
        /// A budget is nearly used up, or cannot hold the run.
        Budget = "budget",
        /// Anything else that a person should know.
        Other = "other",
    }
    /// The importance of a notice.
    NoticeLevel {
        /// Good to know.
        Info = "info",
        /// Something does not work as it should.
        Warning = "warning",
    }
    /// The worker of a task in the background.
    TaskKind {
        /// A shell command.
        Command = "command",
        /// A sub-agent.
        Agent = "agent",
        /// Anything else.
        Other = "other",
    }
    /// The end of work in the background.
    TaskOutcome {
        /// As it should.
        Completed = "completed",
        /// Badly.
        Failed = "failed",
        /// The work was stopped.
        Stopped = "stopped",
    }
    /// A person's answer.
    Answer {
        /// Yes, this time.
        Once = "once",
        /// Yes, from now on.
        Always = "always",
        /// No.
        Reject = "reject",
    }
    /// The change of a file.
    FileAction {
        /// The file is new.
        Created = "created",
        /// The file existed and has changed.
        Modified = "modified",
        /// The file is gone.
        Deleted = "deleted",
        /// The file has another path.
        Renamed = "renamed",
    }
    /// The reason for which a line could not be read, or shown, unchanged.
    NoticeKind {
        /// The line breaks the agent's format.
        Malformed = "malformed",
        /// The line is well-formed, but of a kind that this version does not know.
        Unknown = "unknown",
        /// The line is longer than the bound; its rest was skipped.
        Oversized = "oversized",
        /// The line has secrets. `sample` names their kind, and `count` is their number.
        Redacted = "redacted",
    }
    /// The status of a to-do.
    TodoStatus {
        /// Not begun.
        Pending = "pending",
        /// Being done.
        InProgress = "in_progress",
        /// Done.
        Completed = "completed",
    }
    /// The signal by which a run is asked to end.
    StopSignal {
        /// Gently, then by SIGKILL after 5 s.
        Term = "SIGTERM",
        /// At once.
        Kill = "SIGKILL",
    }
    /// The part that an agent plays in its town.
    Role {
        /// Talks with people and hands out work.
        Mayor = "mayor",
        /// Does the work.
        Polecat = "polecat",
        /// Merges it.
        Refinery = "refinery",
        /// Watches over the others.
        Witness = "witness",
    }
}

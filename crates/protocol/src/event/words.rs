//! The closed lists of words in events.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(feature = "schema")]
use ts_rs::TS;

/// The beginning of a summary for a call that gives work to a sub-agent: `Handing work to a sub-agent: build the api`.
pub const HANDING_WORK: &str = "Handing work to a sub-agent";

macro_rules! wire_enum {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
        #[cfg_attr(feature = "schema", derive(TS, JsonSchema))]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }
        impl $name {
            /// The word on the wire.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $text,)* } }
            /// The value of a word of the wire.
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some(Self::$variant),)* _ => None } }
        }
        // Not derived: a derived one calls a number in its place malformed JSON.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let words = [$($text),*].join(", ");
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not one of {words}")))
            }
        }
    )*};
}

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
        /// It was asked to stop.
        Stopping = "stopping",
        /// The run ended as it should.
        Exited = "exited",
        /// The run ended badly.
        Failed = "failed",
    }
    /// Why a run ended.
    ExitReason {
        /// By itself, successfully.
        Completed = "completed",
        /// By itself or at its start, unsuccessfully.
        Failed = "failed",
        /// A person stopped it.
        Stopped = "stopped",
        /// It took longer than it was given.
        Timeout = "timeout",
        /// A budget was used up: its own, its agent's or its town's.
        BudgetExceeded = "budget_exceeded",
        /// Its container went away with it.
        Lost = "lost",
    }
    /// Where a text came from.
    OutputStream {
        /// What the agent says.
        Assistant = "assistant",
        /// What it thinks.
        Thinking = "thinking",
        /// What a plain process prints.
        Stdout = "stdout",
        /// What it prints as errors.
        Stderr = "stderr",
    }
    /// What a tool is for, the same for all agents; the agent's own name of it stays beside it.
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
    /// What a question is about.
    QuestionKind {
        /// May the agent do this?
        Permission = "permission",
        /// What does the person want?
        Input = "input",
    }
    /// What a person's words were said as.
    MessageSource {
        /// What a run began with.
        Prompt = "prompt",
        /// Said to an agent that runs.
        Message = "message",
        /// The command line of a process.
        Command = "command",
    }
    /// How to show what a permission is about.
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
    /// What a result has beside text.
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
    /// What a program tells of itself.
    AgentNoticeKind {
        /// The conversation is being summed up, to make room.
        CompactionStarted = "compaction_started",
        /// That is done.
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
    /// How much a notice matters.
    NoticeLevel {
        /// Good to know.
        Info = "info",
        /// Something does not work as it should.
        Warning = "warning",
    }
    /// What does work in the background.
    TaskKind {
        /// A shell command.
        Command = "command",
        /// A sub-agent.
        Agent = "agent",
        /// Anything else.
        Other = "other",
    }
    /// How work in the background ended.
    TaskOutcome {
        /// As it should.
        Completed = "completed",
        /// Badly.
        Failed = "failed",
        /// It was stopped.
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
    /// What happened to a file.
    FileAction {
        /// It is new.
        Created = "created",
        /// It was there and is different.
        Modified = "modified",
        /// It is gone.
        Deleted = "deleted",
        /// It has another path.
        Renamed = "renamed",
    }
    /// Why a line could not be read, or shown, as it was.
    NoticeKind {
        /// Not what the agent's format allows.
        Malformed = "malformed",
        /// Well-formed, of a kind that this version does not know.
        Unknown = "unknown",
        /// Longer than the bound; its rest was skipped.
        Oversized = "oversized",
        /// With secrets in it; `sample` names their kind, and `count` is how many there were.
        Redacted = "redacted",
    }
    /// Where a to-do stands.
    TodoStatus {
        /// Not begun.
        Pending = "pending",
        /// Being done.
        InProgress = "in_progress",
        /// Done.
        Completed = "completed",
    }
    /// How a run is asked to end.
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
    /// The programs that the control server can run.
    Runtime {
        /// Claude Code.
        ClaudeCode = "claude_code",
        /// Codex.
        Codex = "codex",
        /// Gemini CLI.
        Gemini = "gemini",
        /// OpenCode.
        Opencode = "opencode",
        /// Kilo.
        Kilo = "kilo",
        /// Any command; its lines are output.
        Process = "process",
        /// A bundled recording of a real agent, printed by a child process.
        Replay = "replay",
    }
}

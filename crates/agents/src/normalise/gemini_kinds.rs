//! The kinds of lines that Gemini CLI prints, and what its tools do.

use townwatch_protocol::event::{EventKind, ToolCategory};

use super::kinds::{Handling, KindTable, KnownKinds};

/// The reading of a line.
#[derive(Debug, Clone, Copy)]
pub(super) enum GeminiLineKind {
    Init,
    Message,
    Call,
    Result,
    Error,
    End,
}

/// The values of a line's `type`.
pub(super) static LINES: KindTable<GeminiLineKind> = KindTable::new(
    "line",
    &[
        ("init", Handling::Event(EventKind::Session, GeminiLineKind::Init)),
        ("message", Handling::Event(EventKind::Output, GeminiLineKind::Message)),
        ("tool_use", Handling::Event(EventKind::ToolCall, GeminiLineKind::Call)),
        ("tool_result", Handling::Event(EventKind::ToolResult, GeminiLineKind::Result)),
        ("error", Handling::Event(EventKind::Error, GeminiLineKind::Error)),
        ("result", Handling::Event(EventKind::Usage, GeminiLineKind::End)),
    ],
);

/// The author of a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum MessageRole {
    Agent,
    Person,
}

/// The values of a message's `role`.
pub(super) static ROLES: KindTable<MessageRole> = KindTable::new(
    "role of a message",
    &[
        ("assistant", Handling::Event(EventKind::Output, MessageRole::Agent)),
        ("user", Handling::Event(EventKind::UserMessage, MessageRole::Person)),
    ],
);

/// The tables of Gemini CLI.
pub(super) fn known() -> Vec<KnownKinds> {
    vec![LINES.known(), ROLES.known()]
}

/// The category of a tool.
pub(super) fn category(tool: &str) -> ToolCategory {
    match tool {
        "read_file" | "read_many_files" | "list_directory" => ToolCategory::Read,
        "write_file" => ToolCategory::Write,
        "replace" => ToolCategory::Edit,
        "run_shell_command" => ToolCategory::Bash,
        "grep_search" | "search_file_content" => ToolCategory::Grep,
        "glob" => ToolCategory::Glob,
        "web_fetch" => ToolCategory::WebFetch,
        "google_web_search" => ToolCategory::WebSearch,
        "invoke_agent" | "delegate_to_agent" => ToolCategory::Task,
        "write_todos" => ToolCategory::Todo,
        _ if tool.starts_with("mcp_") => ToolCategory::Mcp,
        _ => ToolCategory::Other,
    }
}

//! Tool calls with what they gave, files that changed, and work in the background.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
#[cfg(feature = "schema")]
use ts_rs::TS;

use crate::event::{AttachmentKind, FileAction, TaskKind, TaskOutcome, ToolCategory};

data! {
    /// Data of `agent_tool_call`.
    AgentToolCall {
        /// The id of the call, which its result repeats.
        tool_use_id: String,
        /// The agent's own name of the tool.
        tool: String,
        /// The purpose of the tool.
        category: ToolCategory,
        /// The input as the agent wrote it, raw.
        #[cfg_attr(feature = "schema", ts(type = "unknown"))]
        input: Box<RawValue>,
        /// The file that it is about, relative to the working directory where it lies in it.
        path: Option<String>,
        /// One plain line: "Reading src/config.ts".
        summary: String,
        /// The call whose sub-agent makes this call.
        parent_tool_use_id: Option<String>,
    }
    /// Data of `agent_tool_result`.
    AgentToolResult {
        /// The call that it answers.
        tool_use_id: String,
        /// Whether the tool did what it was asked.
        success: bool,
        /// The text of the result: the texts of all its parts.
        content: String,
        /// The content's length in bytes, before anything was cut.
        content_length: u64,
        /// The time from the call to the result; 0 if the call was not seen.
        duration_ms: u64,
        /// The exit code of a command, where the agent reports it.
        exit_code: Option<i32>,
        /// The parts of the result that are not text: pictures, documents, links.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] #[cfg_attr(feature = "schema", ts(optional, as = "Option<Vec<Attachment>>"))]
        attachments: Vec<Attachment>,
    }
    /// One thing of a result that is no text.
    Attachment {
        /// The kind.
        kind: AttachmentKind,
        /// The media type: `image/png` for example.
        media_type: Option<String>,
        /// The name of it, for a person.
        name: Option<String>,
        /// The address of it, in the agent's words.
        uri: Option<String>,
        /// The size of it, decoded, in bytes.
        size_bytes: Option<u64>,
        /// The id of a picture that the town keeps: `GET …/agents/:agent/images/:image_id`. Absent where it is not
        /// kept.
        image_id: Option<String>,
        /// The reason why it is not kept, for a person.
        problem: Option<String>,
    }
    /// Data of `file_changed`.
    FileChanged {
        /// Relative to the working directory.
        path: String,
        /// The change of the file.
        action: FileAction,
        /// The path before a rename.
        from: Option<String>,
        /// The size of the file now.
        size_bytes: Option<u64>,
        /// Lines that are new.
        lines_added: Option<u64>,
        /// Lines that are gone.
        lines_removed: Option<u64>,
        /// The call that changed it.
        tool_use_id: Option<String>,
    }
    /// Data of `agent_task_started`: the agent left work running in the background.
    AgentTaskStarted {
        /// The id of the work.
        task_id: String,
        /// The kind of worker.
        kind: TaskKind,
        /// The description of the work.
        description: String,
        /// The call that began it.
        tool_use_id: Option<String>,
        /// The call whose sub-agent began it.
        parent_tool_use_id: Option<String>,
    }
    /// Data of `agent_task_ended`.
    AgentTaskEnded {
        /// The work.
        task_id: String,
        /// The end of the run.
        outcome: TaskOutcome,
        /// In the program's words.
        summary: Option<String>,
        /// The exit code of the command, where it is known.
        exit_code: Option<i32>,
        /// The call that began it.
        tool_use_id: Option<String>,
    }
}

impl AgentToolResult {
    /// A result that is text only.
    pub fn new(tool_use_id: String, success: bool, content: String, duration_ms: u64) -> Self {
        let content_length = content.len() as u64;
        Self { tool_use_id, success, content, content_length, duration_ms, exit_code: None, attachments: Vec::new() }
    }
}

//! The parts of messages: texts, thoughts, tool calls. Each is sent again and again, whole, as it grows; what it means
//! is told once.

use std::collections::HashSet;

use townwatch::event::{
    AgentOutput, AgentToolCall, AgentToolResult, EventData, FileAction, FileChanged, OutputStream, ToolCategory,
};
use townwatch::time::Timestamp;

use super::wire::{DeltaFrame, Part, ToolState, category};
use crate::json::read;
use crate::normalise::Piece;
use crate::normalise::partials::is_name;
use crate::normalise::progress::Progress;
use crate::normalise::recent::Recent;
use crate::summary::{self, ToolInput};

/// An agent and its sub-agents type at once; real ones run a few of them.
const TYPED_MAX: usize = 64;
/// Files that are told apart within one step of the model.
const STEP_FILES_MAX: usize = 4_096;

/// What was told of the parts so far.
#[derive(Debug, Default, Clone)]
pub(super) struct Parts {
    /// Texts, patches and beginnings of steps that were told.
    told: Recent<()>,
    calls: Recent<Call>,
    call_ids: Recent<()>,
    /// Texts that are being typed.
    typed: HashSet<String>,
    /// Files of which the present step of the main session has told a change.
    step_files: HashSet<String>,
}

#[derive(Debug, Clone)]
struct Call {
    tool_use_id: String,
    told: bool,
    ended: bool,
}

/// What parts are told with.
pub(super) struct Telling<'a> {
    pub(super) at: Timestamp,
    pub(super) working_dir: Option<&'a str>,
    /// The call whose sub-agent it is.
    pub(super) parent: Option<String>,
    pub(super) progress: &'a mut Progress,
    pub(super) events: &'a mut Vec<EventData>,
}

/// A call that a sub-agent's session works for.
pub(super) struct HandedOver {
    pub(super) session_id: String,
    pub(super) tool_use_id: String,
}

impl Parts {
    /// A text or thought. It is whole once it says when it ended; until then, only its beginning is of interest.
    pub(super) fn text(&mut self, part: Part, telling: &mut Telling<'_>) -> Option<Piece> {
        let (id, text) = (part.id.unwrap_or_default(), part.text.unwrap_or_default());
        let (time, thinking) = (part.time.unwrap_or_default(), part.kind.as_deref() == Some("reasoning"));
        let message_id = part.message_id.filter(|id| !id.is_empty());
        if time.end.is_none() {
            let begins = time.start.is_some() && !thinking && self.told.get(&id).is_none();
            let message_id = message_id.filter(|message_id| begins && is_name(message_id) && is_name(&id))?;
            if self.typed.len() >= TYPED_MAX {
                self.typed.clear(); // those that were cut off never end; the others are shown when they are whole
            }
            self.typed.insert(id);
            return Some(Piece { message_id, begins: true, text });
        }
        self.typed.remove(&id);
        if self.told.insert(&id, ()) && !text.is_empty() {
            let stream = if thinking { OutputStream::Thinking } else { OutputStream::Assistant };
            let parent_tool_use_id = telling.parent.clone();
            telling.events.push(AgentOutput { text, stream, message_id, parent_tool_use_id }.into());
        }
        None
    }

    /// What was added to a text.
    pub(super) fn delta(&self, delta: DeltaFrame) -> Option<Piece> {
        let typed = delta.field.as_deref() == Some("text") && self.typed.contains(delta.part_id.as_deref()?);
        let message_id = delta.message_id.filter(|message_id| typed && is_name(message_id))?;
        Some(Piece { message_id, begins: false, text: delta.delta.unwrap_or_default() })
    }

    /// Something was missed: what is being typed cannot be gone on with.
    pub(super) fn stop_typing(&mut self) {
        self.typed.clear();
    }

    /// A tool call. It is told once it runs, for only then its input is there, and its result once it has ended.
    /// `Err` is a state that this version does not know.
    pub(super) fn tool(&mut self, part: Part, telling: &mut Telling<'_>) -> Result<Option<HandedOver>, ()> {
        let (id, state) = (part.id.unwrap_or_default(), part.state.unwrap_or_default());
        let ends = match state.status.as_deref() {
            Some("pending") => return Ok(None),
            Some("running") => false,
            Some("completed" | "error") => true,
            _ => return Err(()),
        };
        if self.calls.get(&id).is_none() {
            // Some models count their calls anew in each message; the part's own id is always unique.
            let call_id = part.call_id.filter(|call_id| !call_id.is_empty() && self.call_ids.insert(call_id, ()));
            let tool_use_id = call_id.unwrap_or_else(|| id.clone());
            self.calls.insert(&id, Call { tool_use_id, told: false, ended: false });
        }
        let Some(known) = self.calls.get_mut(&id).filter(|known| !known.ended) else { return Ok(None) };
        let first = !std::mem::replace(&mut known.told, true);
        known.ended = ends;
        let tool_use_id = known.tool_use_id.clone();
        let tool = part.tool.unwrap_or_default();
        if first {
            call(&tool_use_id, &tool, &state, telling);
        }
        let session_id = state.metadata.as_ref().and_then(|metadata| metadata.session_id.clone());
        let handed_over = session_id.filter(|_| category(&tool) == ToolCategory::Task);
        let handed_over = handed_over.map(|session_id| HandedOver { session_id, tool_use_id: tool_use_id.clone() });
        if ends {
            self.result(tool_use_id, &tool, state, telling);
        }
        Ok(handed_over)
    }

    fn result(&mut self, tool_use_id: String, tool: &str, state: ToolState, telling: &mut Telling<'_>) {
        let completed = state.status.as_deref() == Some("completed");
        let (metadata, time) = (state.metadata.unwrap_or_default(), state.time.unwrap_or_default());
        let content = if completed { state.output } else { state.error }.unwrap_or_default();
        let success = completed && metadata.exit.unwrap_or(0) == 0;
        let duration_ms = match (time.start, time.end) {
            (Some(start), Some(end)) => u64::try_from(end.saturating_sub(start)).unwrap_or(0),
            _ => 0,
        };
        let content_length = content.len() as u64;
        let result =
            AgentToolResult { tool_use_id: tool_use_id.clone(), success, content, content_length, duration_ms };
        telling.events.push(result.into());
        let changed = match category(tool) {
            ToolCategory::Write => metadata.filepath.map(|path| {
                let action = if metadata.exists == Some(false) { FileAction::Created } else { FileAction::Modified };
                (path, action, None, None)
            }),
            ToolCategory::Edit => metadata
                .filediff
                .and_then(|diff| Some((diff.file?, FileAction::Modified, diff.additions, diff.deletions))),
            _ => None,
        };
        if let Some((path, action, lines_added, lines_removed)) = changed.filter(|_| success) {
            let path = summary::relative(&path, telling.working_dir);
            self.remember_file(&path);
            let (from, size_bytes, tool_use_id) = (None, None, Some(tool_use_id));
            telling
                .events
                .push(FileChanged { path, action, from, size_bytes, lines_added, lines_removed, tool_use_id }.into());
        }
    }

    /// What a step changed in the repository, by whatever means. What its tools told already is not told again.
    pub(super) fn patch(&mut self, part: Part, telling: &mut Telling<'_>) {
        if !self.told.insert(part.id.as_deref().unwrap_or_default(), ()) {
            return;
        }
        for path in part.files.unwrap_or_default() {
            let path = summary::relative(&path, telling.working_dir);
            if self.remember_file(&path) {
                let (action, tool_use_id) = (FileAction::Modified, None);
                let (from, size_bytes, lines_added, lines_removed) = (None, None, None, None);
                telling.events.push(
                    FileChanged { path, action, from, size_bytes, lines_added, lines_removed, tool_use_id }.into(),
                );
            }
        }
    }

    /// The main session's model begins its next step.
    pub(super) fn begin_step(&mut self, part: &Part) {
        if self.told.insert(part.id.as_deref().unwrap_or_default(), ()) {
            self.step_files.clear();
        }
    }

    fn remember_file(&mut self, path: &str) -> bool {
        if self.step_files.len() >= STEP_FILES_MAX {
            self.step_files.clear();
        }
        self.step_files.insert(path.to_owned())
    }
}

fn call(tool_use_id: &str, tool: &str, state: &ToolState, telling: &mut Telling<'_>) {
    let raw_input = state.input.clone().unwrap_or_default();
    let input: ToolInput = read(raw_input.get()).unwrap_or_default();
    let category = category(tool);
    let path = input.file_path.as_deref().map(|path| summary::relative(path, telling.working_dir));
    let summary = summary::of_call(tool, category, &input, path.as_deref());
    let progress = telling.progress.call(&summary, telling.at);
    telling.events.push(
        AgentToolCall {
            tool_use_id: tool_use_id.to_owned(),
            tool: tool.to_owned(),
            category,
            input: raw_input,
            path,
            summary,
            parent_tool_use_id: telling.parent.clone(),
        }
        .into(),
    );
    telling.events.extend(progress.map(EventData::from));
}

//! The parts of messages: texts, thoughts, tool calls. Each is sent whole again and again while it grows, and is
//! reported once.

use std::collections::{BTreeMap, HashSet};

use serde_json::value::to_raw_value;
use townwatch_protocol::event::{
    AgentOutput, AgentToolCall, AgentToolResult, Attachment, EventData, FileAction, FileChanged, OutputStream,
    ToolCategory,
};
use townwatch_protocol::time::Timestamp;

use super::files;
use super::questions::CallName;
use super::wire::{AskedTool, DeltaFrame, GivenFile, Part, ToolState, category};
use crate::json::read;
use crate::normalise::Piece;
use crate::normalise::partials::is_name;
use crate::normalise::pictures::Picture;
use crate::normalise::progress::Progress;
use crate::normalise::recent::Recent;
use crate::summary::{self, ToolInput};

/// Texts that are typed at once, by an agent and its sub-agents; real runs have a few.
const TYPED_MAX: usize = 64;
/// The bytes that are kept of a text that is being typed, in case it is broken off.
const TYPED_BYTES_MAX: usize = 256 << 10;
/// Attachments of one result; real ones have a few.
const ATTACHMENTS_MAX: usize = 64;
/// Files that are counted separately within one step of the model.
const STEP_FILES_MAX: usize = 4_096;

/// The state of the parts so far.
#[derive(Debug, Default, Clone)]
pub(super) struct Parts {
    /// The texts, patches and step beginnings that were reported.
    told: Recent<()>,
    calls: Recent<CallProgress>,
    call_ids: Recent<()>,
    /// The calls whose id an earlier call had, by message and call, with the name that each is reported under.
    renamed: Recent<String>,
    /// The texts and thoughts that are being written, by part.
    typed: BTreeMap<String, TextProgress>,
    /// The files whose change was reported in the present step of the main session.
    step_files: HashSet<String>,
}

#[derive(Debug, Clone)]
struct CallProgress {
    tool_use_id: String,
    told: bool,
    /// The end of the call, once it has one: whether it completed.
    ended: Option<bool>,
}

/// A text so far.
#[derive(Debug, Clone)]
struct TextProgress {
    output: AgentOutput,
    /// Whether the kept text is complete so far, so that additions can continue it.
    goes_on: bool,
}

/// The context in which parts are reported.
pub(super) struct PartContext<'a> {
    pub(super) at: Timestamp,
    pub(super) working_dir: Option<&'a str>,
    /// The call whose sub-agent sends the part.
    pub(super) parent: Option<String>,
    pub(super) progress: &'a mut Progress,
    pub(super) events: &'a mut Vec<EventData>,
    pub(super) pictures: &'a mut Vec<Picture>,
}

/// A call that gives work to a sub-agent's session.
pub(super) struct Delegation {
    pub(super) session_id: String,
    pub(super) tool_use_id: String,
}

impl Parts {
    /// Whether nothing was reported of this part before. It counts as reported from now on.
    pub(super) fn is_new(&mut self, part_id: &str) -> bool {
        self.told.insert(part_id, ())
    }

    /// Reads a text or thought. It is complete once it has an end time. Until then it is kept, in case the end never
    /// comes.
    pub(super) fn text(&mut self, part: Part, part_context: &mut PartContext<'_>) -> Option<Piece> {
        let (id, text) = (part.id.unwrap_or_default(), part.text.unwrap_or_default());
        let (time, thinking) = (part.time.unwrap_or_default(), part.kind.as_deref() == Some("reasoning"));
        let message_id = part.message_id.filter(|id| !id.is_empty());
        let stream = if thinking { OutputStream::Thinking } else { OutputStream::Assistant };
        let parent_tool_use_id = part_context.parent.clone();
        if time.end.is_none() {
            if time.start.is_none() || self.told.get(&id).is_some() || !is_name(&id) {
                return None;
            }
            if self.typed.len() >= TYPED_MAX {
                self.typed.clear(); // those that were cut off never end; the others are shown when they are whole
            }
            let begun = text[..text.floor_char_boundary(TYPED_BYTES_MAX)].to_owned();
            let output =
                AgentOutput { message_id: message_id.clone(), parent_tool_use_id, ..AgentOutput::new(stream, begun) };
            self.typed.insert(id, TextProgress { output, goes_on: true });
            let message_id = message_id.filter(|message_id| !thinking && is_name(message_id))?;
            return Some(Piece { message_id, begins: true, text });
        }
        self.typed.remove(&id);
        if self.told.insert(&id, ()) && !text.is_empty() {
            let output = AgentOutput { message_id, parent_tool_use_id, ..AgentOutput::new(stream, text) };
            part_context.events.push(output.into());
        }
        None
    }

    /// Reads an addition to a text.
    pub(super) fn delta(&mut self, delta: DeltaFrame) -> Option<Piece> {
        if delta.field.as_deref() != Some("text") {
            return None;
        }
        let typed = self.typed.get_mut(delta.part_id.as_deref()?).filter(|typed| typed.goes_on)?;
        let (added, text) = (delta.delta.unwrap_or_default(), &mut typed.output.text);
        text.push_str(&added[..added.floor_char_boundary(TYPED_BYTES_MAX.saturating_sub(text.len()))]);
        let is_shown = typed.output.stream == OutputStream::Assistant;
        let message_id = delta.message_id.filter(|message_id| is_shown && is_name(message_id))?;
        Some(Piece { message_id, begins: false, text: added })
    }

    /// Notes that frames were missed, so that typed texts cannot be continued.
    pub(super) fn stop_typing(&mut self) {
        self.typed.values_mut().for_each(|typed| typed.goes_on = false);
    }

    /// The events of texts that were being written and will have no end.
    pub(super) fn broken_off(&mut self) -> Vec<EventData> {
        let typed = std::mem::take(&mut self.typed);
        typed.into_iter().filter_map(|(id, typed)| self.broken(&id, typed)).collect()
    }

    /// Notes a part that was taken out of its message. If it was being written, the event of the broken text.
    pub(super) fn removed(&mut self, part_id: &str) -> Option<EventData> {
        let typed = self.typed.remove(part_id)?;
        self.broken(part_id, typed)
    }

    fn broken(&mut self, part_id: &str, typed: TextProgress) -> Option<EventData> {
        self.told.insert(part_id, ());
        let TextProgress { output, .. } = typed;
        (!output.text.is_empty()).then(|| AgentOutput { broken_off: true, ..output }.into())
    }

    /// The name of the call that waits for an answer.
    pub(super) fn tool_use_id(&self, call: &AskedTool) -> Option<String> {
        let name = CallName::join(call.message_id.as_deref(), call.call_id.as_deref());
        name.and_then(|name| self.renamed.get(&name).cloned()).or_else(|| call.call_id.clone())
    }

    /// Reads a tool call. The call is reported when it runs, because its input is complete only then, and its result
    /// when it has ended. `Err` is a state that this version does not know.
    pub(super) fn tool(&mut self, part: Part, part_context: &mut PartContext<'_>) -> Result<Option<Delegation>, ()> {
        let (id, state) = (part.id.unwrap_or_default(), part.state.unwrap_or_default());
        let ends = match state.status.as_deref() {
            Some("pending") => return Ok(None),
            Some("running") => None,
            Some("completed") => Some(true),
            Some("error") => Some(false),
            _ => return Err(()),
        };
        if self.calls.get(&id).is_none() {
            // Some models count their calls anew in each message; the part's own id is always unique.
            let name = CallName::join(part.message_id.as_deref(), part.call_id.as_deref());
            let call_id = part.call_id.filter(|call_id| !call_id.is_empty() && self.call_ids.insert(call_id, ()));
            if let (None, Some(name)) = (&call_id, name) {
                self.renamed.insert(&name, id.clone());
            }
            let tool_use_id = call_id.unwrap_or_else(|| id.clone());
            self.calls.insert(&id, CallProgress { tool_use_id, told: false, ended: None });
        }
        // The same end again is a repeat, and its output may be pruned by then; another one corrects it.
        let news = |known: &&mut CallProgress| known.ended.is_none_or(|ended| ends.is_some_and(|ends| ends != ended));
        let Some(known) = self.calls.get_mut(&id).filter(news) else { return Ok(None) };
        let first = !std::mem::replace(&mut known.told, true);
        known.ended = ends;
        let tool_use_id = known.tool_use_id.clone();
        let tool = part.tool.unwrap_or_default();
        if first {
            call(&tool_use_id, &tool, &state, part_context);
        }
        let session_id = state.metadata.as_ref().and_then(|metadata| metadata.session_id.clone());
        let handed_over = session_id.filter(|_| category(&tool) == ToolCategory::Task);
        let handed_over = handed_over.map(|session_id| Delegation { session_id, tool_use_id: tool_use_id.clone() });
        if ends.is_some() {
            self.result(tool_use_id, &tool, state, part_context);
        }
        Ok(handed_over)
    }

    fn result(&mut self, tool_use_id: String, tool: &str, state: ToolState, part_context: &mut PartContext<'_>) {
        let completed = state.status.as_deref() == Some("completed");
        let (metadata, time) = (state.metadata.unwrap_or_default(), state.time.unwrap_or_default());
        let content = if completed { state.output } else { state.error }.unwrap_or_default();
        let success = completed && metadata.exit.unwrap_or(0) == 0;
        let duration_ms = match (time.start, time.end) {
            (Some(start), Some(end)) => u64::try_from(end.saturating_sub(start)).unwrap_or(0),
            _ => 0,
        };
        let attachments = given(state.attachments.unwrap_or_default(), part_context);
        let exit_code = metadata.exit.and_then(|exit| i32::try_from(exit).ok());
        let result = AgentToolResult::new(tool_use_id.clone(), success, content, duration_ms);
        part_context.events.push(AgentToolResult { exit_code, attachments, ..result }.into());
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
            let path = summary::relative(&path, part_context.working_dir);
            self.remember_file(&path);
            let (from, size_bytes, tool_use_id) = (None, None, Some(tool_use_id));
            part_context
                .events
                .push(FileChanged { path, action, from, size_bytes, lines_added, lines_removed, tool_use_id }.into());
        }
    }

    /// Reports a file of the model as a call with a result, because only a result can have attachments.
    pub(super) fn file(&mut self, part: Part, part_context: &mut PartContext<'_>) {
        let id = part.id.unwrap_or_default();
        if !self.told.insert(&id, ()) {
            return;
        }
        let what = part.filename.as_deref().or(part.mime.as_deref()).unwrap_or("a file");
        let summary = summary::line(&format!("Giving {what}"));
        let input =
            to_raw_value(&BTreeMap::from([("filename", &part.filename), ("mime", &part.mime)])).unwrap_or_default();
        part_context.events.push(
            AgentToolCall {
                tool_use_id: id.clone(),
                tool: "file".to_owned(),
                category: ToolCategory::Other,
                input,
                path: None,
                summary,
                parent_tool_use_id: part_context.parent.clone(),
            }
            .into(),
        );
        let file = GivenFile { mime: part.mime, filename: part.filename, url: part.url };
        let attachments = given(vec![file], part_context);
        let result = AgentToolResult::new(id, true, String::new(), 0);
        part_context.events.push(AgentToolResult { attachments, ..result }.into());
    }

    /// Reports the changes of a step in the repository, without those that its tools have reported.
    pub(super) fn patch(&mut self, part: Part, part_context: &mut PartContext<'_>) {
        if !self.told.insert(part.id.as_deref().unwrap_or_default(), ()) {
            return;
        }
        for path in part.files.unwrap_or_default() {
            let path = summary::relative(&path, part_context.working_dir);
            if self.remember_file(&path) {
                let (action, tool_use_id) = (FileAction::Modified, None);
                let (from, size_bytes, lines_added, lines_removed) = (None, None, None, None);
                part_context.events.push(
                    FileChanged { path, action, from, size_bytes, lines_added, lines_removed, tool_use_id }.into(),
                );
            }
        }
    }

    /// Notes that the main session's model begins its next step.
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

/// The attachments of files. Pictures among them are passed on.
fn given(files: Vec<GivenFile>, part_context: &mut PartContext<'_>) -> Vec<Attachment> {
    let read = files.into_iter().take(ATTACHMENTS_MAX).map(files::attachment);
    read.map(|(attachment, picture)| {
        part_context.pictures.extend(picture);
        attachment
    })
    .collect()
}

fn call(tool_use_id: &str, tool: &str, state: &ToolState, part_context: &mut PartContext<'_>) {
    let raw_input = state.input.clone().unwrap_or_default();
    let input: ToolInput = read(raw_input.get()).unwrap_or_default();
    let category = category(tool);
    let path = input.file_path.as_deref().map(|path| summary::relative(path, part_context.working_dir));
    let summary = summary::of_call(tool, category, &input, path.as_deref());
    let progress = part_context.progress.call(part_context.parent.as_deref(), &summary, part_context.at);
    part_context.events.push(
        AgentToolCall {
            tool_use_id: tool_use_id.to_owned(),
            tool: tool.to_owned(),
            category,
            input: raw_input,
            path,
            summary,
            parent_tool_use_id: part_context.parent.clone(),
        }
        .into(),
    );
    part_context.events.extend(progress.map(EventData::from));
}

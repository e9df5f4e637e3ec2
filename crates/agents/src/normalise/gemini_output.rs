//! The result of a tool of Gemini CLI: a text, parts as the API has them, or the text of its own terminal.

use serde_json::value::RawValue;
use townwatch_protocol::event::{Attachment, AttachmentKind};

use super::content::{self, Content};
use super::fields::Fields;
use super::pictures;
use crate::json::read as read_json;

/// Parts of one result that are read.
const PARTS_MAX: usize = 1_000;
/// Attachments of one result.
const ATTACHMENTS_MAX: usize = 64;

/// Reads a `tool_result`.
pub(super) fn read(event: &Fields) -> Content {
    let mut content = Content::default();
    let mut texts = Vec::new();
    if let Some(output) = event.raw("output") {
        any(output, &mut content, &mut texts);
    }
    if texts.iter().all(String::is_empty)
        && content.attachments.is_empty()
        && let Some(shown) = event.raw("returnDisplay").or_else(|| event.raw("return_display"))
    {
        texts = vec![displayed(shown)];
    }
    let error = event.object("error").and_then(|error| error.text("message").or_else(|| error.text("type")));
    if let Some(error) = error.or_else(|| event.text("error")).filter(|error| !error.is_empty()) {
        content.failed = true;
        if !texts.contains(&error) {
            texts.push(error);
        }
    }
    texts.retain(|text| !text.is_empty());
    content.text = texts.join("\n");
    content
}

/// The text of a message whose content is parts.
pub(super) fn texts(message: &Fields) -> String {
    let (mut content, mut texts) = (Content::default(), Vec::new());
    if let Some(parts) = message.raw("content") {
        any(parts, &mut content, &mut texts);
    }
    texts.concat()
}

/// The exit code in a command's result: `Command exited with code: 3` where it printed nothing; else a line after its
/// output.
pub(super) fn exit_code(text: &str) -> Option<i32> {
    if let Some(code) = text.strip_prefix("Command exited with code: ") {
        return code.trim().parse().ok();
    }
    let is_report = text.starts_with("Command: ") || text.starts_with("Output: ");
    let code = || text.lines().rev().find_map(|line| line.strip_prefix("Exit Code: "));
    is_report.then(code).flatten()?.trim().parse().ok()
}

fn any(output: &RawValue, content: &mut Content, texts: &mut Vec<String>) {
    let raw = output.get();
    if let Some(text) = raw.starts_with('"').then(|| read_json::<String>(raw)).flatten() {
        texts.push(text);
    } else if let Some(parts) = read_json::<Vec<Box<RawValue>>>(raw) {
        parts.iter().take(PARTS_MAX).for_each(|one| part(one, content, texts));
    } else {
        part(output, content, texts);
    }
}

/// Reads one part, in the form of the API.
fn part(raw: &RawValue, content: &mut Content, texts: &mut Vec<String>) {
    let fields = Fields::read(raw.get()).unwrap_or_default();
    if let Some(text) = fields.text("text") {
        texts.push(text);
    } else if let Some(data) = fields.object("inlineData") {
        inline(&data, content);
    } else if let Some(file) = fields.object("fileData") {
        let (media_type, uri) = (file.text("mimeType"), file.text("fileUri"));
        let name = file.text("displayName");
        attach(Attachment { media_type, name, uri, ..pictures::empty(AttachmentKind::Link) }, content);
    } else if let Some(response) = fields.object("functionResponse").and_then(|given| given.object("response")) {
        let error = response.text("error").filter(|error| !error.is_empty());
        content.failed |= error.is_some();
        match response.text("output").or(error) {
            Some(text) => texts.push(text),
            None => texts.push(response.all().get().to_owned()),
        }
    } else if fields.text("type").is_some() || fields.raw("isError").is_some() {
        let given = content::read(Some(raw), None); // as a tool of MCP gave it
        content.failed |= given.failed;
        texts.push(given.text);
        for attachment in given.attachments {
            attach(attachment, content);
        }
        content.pictures.extend(given.pictures);
    } else if let Some(text) = read_json::<String>(raw.get()) {
        texts.push(text);
    } else {
        texts.push(raw.get().to_owned());
    }
}

fn inline(data: &Fields, content: &mut Content) {
    let (said, base64) = (data.text("mimeType"), data.text("data").unwrap_or_default());
    let kind = match said.as_deref().and_then(|said| said.split_once('/')) {
        Some(("image", _)) => AttachmentKind::Image,
        Some(("audio", _)) => AttachmentKind::Audio,
        _ => AttachmentKind::Document,
    };
    let (attachment, picture) = if kind == AttachmentKind::Image {
        pictures::read(&base64, said)
    } else {
        let size_bytes = Some(pictures::decoded_bytes(&base64) as u64);
        (Attachment { media_type: said, size_bytes, ..pictures::empty(kind) }, None)
    };
    if attach(attachment, content) {
        content.pictures.extend(picture);
    }
}

fn attach(attachment: Attachment, content: &mut Content) -> bool {
    let has_room = content.attachments.len() < ATTACHMENTS_MAX;
    if has_room {
        content.attachments.push(attachment);
    }
    has_room
}

/// The text of the program's own terminal: a text, or the difference of a file's change.
fn displayed(shown: &RawValue) -> String {
    if let Some(text) = read_json::<String>(shown.get()) {
        return text;
    }
    let fields = Fields::read(shown.get()).unwrap_or_default();
    fields.text("fileDiff").unwrap_or_else(|| shown.get().to_owned())
}

//! The content of a result: the blocks of the Messages API, of its own tools and of MCP, as text, attachments and
//! success.

use serde_json::value::RawValue;
use townwatch_protocol::event::{Attachment, AttachmentKind};

use super::content_kinds::{BLOCKS, ContentKind};
use super::fields::Fields;
use super::kinds::Handling;
use super::pictures::{self, Picture};
use crate::cut;
use crate::json::read as read_json;

/// Attachments that a result reports. Its text gives the number of further ones.
const ATTACHMENTS_MAX: usize = 64;
/// The longest name or address; a longer one is cut.
const NAME_BYTES_MAX: usize = 2_000;
/// The depth of blocks within blocks. Deeper ones are shown as raw JSON.
const DEPTH_MAX: usize = 4;
/// Unknown blocks of one result that get a notice of their own.
const UNKNOWN_MAX: usize = 20;

/// The beginning of the program's text about a call that it could not make.
const TOOL_ERROR: &str = "<tool_use_error>";
/// The names of the field with a result's data.
const STRUCTURED: [&str; 2] = ["structuredContent", "structured_content"];

/// The content of a result.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The texts of all blocks.
    pub(super) text: String,
    /// The parts that are not text.
    pub(super) attachments: Vec<Attachment>,
    /// The pictures among the attachments.
    pub(super) pictures: Vec<Picture>,
    /// The exit code of a command, where the result has it.
    pub(super) exit_code: Option<i32>,
    /// Whether a block says that the call failed.
    pub(super) failed: bool,
    /// The unknown blocks. The text has them as raw JSON, and each needs a notice.
    pub(super) unknown: Vec<String>,
}

/// Reads the content of a result. `structured` is the same content as data, which counts only without the other.
pub(super) fn read(content: Option<&RawValue>, structured: Option<&RawValue>) -> Content {
    let mut reading = ContentReader::default();
    if let Some(content) = content {
        reading.any(content, 0);
    }
    let nothing = reading.texts.iter().all(String::is_empty) && reading.content.attachments.is_empty();
    if let Some(structured) = structured.filter(|raw| nothing && raw.get() != "null") {
        reading.texts = vec![structured.get().to_owned()];
    }
    reading.end()
}

#[derive(Default)]
struct ContentReader {
    content: Content,
    texts: Vec<String>,
    more_attachments: usize,
}

impl ContentReader {
    /// Reads a text, a list of blocks, or a single block.
    fn any(&mut self, content: &RawValue, depth: usize) {
        let raw = content.get();
        if let Some(text) = raw.starts_with('"').then(|| read_json::<String>(raw)).flatten() {
            self.content.failed |= text.starts_with(TOOL_ERROR);
            self.texts.push(text);
        } else if let Some(blocks) = read_json::<Vec<Box<RawValue>>>(raw) {
            for block in &blocks {
                self.block(block.get(), depth);
            }
        } else if raw.starts_with('{') {
            self.block(raw, depth);
        } else if raw != "null" {
            self.texts.push(raw.to_owned());
        }
    }

    fn block(&mut self, raw: &str, depth: usize) {
        let fields = Fields::read(raw).unwrap_or_default();
        self.content.failed |= says_failed(&fields);
        let Some(kind) = fields.text("type") else {
            if depth < DEPTH_MAX && is_whole_result(&fields) {
                return self.whole(&fields, depth);
            }
            self.texts.push(raw.to_owned()); // data of the tool's own
            return;
        };
        let known = BLOCKS.find(&kind).filter(|_| depth < DEPTH_MAX);
        match known {
            Some(Handling::Event(_, block) | Handling::Preview(block)) => self.known(block, &fields, depth),
            Some(Handling::Nothing(_)) => {}
            None => {
                self.texts.push(raw.to_owned());
                if self.content.unknown.len() < UNKNOWN_MAX {
                    self.content.unknown.push(cut::text(raw, NAME_BYTES_MAX));
                }
            }
        }
    }

    /// Reads the complete result of an MCP tool.
    fn whole(&mut self, result: &Fields, depth: usize) {
        let mark = (self.texts.len(), self.content.attachments.len());
        self.inner(result, "content", depth);
        let nothing = self.texts[mark.0..].iter().all(String::is_empty) && self.content.attachments.len() == mark.1;
        let structured = STRUCTURED.iter().find_map(|name| result.raw(name)).filter(|_| nothing);
        self.texts.extend(structured.map(|structured| structured.get().to_owned()));
    }

    fn known(&mut self, block: ContentKind, fields: &Fields, depth: usize) {
        match block {
            ContentKind::Text => {
                let text = fields.text("text").unwrap_or_default();
                self.content.failed |= text.starts_with(TOOL_ERROR);
                self.texts.push(text);
            }
            ContentKind::Image => self.sourced(fields, AttachmentKind::Image, depth),
            ContentKind::Audio => self.sourced(fields, AttachmentKind::Audio, depth),
            ContentKind::Document => self.sourced(fields, AttachmentKind::Document, depth),
            ContentKind::Resource => self.resource(&fields.object("resource").unwrap_or_default()),
            ContentKind::Link => self.link(fields),
            ContentKind::Search => {
                self.texts.push(named(fields.text("title"), fields.text("source"), None));
                self.inner(fields, "content", depth);
            }
            ContentKind::Found => {
                self.texts.push(named(fields.text("title"), fields.text("url"), fields.text("page_age")));
            }
            ContentKind::Fetched => {
                self.texts.extend(fields.text("url"));
                self.inner(fields, "content", depth);
            }
            ContentKind::Executed => self.executed(fields, depth),
            ContentKind::File => {
                let name = fields.text("file_id").map(short);
                self.attach(Attachment { name, ..pictures::empty(AttachmentKind::Document) }, None);
            }
            ContentKind::Viewed => self.texts.push(fields.text("content").unwrap_or_default()),
            ContentKind::Replaced => self.texts.push(fields.get::<Vec<String>>("lines").unwrap_or_default().join("\n")),
            ContentKind::Created => {
                let updated = fields.get("is_file_update") == Some(true);
                self.texts.push(if updated { "The file was changed" } else { "The file was written" }.to_owned());
            }
            ContentKind::References => self.inner(fields, "tool_references", depth),
            ContentKind::Reference => self.texts.extend(fields.text("tool_name")),
            ContentKind::Failed => {
                self.content.failed = true;
                let inner = fields.object("error");
                let fields = inner.as_ref().unwrap_or(fields);
                let reason = fields.text("error_code").or_else(|| fields.text("code"));
                let reason = reason.or_else(|| fields.text("type").filter(|_| inner.is_some()));
                let words = fields.text("error_message").or_else(|| fields.text("message"));
                let said = [reason, words].into_iter().flatten().filter(|text| !text.is_empty()).collect::<Vec<_>>();
                let said = if said.is_empty() { "no reason given".to_owned() } else { said.join(": ") };
                self.texts.push(format!("It failed: {said}"));
            }
        }
    }

    fn inner(&mut self, fields: &Fields, name: &str, depth: usize) {
        if let Some(content) = fields.raw(name) {
            self.any(content, depth + 1);
        }
    }

    /// Reads a block whose data is in `source` (the API) or in the block itself (MCP).
    fn sourced(&mut self, fields: &Fields, kind: AttachmentKind, depth: usize) {
        let source = fields.object("source").unwrap_or_default();
        let name = fields.text("title").or_else(|| fields.text("name")).map(short);
        let said = ["media_type", "mimeType"].iter().find_map(|name| source.text(name).or_else(|| fields.text(name)));
        match source.text("type").as_deref() {
            Some("text") => self.texts.push(source.text("data").unwrap_or_default()),
            Some("content") => self.inner(&source, "content", depth),
            Some(elsewhere @ ("url" | "file")) => {
                let (uri, file) = (source.text("url").map(short), source.text("file_id").map(short));
                let problem = format!("Only its {} is told.", if elsewhere == "url" { "address" } else { "name" });
                let problem = (kind == AttachmentKind::Image).then_some(problem);
                self.attach(
                    Attachment { media_type: said, name: name.or(file), uri, problem, ..pictures::empty(kind) },
                    None,
                );
            }
            _ => {
                let data = source.text("data").or_else(|| fields.text("data")).unwrap_or_default();
                self.data(kind, &data, said, name, None);
            }
        }
    }

    /// Reads a block whose bytes are base64.
    fn data(
        &mut self,
        kind: AttachmentKind,
        base64: &str,
        said: Option<String>,
        name: Option<String>,
        uri: Option<String>,
    ) {
        let said = said.map(short);
        if kind != AttachmentKind::Image {
            let size_bytes = Some(pictures::decoded_bytes(base64) as u64);
            self.attach(Attachment { media_type: said, name, uri, size_bytes, ..pictures::empty(kind) }, None);
            return;
        }
        let (attachment, picture) = pictures::read(base64, said);
        self.attach(Attachment { name, uri, ..attachment }, picture);
    }

    fn resource(&mut self, resource: &Fields) {
        if let Some(text) = resource.text("text") {
            self.texts.push(text);
            return;
        }
        let (said, uri) = (resource.text("mimeType"), resource.text("uri").map(short));
        let name = resource.text("title").or_else(|| resource.text("name")).map(short);
        let kind = match said.as_deref().and_then(|said| said.split_once('/')) {
            Some(("image", _)) => AttachmentKind::Image,
            Some(("audio", _)) => AttachmentKind::Audio,
            _ => AttachmentKind::Document,
        };
        match resource.text("blob") {
            Some(blob) => self.data(kind, &blob, said, name, uri),
            None => self.attach(Attachment { media_type: said, name, uri, ..pictures::empty(kind) }, None),
        }
    }

    fn link(&mut self, link: &Fields) {
        let (name, uri) = (link.text("title").or_else(|| link.text("name")), link.text("uri"));
        self.texts.push(named(name.clone(), uri.clone(), None));
        self.attach(
            Attachment {
                media_type: link.text("mimeType").map(short),
                name: name.map(short),
                uri: uri.map(short),
                size_bytes: link.get("size"),
                ..pictures::empty(AttachmentKind::Link)
            },
            None,
        );
    }

    fn executed(&mut self, fields: &Fields, depth: usize) {
        let printed = [fields.text("stdout"), fields.text("stderr")];
        self.texts.extend(printed.into_iter().flatten().filter(|text| !text.is_empty()));
        let exit_code = fields.get::<i32>("return_code");
        self.content.exit_code = exit_code.or(self.content.exit_code);
        self.content.failed |= exit_code.is_some_and(|code| code != 0);
        self.inner(fields, "content", depth);
    }

    fn attach(&mut self, attachment: Attachment, picture: Option<Picture>) {
        if self.content.attachments.len() >= ATTACHMENTS_MAX {
            self.more_attachments += 1;
            return;
        }
        self.content.attachments.push(attachment);
        self.content.pictures.extend(picture);
    }

    fn end(mut self) -> Content {
        if self.more_attachments > 0 {
            self.texts.push(format!("({} more attachments are not listed)", self.more_attachments));
        }
        self.content.text = match self.texts.len() {
            1 => self.texts.remove(0), // may be megabytes
            _ => self.texts.join("\n"),
        };
        self.content
    }
}

/// One line for a name, an address, and perhaps an age: `Release notes — https://example.org (2 days)`.
fn named(name: Option<String>, address: Option<String>, age: Option<String>) -> String {
    let line = [name, address].into_iter().flatten().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" — ");
    match age.filter(|age| !age.is_empty()) {
        Some(age) => format!("{line} ({age})"),
        None => line,
    }
}

/// Whether a block or a result says that the call failed.
fn says_failed(fields: &Fields) -> bool {
    ["isError", "is_error"].iter().any(|name| fields.get(name) == Some(true))
}

/// Whether these fields are a complete MCP result, and not other data with a field `content`.
fn is_whole_result(fields: &Fields) -> bool {
    let is_own = |name: &String| matches!(name.as_str(), "content" | "isError" | "is_error" | "_meta" | "meta");
    let names = fields.names();
    fields.raw("content").is_some_and(|content| content.get().starts_with('['))
        && names.iter().all(|name| is_own(name) || STRUCTURED.contains(&name.as_str()))
}

fn short(text: String) -> String {
    if text.len() <= NAME_BYTES_MAX { text } else { cut::text(&text, NAME_BYTES_MAX) }
}

#[cfg(test)]
mod tests;

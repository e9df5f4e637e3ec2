//! Files of tools and models besides text, mostly pictures with their bytes in a `data:` address.

use townwatch_protocol::event::{Attachment, AttachmentKind};

use super::wire::GivenFile;
use crate::cut;
use crate::normalise::pictures::{self, Picture};

/// The longest name or address; a longer one is cut.
const NAME_BYTES_MAX: usize = 2_000;

/// The attachment of a file, and the picture if it is one to keep.
pub(super) fn attachment(file: GivenFile) -> (Attachment, Option<Picture>) {
    let (said, name) = (file.mime.map(short), file.filename.map(short));
    let url = file.url.unwrap_or_default();
    let kind = match said.as_deref().and_then(|said| said.split_once('/')) {
        Some(("image", _)) => AttachmentKind::Image,
        Some(("audio", _)) => AttachmentKind::Audio,
        _ => AttachmentKind::Document,
    };
    let Some((head, data)) = url.strip_prefix("data:").and_then(|data| data.split_once(',')) else {
        let problem = (kind == AttachmentKind::Image).then(|| "Only its address is told.".to_owned());
        let uri = Some(short(url)).filter(|url| !url.is_empty());
        return (Attachment { media_type: said, name, uri, problem, ..pictures::empty(kind) }, None);
    };
    if kind == AttachmentKind::Image {
        let (attachment, picture) = pictures::read(data, said);
        return (Attachment { name, ..attachment }, picture);
    }
    let size_bytes = if head.ends_with(";base64") { pictures::decoded_bytes(data) } else { data.len() };
    let size_bytes = Some(size_bytes as u64);
    (Attachment { media_type: said, name, size_bytes, ..pictures::empty(kind) }, None)
}

fn short(text: String) -> String {
    if text.len() <= NAME_BYTES_MAX { text } else { cut::text(&text, NAME_BYTES_MAX) }
}

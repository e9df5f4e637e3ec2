//! Pictures in results: decoded, recognised by their bytes, and named by their hash.
//!
//! The media type in a line decides nothing. Only a whole PNG, JPEG, WebP or GIF is a picture
//! (`townwatch_protocol::image`). An SVG is a document that can run code, so it is none.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use townwatch_protocol::event::{Attachment, AttachmentKind};
use townwatch_protocol::image::{self, ImageProblem, ImageType};
use townwatch_protocol::limits::IMAGE_BYTES_MAX;

use crate::redact::is_redacted;

/// Standard base64, with its padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A picture to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The first 32 hexadecimal digits of the SHA-256 of the bytes, as in an attachment's `image_id`.
    pub image_id: String,
    /// `image/png`, `image/jpeg`, `image/webp` or `image/gif`, by its bytes.
    pub media_type: &'static str,
    /// The whole picture.
    pub bytes: Vec<u8>,
}

/// The picture in a base64 text, and its attachment. `said` is the agent's media type.
pub(super) fn read(base64: &str, said: Option<String>) -> (Attachment, Option<Picture>) {
    let size_bytes = decoded_bytes(base64);
    // What its bytes begin as is told also where it is not kept. A media type that they do not bear out is not repeated.
    let claimed = BASE64.decode(beginning(base64)).ok().and_then(|bytes| ImageType::claimed(&bytes));
    let said = match claimed {
        Some(kind) => Some(kind.media_type().to_owned()),
        None => said.filter(|said| ImageType::of_media_type(said).is_none()),
    };
    let problem = |problem: &str| {
        let attachment = Attachment {
            media_type: said.clone(),
            size_bytes: Some(size_bytes as u64),
            problem: Some(problem.to_owned()),
            ..empty(AttachmentKind::Image)
        };
        (attachment, None)
    };
    if is_redacted(base64) {
        return problem("Something in it looked like a secret and was taken out, so it cannot be shown.");
    }
    if size_bytes > IMAGE_BYTES_MAX {
        return problem("It is larger than 4 MiB, so it is not kept.");
    }
    let Ok(bytes) = BASE64.decode(without_spaces(base64).as_bytes()) else {
        return problem("Its data is damaged, so it cannot be shown.");
    };
    let media_type = match image::inspect(&bytes) {
        Ok(kind) => kind.media_type(),
        Err(ImageProblem::NoImage) => {
            return problem("Only PNG, JPEG, WebP and GIF pictures are kept, and this is none of them.");
        }
        Err(other) => return problem(&format!("It {other}, so it is not kept.")),
    };
    let image_id = image::name(&bytes).to_string();
    let attachment = Attachment {
        media_type: Some(media_type.to_owned()),
        size_bytes: Some(bytes.len() as u64),
        image_id: Some(image_id.clone()),
        ..empty(AttachmentKind::Image)
    };
    (attachment, Some(Picture { image_id, media_type, bytes }))
}

/// An attachment of which only the kind is known.
pub(super) fn empty(kind: AttachmentKind) -> Attachment {
    Attachment { kind, media_type: None, name: None, uri: None, size_bytes: None, image_id: None, problem: None }
}

/// The number of bytes that a base64 text stands for; an estimate for a damaged one.
pub(super) fn decoded_bytes(base64: &str) -> usize {
    let digits = base64.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=').count();
    digits / 4 * 3 + [0, 0, 1, 2][digits % 4]
}

/// The part of a base64 text that stands for the first 12 bytes.
fn beginning(base64: &str) -> String {
    base64.chars().filter(|digit| !digit.is_ascii_whitespace()).take(16).collect()
}

fn without_spaces(base64: &str) -> Cow<'_, str> {
    if base64.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return base64.split_ascii_whitespace().collect::<String>().into();
    }
    base64.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8], said: &str) -> (Attachment, Option<Picture>) {
        read(&BASE64.encode(bytes), Some(said.to_owned()))
    }

    const PNG: &[u8] = include_bytes!("../../../../tests/pictures/dot.png");
    const JPEG: &[u8] = include_bytes!("../../../../tests/pictures/dot.jpg");
    const WEBP: &[u8] = include_bytes!("../../../../tests/pictures/dot.webp");
    const GIF: &[u8] = include_bytes!("../../../../tests/pictures/dot.gif");

    #[test]
    fn a_picture_is_what_its_bytes_are() {
        let cases = [(PNG, "image/png"), (JPEG, "image/jpeg"), (GIF, "image/gif"), (WEBP, "image/webp")];
        for (bytes, media_type) in cases {
            let (attachment, picture) = of(bytes, "image/jpeg");
            let picture = picture.unwrap();
            assert_eq!((picture.media_type, picture.bytes.as_slice()), (media_type, bytes));
            assert_eq!(attachment.media_type.as_deref(), Some(media_type));
            assert_eq!(attachment.size_bytes, Some(bytes.len() as u64));
            assert_eq!((attachment.image_id, attachment.problem), (Some(picture.image_id), None));
        }
        // `sha256sum tests/pictures/dot.gif | cut -c1-32`
        assert_eq!(of(GIF, "").1.unwrap().image_id, "5b77ac76b5a4d4f8a0e6cc4226b79faf");
    }

    #[test]
    fn what_is_none_is_told_with_the_reason() {
        let large = [b"\x89PNG\r\n\x1a\n".as_slice(), &vec![0; IMAGE_BYTES_MAX]].concat();
        let cases = [
            (BASE64.encode("<svg onload='alert(1)'/>"), None, "none of them"),
            (BASE64.encode("RIFF\u{1}\u{2}\u{3}\u{4}WAVE"), None, "none of them"),
            (BASE64.encode(&large), Some("image/png"), "4 MiB"),
            ("iVBORw0KGgo*".to_owned(), None, "damaged"),
            ("iVBORw0KGgo‹redacted:token›AAAA".to_owned(), None, "secret"),
            (String::new(), None, "none of them"),
            (BASE64.encode([&PNG[..33], b"<script>alert(1)</script>"].concat()), Some("image/png"), "not whole"),
            (BASE64.encode(&PNG[..PNG.len() - 1]), Some("image/png"), "not whole"),
            (BASE64.encode(&GIF[..GIF.len() - 1]), Some("image/gif"), "not whole"),
            (BASE64.encode([PNG, b"<script>alert(1)</script>"].concat()), Some("image/png"), "behind its end"),
        ];
        for (base64, kind, reason) in cases {
            let (attachment, picture) = read(&base64, Some("image/png".into()));
            assert_eq!(
                (picture, attachment.media_type.as_deref(), attachment.image_id),
                (None, kind, None),
                "{reason}"
            );
            assert!(attachment.problem.unwrap().contains(reason), "{reason}");
        }
        let (attachment, _) = of(b"<svg/>", "image/svg+xml");
        assert_eq!((attachment.media_type.as_deref(), attachment.size_bytes), (Some("image/svg+xml"), Some(6)));
    }

    #[test]
    fn line_ends_and_missing_padding_lose_nothing() {
        let bytes = GIF;
        let (whole, without) = (BASE64.encode(bytes), BASE64.encode(bytes).trim_end_matches('=').to_owned());
        let wrapped = format!("{}\r\n{}\n", &whole[..20], &whole[20..]);
        for base64 in [&whole, &without, &wrapped] {
            assert_eq!(read(base64, None).1.unwrap().bytes, bytes);
            assert_eq!(decoded_bytes(base64), bytes.len());
        }
    }
}

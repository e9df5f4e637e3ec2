//! Pictures that tools give: what counts as one, by its bytes alone.
//!
//! Nothing of what an agent says of a picture decides how it is served: its type is that of its bytes, its name is their
//! hash. A picture is only taken whole: what is cut short, and what has something else behind its end (a page, a script),
//! is none.

mod formats;

use sha2::{Digest, Sha256};

use crate::hexadecimal;
use crate::id::ImageId;
use crate::limits::{IMAGE_BYTES_MAX, IMAGE_PIXELS_MAX};

/// The kinds of pictures that are kept. SVG is none of them: it is a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageType {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// GIF.
    Gif,
}

impl ImageType {
    const ALL: [Self; 4] = [Self::Png, Self::Jpeg, Self::Webp, Self::Gif];

    /// The media type that it is served with.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
        }
    }

    /// The end of its file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
            Self::Gif => "gif",
        }
    }

    /// The type of this media type; parameters behind it do not count.
    pub fn of_media_type(text: &str) -> Option<Self> {
        let name = text.split(';').next().unwrap_or_default().trim();
        Self::ALL.into_iter().find(|one| one.media_type().eq_ignore_ascii_case(name))
    }

    /// The type of a file whose name ends so.
    pub fn of_extension(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.extension() == text)
    }

    /// The type that the first 12 bytes claim.
    pub fn claimed(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
            Some(Self::Gif)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::Webp)
        } else {
            None
        }
    }
}

/// Why bytes are not kept as a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// More than [`IMAGE_BYTES_MAX`].
    TooLarge,
    /// Of none of the four types.
    NoImage,
    /// It ends before its end, or is broken in between.
    Broken,
    /// It goes on behind its end.
    Trailing,
    /// More than [`IMAGE_PIXELS_MAX`] to unpack.
    TooManyPixels,
}

impl std::fmt::Display for Problem {
    /// For a person, to stand behind "the picture".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge => write!(f, "is larger than {} MiB, which is the most", IMAGE_BYTES_MAX >> 20),
            Self::NoImage => f.write_str("is no PNG, JPEG, WebP or GIF by its bytes"),
            Self::Broken => f.write_str("is broken or not whole"),
            Self::Trailing => f.write_str("has something else behind its end"),
            Self::TooManyPixels => {
                write!(f, "has more than {} million pixels, which is the most", IMAGE_PIXELS_MAX / 1_000_000)
            }
        }
    }
}

/// Looks at bytes as at a picture: which type it is, or why it is not kept.
pub fn inspect(bytes: &[u8]) -> Result<ImageType, Problem> {
    if bytes.len() > IMAGE_BYTES_MAX {
        return Err(Problem::TooLarge);
    }
    let kind = ImageType::claimed(bytes).ok_or(Problem::NoImage)?;
    let extent = match kind {
        ImageType::Png => formats::png(bytes),
        ImageType::Jpeg => formats::jpeg(bytes),
        ImageType::Webp => formats::webp(bytes),
        ImageType::Gif => formats::gif(bytes),
    }
    .ok_or(Problem::Broken)?;
    if extent.end < bytes.len() {
        return Err(Problem::Trailing);
    }
    match u64::from(extent.width) * u64::from(extent.height) {
        0 => Err(Problem::Broken),
        pixels if pixels > IMAGE_PIXELS_MAX => Err(Problem::TooManyPixels),
        _ => Ok(kind),
    }
}

/// Half of a SHA-256: as many bytes name a picture.
const NAME_BYTES: usize = 16;

/// The name of a picture: the first half of the SHA-256 of its bytes, 32 hexadecimal digits.
pub fn name(bytes: &[u8]) -> ImageId {
    ImageId::of_digits(hexadecimal::of(Sha256::digest(bytes).into_iter().take(NAME_BYTES)))
}

#[cfg(test)]
mod tests;

//! Pictures from tools, recognised by their bytes alone.
//!
//! An agent's own words about a picture do not decide how it is served: its type comes from its bytes, its name from
//! their hash. Only whole pictures are kept. A picture that is cut short, or has other bytes after its end (a page, a
//! script), is refused.

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

    /// The file extension: `png`.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
            Self::Gif => "gif",
        }
    }

    /// The type of a media type such as `image/png`; parameters after it do not count.
    pub fn of_media_type(text: &str) -> Option<Self> {
        let name = text.split(';').next().unwrap_or_default().trim();
        Self::ALL.into_iter().find(|one| one.media_type().eq_ignore_ascii_case(name))
    }

    /// The type of a file extension.
    pub fn of_extension(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.extension() == text)
    }

    /// The type that the first 12 bytes show.
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

/// The reason for which bytes are not kept as a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageProblem {
    /// The bytes are more than [`IMAGE_BYTES_MAX`].
    TooLarge,
    /// The bytes are of none of the four types.
    NoImage,
    /// The bytes end before the picture's end, or are damaged.
    Broken,
    /// More bytes follow after the picture's end.
    Trailing,
    /// The pixels are more than [`IMAGE_PIXELS_MAX`].
    TooManyPixels,
}

impl std::fmt::Display for ImageProblem {
    /// The reason for a person, as the rest of a sentence after "the picture".
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

/// The type of a whole picture, or the reason why the bytes are not kept.
pub fn inspect(bytes: &[u8]) -> Result<ImageType, ImageProblem> {
    if bytes.len() > IMAGE_BYTES_MAX {
        return Err(ImageProblem::TooLarge);
    }
    let kind = ImageType::claimed(bytes).ok_or(ImageProblem::NoImage)?;
    let extent = match kind {
        ImageType::Png => formats::png(bytes),
        ImageType::Jpeg => formats::jpeg(bytes),
        ImageType::Webp => formats::webp(bytes),
        ImageType::Gif => formats::gif(bytes),
    }
    .ok_or(ImageProblem::Broken)?;
    if extent.end < bytes.len() {
        return Err(ImageProblem::Trailing);
    }
    match u64::from(extent.width) * u64::from(extent.height) {
        0 => Err(ImageProblem::Broken),
        pixels if pixels > IMAGE_PIXELS_MAX => Err(ImageProblem::TooManyPixels),
        _ => Ok(kind),
    }
}

/// The bytes of a SHA-256 that name a picture: half of it.
const NAME_BYTES: usize = 16;

/// The name of a picture: the first half of the SHA-256 of its bytes, 32 hexadecimal digits.
pub fn name(bytes: &[u8]) -> ImageId {
    ImageId::of_digits(hexadecimal::of(Sha256::digest(bytes).into_iter().take(NAME_BYTES)))
}

#[cfg(test)]
mod tests;

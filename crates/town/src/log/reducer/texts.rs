//! Texts as a state has them: their beginnings, and short names for long ones.

use serde::Serialize;
use townwatch_protocol::limits::{STATE_TEXT_BYTES_MAX, STATE_TEXT_CHARS_MAX};
use townwatch_protocol::state_text::beginning;

/// The beginning of a text, at most [`STATE_TEXT_CHARS_MAX`] characters and [`STATE_TEXT_BYTES_MAX`] bytes of JSON.
pub(crate) fn clip(text: &str) -> String {
    beginning(text, STATE_TEXT_BYTES_MAX).to_owned()
}

/// The first line of a text that says something.
pub(super) fn first_line(text: &str) -> Option<&str> {
    text.lines().find(|line| !line.trim().is_empty())
}

/// The title of a prompt: its first line with any text, with `…` where more follows.
pub(super) fn title(text: &str) -> Option<String> {
    let line = first_line(text)?;
    let mut title = clip(line);
    if title.trim() != text.trim() {
        if title.len() < line.len() {
            beginning(line, STATE_TEXT_BYTES_MAX - '…'.len_utf8()).clone_into(&mut title);
            if title.chars().count() == STATE_TEXT_CHARS_MAX {
                title.pop();
            }
        }
        title.push('…');
    }
    Some(title)
}

/// The bytes of an entry in a list, with its comma.
pub(super) fn json_bytes(part: &impl Serialize) -> usize {
    serde_json::to_string(part).map_or(0, |text| text.len() + 1)
}

/// FNV-1a, 32 bits, over texts one after the other. A clash makes a count one too small.
pub(super) fn hash(texts: &[&str]) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let add = |hash, (index, text): (usize, &&str)| {
        let hash = if index == 0 { hash } else { step(hash, 0xff) };
        text.bytes().fold(hash, step)
    };
    texts.iter().enumerate().fold(0x811c_9dc5, add)
}

//! Private keys as they lie in files (PEM): from the line that begins one to the line that ends it, or as far as what
//! lies between looks like one.

use std::borrow::Cow;
use std::ops::Range;

use super::{Look, Redactor, push_mark};
use crate::lines::Line;

/// How the first line begins.
pub(super) const BEGINS: &str = "-----BEGIN ";
/// What it is called in marks and notices.
pub(super) const KIND: &str = "private_key";
const DASHES: &[u8] = b"-----";
/// `RSA PRIVATE KEY` and such.
const LABEL_BYTES_MAX: usize = 60;
/// A key has lines of 64 characters or more; words are shorter than this.
const LINE_BYTES_MIN: usize = 32;
/// The last line of one that is cut off can be short.
const LAST_LINE_BYTES_MIN: usize = 12;

/// Whether a private key begins here.
pub(super) fn look(text: &[u8], hit: Range<usize>) -> Look<'static> {
    let Some(from) = label_end(text, hit.end) else {
        return Look { is_open: text.len() - hit.end <= LABEL_BYTES_MAX, ..Look::default() };
    };
    let (mut at, mut longest, mut last) = (from, 0, from);
    while at < text.len() {
        let line = text[at..].iter().take_while(|byte| is_body(**byte)).count();
        longest = longest.max(line);
        at += line;
        if line >= LAST_LINE_BYTES_MIN {
            last = at;
        }
        let Some(length) = between(&text[at..]) else { break };
        at += length;
    }
    let end = ending(text, at);
    let is_open = at == text.len() || (end.is_none() && text.len() - at <= LABEL_BYTES_MAX && is_dashes(&text[at..]));
    let found = (longest >= LINE_BYTES_MIN).then(|| (hit.start..end.unwrap_or(last), KIND));
    Look { found, is_open, ..Look::default() }
}

/// Behind `… PRIVATE KEY-----`.
fn label_end(text: &[u8], from: usize) -> Option<usize> {
    let near = &text[from..text.len().min(from + LABEL_BYTES_MAX)];
    let label = near.windows(DASHES.len()).position(|five| five == DASHES)?;
    let is_private = near[..label].ends_with(b"PRIVATE KEY") || near[..label].ends_with(b"PRIVATE KEY BLOCK");
    is_private.then_some(from + label + DASHES.len())
}

/// Behind the line that ends it, if that stands here.
fn ending(text: &[u8], at: usize) -> Option<usize> {
    let label = at + text[at..].strip_prefix(b"-----END ").map(|_| 9)?;
    label_end(text, label)
}

fn is_dashes(text: &[u8]) -> bool {
    text.starts_with(b"-") || DASHES.starts_with(text)
}

fn is_body(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// What may stand between the lines, here: ends of lines, also escaped ones, the numbers, signs and arrows that tools put
/// before a line, and the headers of old formats.
fn between(text: &[u8]) -> Option<usize> {
    let backslashes = text.iter().take_while(|byte| **byte == b'\\').count();
    match text[backslashes..] {
        [b'n' | b'r' | b't', ..] if backslashes > 0 => return Some(backslashes + 1),
        [b'u', b'2', b'1', b'9', b'2', ..] if backslashes > 0 => return Some(backslashes + 5),
        _ if backslashes > 0 => return None,
        _ => {}
    }
    match text {
        [b'-', rest @ ..] => (!rest.starts_with(b"----")).then_some(1),
        [b' ' | b'\t' | b'\r' | b'\n' | b':' | b',' | b'|' | b'>', ..] => Some(1),
        _ => text.starts_with("→".as_bytes()).then_some("→".len()),
    }
}

/// A stream of lines, of which each line of a key can be one.
#[derive(Debug, Default)]
pub struct KeyLines {
    in_key: bool,
}

impl KeyLines {
    /// The next line without secrets.
    pub fn clean<'l>(&mut self, redactor: &Redactor, line: Line<'l>) -> Line<'l> {
        match line {
            Line::Text(text) => {
                let Cow::Owned(clean) = self.text(redactor, &text) else { return Line::Text(text) };
                Line::Text(clean.into())
            }
            Line::Oversized { bytes, sample } => Line::Oversized { bytes, sample: redactor.beginning(&sample) },
        }
    }

    fn text<'t>(&mut self, redactor: &Redactor, line: &'t str) -> Cow<'t, str> {
        if self.in_key {
            let body = line.trim_start_matches(|character: char| !character.is_ascii_alphabetic());
            if body.trim_end().bytes().all(is_body) && !body.is_empty() {
                let mut clean = String::new();
                push_mark(&mut clean, KIND);
                return clean.into();
            }
            self.in_key = line.trim().is_empty() || line.contains(": ");
        }
        if let Some(at) = memchr::memmem::rfind(line.as_bytes(), BEGINS.as_bytes())
            && let Some(end) = label_end(line.as_bytes(), at + BEGINS.len())
        {
            self.in_key = line[end..].trim().is_empty();
        }
        redactor.text(line)
    }
}

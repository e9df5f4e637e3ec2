//! Private keys as they lie in files (PEM): from the line that begins one to the line that ends it, or as far as what
//! lies between looks like one.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem::Finder;

use super::open_text::OpenText;
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
    let label = &near[..label];
    // Only words: what goes out of it as a secret must not leave a label behind that was none before.
    let is_plain = label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ');
    let is_private = is_plain && (label.ends_with(b"PRIVATE KEY") || label.ends_with(b"PRIVATE KEY BLOCK"));
    is_private.then_some(from + label.len() + DASHES.len())
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

/// A stream of lines, of which each line of a key can be one. The last one may be told in parts, before it has an end.
#[derive(Debug)]
pub struct KeyLines {
    begins: Finder<'static>,
    in_key: bool,
    /// The line that is told in parts.
    open: Option<OpenText>,
}

impl Default for KeyLines {
    fn default() -> Self {
        Self { begins: Finder::new(BEGINS), in_key: false, open: None }
    }
}

impl KeyLines {
    /// A part of a line that has no end yet, as far as it may be told: what may become a secret, and a line among those
    /// of a key, is held back. `in_text` finds secrets in texts that are not JSON.
    pub fn part(&mut self, in_text: &Redactor, part: &str) -> String {
        let open = self.open.get_or_insert_default();
        if self.in_key {
            open.hold_back(part);
            return String::new();
        }
        open.add(in_text, part)
    }

    /// Whether some of a line was held back.
    pub fn holds_back(&self) -> bool {
        self.open.as_ref().is_some_and(OpenText::holds_back)
    }

    /// The next line without secrets; of one that was told in parts, its rest.
    pub fn clean<'l>(&mut self, redactor: &Redactor, line: Line<'l>) -> Line<'l> {
        let line = match (self.open.take(), line) {
            (Some(mut open), Line::Text(rest)) => {
                open.hold_back(&rest);
                if !self.in_key {
                    self.see_key(open.held_back());
                    return Line::Text(open.end(redactor).into());
                }
                Line::Text(open.held_back().to_owned().into())
            }
            (_, line) => line, // a rest that is too long goes, and with it what was held back
        };
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
        self.see_key(line);
        redactor.text(line)
    }

    /// Whether the next lines are those of a key.
    fn see_key(&mut self, line: &str) {
        // Forwards, since that is the fast way to find that there is none.
        if let Some(at) = self.begins.find_iter(line.as_bytes()).last()
            && let Some(end) = label_end(line.as_bytes(), at + BEGINS.len())
        {
            self.in_key = line[end..].trim().is_empty();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Secrets;
    use super::*;

    #[test]
    fn a_secret_that_goes_leaves_no_label_behind() {
        let redactor = Redactor::new(Secrets::default()).unwrap();
        let token = "glpat-q7Xc2LmZ9aTf4RkV0bNw8JyH3sP.01.0w1a2b3c4";
        let (label, body) = ("RSA PRIVATE KEY-----", "q7Xc2LmZ9aTf4RkV0bNw8JyH3sPd6GuE");
        let text = format!("-----BEGIN {token}----BEGIN {label}\n{body}");
        let clean = redactor.text(&text).into_owned();
        assert_eq!(clean, format!("-----BEGIN ‹redacted:gitlab_token› {label}\n{body}"));
        assert_eq!(redactor.text(&clean), clean);
        assert!(!redactor.text(&format!("-----BEGIN {label}\n{body}")).contains(body));
    }
}

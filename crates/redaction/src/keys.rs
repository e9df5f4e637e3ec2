//! Private keys in PEM form: from the first line to the last, or up to the last line that looks like a part of a key.

use std::ops::Range;

use super::Candidate;

/// The beginning of the first line.
pub const BEGINS: &str = "-----BEGIN ";
/// The name of the kind in marks and notices.
pub const KIND: &str = "private_key";
const DASHES: &[u8] = b"-----";
/// The longest label, such as `RSA PRIVATE KEY`.
const LABEL_BYTES_MAX: usize = 60;
/// The shortest line of base64 by which a key is recognised, 32 bytes. Lines of keys have 64 or more; ordinary words
/// are shorter.
const LINE_BYTES_MIN: usize = 32;
/// The shortest last line of a key that is cut off, 12 bytes.
const LAST_LINE_BYTES_MIN: usize = 12;

/// The candidate for a private key at a place.
pub(super) fn candidate(text: &[u8], hit: Range<usize>) -> Candidate<'static> {
    let Some(from) = label_end(text, hit.end) else {
        return Candidate { is_open: text.len() - hit.end <= LABEL_BYTES_MAX, ..Candidate::default() };
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
    Candidate { found, is_open, ..Candidate::default() }
}

/// The place after `… PRIVATE KEY-----`.
pub fn label_end(text: &[u8], from: usize) -> Option<usize> {
    let near = &text[from..text.len().min(from + LABEL_BYTES_MAX)];
    let label = near.windows(DASHES.len()).position(|five| five == DASHES)?;
    let label = &near[..label];
    // Only words: what goes out of it as a secret must not leave a label behind that was none before.
    let is_plain = label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ');
    let is_private = is_plain && (label.ends_with(b"PRIVATE KEY") || label.ends_with(b"PRIVATE KEY BLOCK"));
    is_private.then_some(from + label.len() + DASHES.len())
}

/// The place after the last line of a key, if that line stands at `at`.
fn ending(text: &[u8], at: usize) -> Option<usize> {
    let label = at + text[at..].strip_prefix(b"-----END ").map(|_| 9)?;
    label_end(text, label)
}

fn is_dashes(text: &[u8]) -> bool {
    text.starts_with(b"-") || DASHES.starts_with(text)
}

/// The characters of a key's lines.
pub fn is_body(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// The length of a separator between a key's lines: line ends, also escaped ones; line numbers, signs and arrows that
/// tools put before a line; the headers of old formats.
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

#[cfg(test)]
mod tests {
    use crate::{Redactor, SecretValues};

    #[test]
    fn a_secret_that_goes_leaves_no_label_behind() {
        let redactor = Redactor::new(SecretValues::default()).unwrap();
        let token = "glpat-q7Xc2LmZ9aTf4RkV0bNw8JyH3sP.01.0w1a2b3c4";
        let (label, body) = ("RSA PRIVATE KEY-----", "q7Xc2LmZ9aTf4RkV0bNw8JyH3sPd6GuE");
        let text = format!("-----BEGIN {token}----BEGIN {label}\n{body}");
        let clean = redactor.text(&text).into_owned();
        assert_eq!(clean, format!("-----BEGIN ‹redacted:gitlab_token› {label}\n{body}"));
        assert_eq!(redactor.text(&clean), clean);
        assert!(!redactor.text(&format!("-----BEGIN {label}\n{body}")).contains(body));
    }
}

//! Escapes in JSON text, and in the code and terminal output that agents show. A secret may follow directly after an
//! escape, but can never begin in the middle of one.

/// Whether a place is inside an escape: between `\` and its letter, or in the digits of `\u00e9`.
pub(super) fn starts_within(text: &[u8], at: usize) -> bool {
    let escaped = |at: usize| text[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
    escaped(at)
        || (1..=4).take_while(|back| *back <= at).any(|back| {
            let digits = &text[at - back..at];
            digits[0] == b'u' && digits[1..].iter().all(u8::is_ascii_hexdigit) && escaped(at - back)
        })
}

/// Whether a word can begin at a place: the character before does not belong to a word, or only ends an escape.
pub(super) fn begins_word(text: &[u8], at: usize, joins: fn(u8) -> bool) -> bool {
    text[..at].last().is_none_or(|before| !joins(*before)) || ends_escape(&text[..at])
}

/// Whether a text ends with `\n`, `\u0007`, `\x1b`, or a terminal's `ESC [ 31 m` with its first byte in any notation.
fn ends_escape(before: &[u8]) -> bool {
    let hex = |count: usize, letter: u8| {
        before.len() >= count + 2
            && before[before.len() - count..].iter().all(u8::is_ascii_hexdigit)
            && before[..before.len() - count].ends_with(&[b'\\', letter])
    };
    match before {
        [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f'] => true,
        _ => hex(4, b'u') || hex(2, b'x') || ends_terminal_escape(before),
    }
}

fn ends_terminal_escape(before: &[u8]) -> bool {
    let Some(parameters) = before.strip_suffix(b"m").or(before.strip_suffix(b"K")) else { return false };
    let digits = parameters.iter().rev().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    let escape = parameters[..parameters.len() - digits].strip_suffix(b"[");
    escape.is_some_and(|escape| [&b"\x1b"[..], b"1b", b"1B", b"\\e", b"\\033"].iter().any(|way| escape.ends_with(way)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_begins_in_the_middle_of_an_escape() {
        let cases = [
            (r"\|n", true),
            (r"\\|n", false),
            (r"\\\|n", true),
            (r"\u|00e9", true),
            (r"\u00e|9", true),
            (r"\u00e9|", false),
            (r"\\u00|e9", false),
            (r"u00|e9", false),
            ("|a", false),
        ];
        for (text, within) in cases {
            let at = text.find('|').unwrap();
            assert_eq!(starts_within(text.replace('|', "").as_bytes(), at), within, "{text}");
        }
    }

    #[test]
    fn a_word_begins_behind_an_escape() {
        let joins = |byte: u8| byte.is_ascii_alphanumeric();
        for before in ["", " ", "=", "é", r"\n", r"\\n", r"\u2028", r"\x1b", "\x1b[1;31m", r"\u001b[0m", r"\033[K"] {
            assert!(begins_word(before.as_bytes(), before.len(), joins), "{before}");
        }
        for before in ["a", "n", "0", "u2028", "[0m", "31m"] {
            assert!(!begins_word(before.as_bytes(), before.len(), joins), "{before}");
        }
    }
}

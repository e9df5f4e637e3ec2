//! Texts of an agent's state: the beginnings of longer ones.

use crate::limits::{STATE_OPTION_BYTES_MAX, STATE_TEXT_CHARS_MAX};

/// The longest beginning of a text that takes at most `json_bytes` as JSON.
pub fn beginning(text: &str, mut json_bytes: usize) -> &str {
    let fits = |char: &char| {
        let taken = match char {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..'\u{20}' => 6,
            other => other.len_utf8(),
        };
        json_bytes.checked_sub(taken).map(|rest| json_bytes = rest).is_some()
    };
    let length: usize = text.chars().take(STATE_TEXT_CHARS_MAX).take_while(fits).map(char::len_utf8).sum();
    &text[..length]
}

/// An offered answer as the state of an agent has it where its question is cut: at most [`STATE_OPTION_BYTES_MAX`]
/// bytes of its beginning.
pub fn stated_option(option: &str) -> &str {
    beginning(option, STATE_OPTION_BYTES_MAX)
}

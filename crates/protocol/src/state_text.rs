//! Texts as an agent's state has them: their beginnings.

use crate::limits::{STATE_OPTION_BYTES_MAX, STATE_TEXT_CHARS_MAX};

/// The beginning of a text that takes at most so many bytes of JSON.
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

/// What an agent's state says of one answer that a question offers, where the question is cut: its beginning, if it is
/// longer than [`STATE_OPTION_BYTES_MAX`] bytes of JSON.
pub fn stated_option(option: &str) -> &str {
    beginning(option, STATE_OPTION_BYTES_MAX)
}

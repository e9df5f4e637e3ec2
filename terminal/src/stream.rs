//! One stream's bytes, on their way to the screen.

use std::borrow::Cow;
use std::str;

use vte::Parser;

use crate::links::OSC_BYTES_MAX;
use crate::screen::Screen;

/// A stream's parser, and the beginning of a character whose rest is still to come.
///
/// The parser would keep such a beginning itself, but loses what follows it: of `"éaé"`, cut behind its first byte, vte
/// 0.15 prints no `a`.
pub(crate) struct Stream {
    parser: Parser<OSC_BYTES_MAX>,
    /// At most three bytes.
    begun: Vec<u8>,
}

impl Stream {
    pub(crate) fn new() -> Self {
        Self { parser: Parser::new_with_size(), begun: Vec::new() }
    }

    pub(crate) fn feed(&mut self, screen: &mut Screen, bytes: &[u8]) {
        let bytes = if self.begun.is_empty() {
            Cow::Borrowed(bytes)
        } else {
            self.begun.extend_from_slice(bytes);
            Cow::Owned(std::mem::take(&mut self.begun))
        };
        let (whole, begun) = bytes.split_at(bytes.len() - begun_bytes(&bytes));
        self.parser.advance(screen, whole);
        self.begun.extend_from_slice(begun);
    }
}

/// How many bytes at the end are the beginning of a character.
fn begun_bytes(bytes: &[u8]) -> usize {
    let begins = |count: &usize| {
        let tail = &bytes[bytes.len() - count..];
        str::from_utf8(tail).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=bytes.len().min(3)).rev().find(begins).unwrap_or(0)
}

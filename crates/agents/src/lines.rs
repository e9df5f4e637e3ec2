//! The lines of a pipe: split at LF only, with bounded memory.
//!
//! Agents print raw U+2028, NUL and other characters of their tools inside a line; none of them ends a line here.

use std::borrow::Cow;

/// The buffer size that is kept between lines, 256 KiB. A larger buffer is freed after its line.
const KEPT_BYTES: usize = 256 << 10;
/// The bytes of a too long line that are kept, for people.
const SAMPLE_BYTES: usize = 200;

/// The bytes between two line feeds.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A line without its line feed, and without one carriage return before that. Invalid UTF-8 becomes U+FFFD.
    Text(Cow<'a, str>),
    /// A line longer than the bound, of which only the beginning is left.
    Oversized {
        /// The line's length.
        bytes: u64,
        /// The line's beginning.
        sample: String,
    },
}

/// Splits a stream of bytes into lines. Holds at most one line of at most `max_bytes`.
#[derive(Debug, Clone)]
pub struct LineDecoder {
    max_bytes: usize,
    partial: Vec<u8>,
    /// The length so far of a line that is too long; `partial` has its beginning.
    oversized: Option<u64>,
}

impl LineDecoder {
    /// A decoder for lines of at most `max_bytes`, without the line feed.
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, partial: Vec::new(), oversized: None }
    }

    /// Adds the bytes of one read, and calls `take` with every line that they complete, in order.
    pub fn push(&mut self, mut bytes: &[u8], mut take: impl FnMut(Line<'_>)) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
            if self.partial.is_empty() && self.oversized.is_none() && line.len() <= self.max_bytes {
                take(Line::Text(text(line))); // the usual case: nothing is copied
            } else {
                self.keep(line);
                self.complete(&mut take);
            }
            bytes = rest;
        }
        self.keep(bytes);
    }

    /// Whether a line has begun, is not finished, and is not too long.
    pub fn is_open(&self) -> bool {
        !self.open().is_empty()
    }

    /// Takes the present part of an unfinished line; the line continues after it. An incomplete character, and a
    /// carriage return that may belong to the line's end, stay for the next call.
    pub fn take_open(&mut self) -> String {
        let rest = self.partial.split_off(self.open().len());
        let open = std::mem::replace(&mut self.partial, rest);
        text_as_is(&open).into_owned()
    }

    /// The bytes of an unfinished line up to the last complete character; none of a line that is too long.
    pub fn open(&self) -> &[u8] {
        if self.oversized.is_some() {
            return &[];
        }
        let line = self.partial.strip_suffix(b"\r").unwrap_or(&self.partial);
        let begun = (1..=line.len().min(3)).rev().find(|count| {
            let tail = std::str::from_utf8(&line[line.len() - count..]);
            tail.is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        });
        &line[..line.len() - begun.unwrap_or(0)]
    }

    /// Ends the stream. A last line without a line feed is a line, too.
    pub fn finish(&mut self, mut take: impl FnMut(Line<'_>)) {
        if !self.partial.is_empty() || self.oversized.is_some() {
            self.complete(&mut take);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.oversized.is_none() && self.partial.len() + bytes.len() <= self.max_bytes {
            self.partial.extend_from_slice(bytes);
            return;
        }
        let length = self.oversized.unwrap_or(self.partial.len() as u64) + bytes.len() as u64;
        self.oversized = Some(length);
        let wanted = SAMPLE_BYTES.saturating_sub(self.partial.len()).min(bytes.len());
        self.partial.extend_from_slice(&bytes[..wanted]);
        self.partial.truncate(SAMPLE_BYTES);
        self.partial.shrink_to(SAMPLE_BYTES);
    }

    fn complete(&mut self, take: &mut impl FnMut(Line<'_>)) {
        match self.oversized.take() {
            Some(bytes) => {
                take(Line::Oversized { bytes, sample: String::from_utf8_lossy(&self.partial).into_owned() });
            }
            None => take(Line::Text(text(&self.partial))),
        }
        self.partial.clear();
        self.partial.shrink_to(KEPT_BYTES);
    }
}

fn text(line: &[u8]) -> Cow<'_, str> {
    text_as_is(line.strip_suffix(b"\r").unwrap_or(line))
}

fn text_as_is(line: &[u8]) -> Cow<'_, str> {
    // The usual case, at once: the other way looks at each character.
    std::str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(max_bytes: usize, reads: &[&[u8]]) -> Vec<String> {
        let mut decoder = LineDecoder::new(max_bytes);
        let mut lines = Vec::new();
        let mut take = |line: Line<'_>| {
            lines.push(match line {
                Line::Text(text) => text.into_owned(),
                Line::Oversized { bytes, sample } => format!("<{bytes} bytes: {sample}>"),
            });
        };
        for read in reads {
            decoder.push(read, &mut take);
        }
        decoder.finish(&mut take);
        lines
    }

    #[test]
    fn a_line_ends_at_a_line_feed_and_nowhere_else() {
        type Case<'a> = (&'a str, &'a [&'a [u8]], &'a [&'a str]);
        let cases: &[Case<'_>] = &[
            ("nothing", &[b""], &[]),
            ("two lines", &[b"a\nb\n"], &["a", "b"]),
            ("no final line feed", &[b"a\nb"], &["a", "b"]),
            ("empty lines are lines", &[b"\n\na\n\n"], &["", "", "a", ""]),
            ("CRLF, also over two reads", &[b"a\r\nb\r", b"\nc"], &["a", "b", "c"]),
            ("only one carriage return goes", &[b"a\r\r\nb\rc\n"], &["a\r", "b\rc"]),
            ("split anywhere", &[b"he", b"", b"llo\nwor", b"ld\n"], &["hello", "world"]),
            ("split inside a character", &[b"na\xc3", b"\xafve \xf0\x9f", b"\x9a\x80\n"], &["naïve 🚀"]),
            (
                "U+2028, U+0085 and NUL stay",
                &["a\u{2028}b\u{85}c\0d\x0be\n".as_bytes()],
                &["a\u{2028}b\u{85}c\0d\x0be"],
            ),
            ("invalid UTF-8 is replaced", &[b"a\xff\xfeb\nc\n"], &["a\u{fffd}\u{fffd}b", "c"]),
        ];
        for (what, reads, expected) in cases {
            assert_eq!(lines(100, reads), *expected, "{what}");
        }
    }

    #[test]
    fn a_line_beyond_the_bound_is_skipped_and_the_next_is_intact() {
        assert_eq!(lines(5, &[b"12345\n123456\nok\n"]), ["12345", "<6 bytes: 123456>", "ok"]);
        assert_eq!(lines(5, &[b"123", b"45", b"6", b"7\nok"]), ["<7 bytes: 1234567>", "ok"]);
        let long = vec![b'x'; 1000];
        let sample = "x".repeat(SAMPLE_BYTES);
        assert_eq!(lines(500, &[&long, b"\nok\n"]), [format!("<1000 bytes: {sample}>"), "ok".into()]);
        assert_eq!(lines(500, &[&long[..400], &long[..600]]), [format!("<1000 bytes: {sample}>")]);
    }

    #[test]
    fn a_line_without_an_end_is_taken_in_parts() {
        let mut decoder = LineDecoder::new(20);
        let mut read = |bytes: &[u8]| {
            let mut lines = Vec::new();
            decoder.push(bytes, |line| lines.push(format!("{line:?}")));
            (lines.len(), decoder.is_open(), decoder.take_open())
        };
        let open = |text: &str| (0, !text.is_empty(), text.to_owned());
        assert_eq!(read(b"10%\r20%\r"), open("10%\r20%"));
        assert_eq!(read(b"30%"), open("\r30%"));
        assert_eq!(read(b"\r\n"), (1, false, String::new()));
        assert_eq!(read(b"na\xc3"), open("na"));
        assert_eq!(read(b"\xafve\xff \xf0\x9f"), open("ïve\u{fffd} "));
        assert_eq!(read(b"\n\n"), (2, false, String::new()));
        assert_eq!(read(&[b'x'; 21]), open(""), "one that is too long is not taken");
        assert_eq!(read(b"x\nab"), (1, true, "ab".to_owned()));
    }

    #[test]
    fn memory_is_bounded_however_long_the_line() {
        let mut decoder = LineDecoder::new(1 << 20);
        for _ in 0..100 {
            decoder.push(&vec![b'x'; 64 << 10], |_| panic!("no line has ended"));
            assert!(decoder.partial.capacity() <= 4 << 20);
        }
        decoder.push(b"\n", |line| assert!(matches!(line, Line::Oversized { bytes, .. } if bytes == 100 * (64 << 10))));
        assert!(decoder.partial.capacity() <= KEPT_BYTES);
    }

    proptest! {
        #[test]
        fn memory_is_bounded_however_the_bytes_come(
            parts in prop::collection::vec((prop::sample::select(vec!["x", "\n", "x\r\n"]), 1..2000_usize), 0..40),
            max_bytes in 0..3000_usize,
        ) {
            let mut decoder = LineDecoder::new(max_bytes);
            for (part, times) in parts {
                decoder.push(part.repeat(times).as_bytes(), |_| {});
                prop_assert!(decoder.partial.capacity() <= 2 * (max_bytes + SAMPLE_BYTES));
            }
        }
    }
}

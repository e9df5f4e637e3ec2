//! The messages of an event stream, with bounded memory: the `text/event-stream` of the HTML standard.
//!
//! A line ends at CRLF, LF or CR only: agents send raw U+2028 inside their data. A message is complete at its blank
//! line. An incomplete message at the end of a stream is dropped, as the standard says, and its reader has to ask for
//! it again.

use std::borrow::Cow;

/// The buffer size that is kept between messages, 256 KiB. A larger buffer is freed after its message.
const KEPT_BYTES: usize = 256 << 10;
/// The bytes of a too long message that are kept, for people.
const SAMPLE_BYTES: usize = 200;
/// The longest name or id, 1 KiB. A longer one is dropped.
const NAME_BYTES_MAX: usize = 1 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines between two blank lines.
#[derive(Debug, PartialEq, Eq)]
pub enum SseMessage<'a> {
    /// A message with data.
    Event {
        /// The field `event`; most messages have none.
        name: Option<&'a str>,
        /// The lines of `data`, joined by line feeds. Invalid UTF-8 becomes U+FFFD.
        data: Cow<'a, str>,
    },
    /// A message longer than the bound, of which only the beginning is left.
    Oversized {
        /// The length of the message's lines.
        bytes: u64,
        /// The beginning of the message's data.
        sample: String,
    },
}

/// Splits a stream of bytes into messages. Holds at most one message of at most `max_bytes`.
#[derive(Debug, Clone)]
pub struct SseDecoder {
    max_bytes: usize,
    line: Vec<u8>,
    /// The lines of data so far, each with a line feed after it.
    data: Vec<u8>,
    name: Option<String>,
    last_id: Option<String>,
    retry_ms: Option<u64>,
    /// The length so far of a message that is too long.
    oversized: Option<u64>,
    /// Whether the last byte was a carriage return that ended a line. A line feed directly after it belongs to it.
    after_return: bool,
    /// Whether no line has ended yet, so that a byte order mark may come.
    at_start: bool,
}

impl SseDecoder {
    /// A decoder for messages of at most `max_bytes`.
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            line: Vec::new(),
            data: Vec::new(),
            name: None,
            last_id: None,
            retry_ms: None,
            oversized: None,
            after_return: false,
            at_start: true,
        }
    }

    /// The last id of the stream, from which a reader resumes after a break.
    pub fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// The wait that the stream asks of its readers before they reconnect, in milliseconds.
    pub fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    /// Adds the bytes of one read, and calls `take` with every message that they complete, in order.
    pub fn push(&mut self, mut bytes: &[u8], mut take: impl FnMut(SseMessage<'_>)) {
        if self.after_return && !bytes.is_empty() {
            self.after_return = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = memchr::memchr2(b'\r', b'\n', bytes) {
            self.keep(&bytes[..end]);
            self.complete_line(&mut take);
            let rest = &bytes[end + 1..];
            bytes = match (bytes[end], rest) {
                (b'\r', []) => {
                    self.after_return = true;
                    rest
                }
                (b'\r', _) => rest.strip_prefix(b"\n").unwrap_or(rest),
                _ => rest,
            };
        }
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.line.first() == Some(&b':') {
            return; // a comment, however long
        }
        if let Some(length) = &mut self.oversized {
            *length += bytes.len() as u64;
            self.line.extend_from_slice(&bytes[..bytes.len().min(1)]); // enough to tell a blank line
            self.line.truncate(1);
        } else if self.data.len() + self.line.len() + bytes.len() <= self.max_bytes {
            self.line.extend_from_slice(bytes);
        } else if self.line.is_empty() && bytes.starts_with(b":") {
            self.line.push(b':');
        } else {
            self.begin_oversized(bytes);
        }
    }

    fn begin_oversized(&mut self, bytes: &[u8]) {
        self.oversized = Some((self.data.len() + self.line.len() + bytes.len()) as u64);
        self.line.extend_from_slice(&bytes[..bytes.len().min(SAMPLE_BYTES)]);
        let (field, value) = field(&self.line);
        if field == b"data" && self.data.len() < SAMPLE_BYTES {
            self.data.extend_from_slice(value);
        }
        self.data.truncate(SAMPLE_BYTES);
        self.data.shrink_to(SAMPLE_BYTES);
        self.line.truncate(1);
        self.line.shrink_to(SAMPLE_BYTES);
    }

    fn complete_line(&mut self, take: &mut impl FnMut(SseMessage<'_>)) {
        if std::mem::take(&mut self.at_start) && self.line.starts_with(BYTE_ORDER_MARK) {
            self.line.drain(..BYTE_ORDER_MARK.len());
        }
        if self.line.is_empty() {
            self.complete_message(take);
        } else if self.oversized.is_none() {
            self.read_field();
        }
        self.line.clear();
        self.line.shrink_to(KEPT_BYTES);
    }

    fn read_field(&mut self) {
        let (field, value) = field(&self.line);
        match field {
            b"data" => {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            b"event" => self.name = name(value),
            b"id" if !value.contains(&0) => self.last_id = name(value),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                self.retry_ms = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
            }
            _ => {} // a comment, or a field that nobody knows
        }
    }

    fn complete_message(&mut self, take: &mut impl FnMut(SseMessage<'_>)) {
        let name = self.name.take();
        if let Some(bytes) = self.oversized.take() {
            take(SseMessage::Oversized { bytes, sample: String::from_utf8_lossy(&self.data).into_owned() });
        } else if let Some(data) = self.data.strip_suffix(b"\n") {
            take(SseMessage::Event { name: name.as_deref(), data: String::from_utf8_lossy(data) });
        }
        self.data.clear();
        self.data.shrink_to(KEPT_BYTES);
    }
}

/// The field and value of a line. One space after the colon belongs to neither.
fn field(line: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b':', line) {
        Some(colon) => {
            let value = &line[colon + 1..];
            (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
        }
        None => (line, b""),
    }
}

fn name(value: &[u8]) -> Option<String> {
    let short = !value.is_empty() && value.len() <= NAME_BYTES_MAX;
    short.then(|| String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn messages(max_bytes: usize, reads: &[&[u8]]) -> Vec<String> {
        let mut decoder = SseDecoder::new(max_bytes);
        let mut messages = Vec::new();
        for read in reads {
            decoder.push(read, |message| {
                messages.push(match message {
                    SseMessage::Event { name: None, data } => data.into_owned(),
                    SseMessage::Event { name: Some(name), data } => format!("{name}={data}"),
                    SseMessage::Oversized { bytes, sample } => format!("<{bytes} bytes: {sample}>"),
                });
            });
        }
        messages
    }

    #[test]
    fn a_message_is_what_stands_before_a_blank_line() {
        type Case<'a> = (&'a str, &'a [&'a [u8]], &'a [&'a str]);
        let cases: &[Case<'_>] = &[
            ("nothing", &[b""], &[]),
            ("line feeds", &[b"data: a\n\ndata: b\n\n"], &["a", "b"]),
            ("carriage returns", &[b"data: a\r\rdata: b\r\r"], &["a", "b"]),
            ("both, also over reads", &[b"data: a\r\n\r", b"\ndata: b\r", b"\n\r\n"], &["a", "b"]),
            ("mixed", &[b"data: a\r\ndata: b\n\rdata: c\r\n\n"], &["a\nb", "c"]),
            ("several lines of data", &[b"data: a\ndata\ndata:\ndata:  b\n\n"], &["a\n\n\n b"]),
            ("no space after the colon", &[b"data:a:b\n\n"], &["a:b"]),
            ("empty data is data", &[b"data\n\n"], &[""]),
            ("no data, no message", &[b"event: x\nid: 1\n\n\n\ndata: a\n\n"], &["a"]),
            ("names", &[b"event: x\ndata: a\n\ndata: b\n\n"], &["x=a", "b"]),
            ("comments", &[b": hi\ndata: a\n:data: no\n\n:\n\n"], &["a"]),
            ("unknown fields", &[b"date: a\n data: b\nDATA: c\n\ndata: d\n\n"], &["d"]),
            ("no blank line, no message", &[b"data: a\n\ndata: b\n"], &["a"]),
            ("a byte order mark at the start only", &[b"\xef\xbb", b"\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n"], &["a"]),
            ("a blank line after the mark", &[b"\xef\xbb\xbf\ndata: a\n\n"], &["a"]),
            ("split inside a character", &[b"data: na\xc3", b"\xafve \xf0\x9f", b"\x9a\x80\n\n"], &["naïve 🚀"]),
            ("U+2028, U+0085 and NUL stay", &["data: a\u{2028}b\u{85}c\0\n\n".as_bytes()], &["a\u{2028}b\u{85}c\0"]),
            ("invalid UTF-8 is replaced", &[b"data: a\xffb\n\n"], &["a\u{fffd}b"]),
        ];
        for (what, reads, expected) in cases {
            assert_eq!(messages(100, reads), *expected, "{what}");
        }
    }

    #[test]
    fn ids_and_the_pause_before_coming_back_are_kept() {
        let mut decoder = SseDecoder::new(100);
        let mut after = |bytes: &[u8]| {
            decoder.push(bytes, |_| {});
            (decoder.last_id().map(str::to_owned), decoder.retry_ms())
        };
        assert_eq!(after(b"data: a\n\n"), (None, None));
        assert_eq!(after(b"id: 7.1\nretry: 250\n\n"), (Some("7.1".into()), Some(250)));
        assert_eq!(after(b"id: 8\0\nretry: soon\nretry:\n\ndata: b\n\n"), (Some("7.1".into()), Some(250)));
        assert_eq!(after(b"retry: 99999999999999999999999\nid\n\n"), (None, None));
    }

    #[test]
    fn a_message_beyond_the_bound_is_skipped_and_the_next_is_intact() {
        assert_eq!(messages(8, &[b"data: 12\n\ndata: 123\n\ndata: ok\n\n"]), ["12", "<9 bytes: 123>", "ok"]);
        assert_eq!(messages(8, &[b"data: 1", b"23", b"45\ndata: 6\r", b"\n\r\ndata: ok\n\n"])[1], "ok");
        assert_eq!(messages(9, &[b"data: 1\ndata: 234\n\ndata: ok\n\n"]), ["<11 bytes: 1\n234>", "ok"]);
        let long = "x".repeat(1000);
        let sample = "x".repeat(SAMPLE_BYTES - 6);
        let stream = format!("data: {long}\nevent: e\n\n:{long}{long}\ndata: ok\n\n");
        assert_eq!(messages(500, &[stream.as_bytes()]), [format!("<1014 bytes: {sample}>"), "ok".into()]);
    }

    #[test]
    fn memory_is_bounded_however_long_the_message() {
        let mut decoder = SseDecoder::new(1 << 20);
        for part in [&b"x"[..], b":", b"data: y\n"] {
            for _ in 0..100 {
                decoder.push(&part.repeat(64 << 10), |_| {});
                assert!(decoder.line.capacity() + decoder.data.capacity() <= 4 << 20);
            }
        }
        decoder.push(b"\n\ndata: ok\n\n", |_| {});
        assert!(decoder.line.capacity() + decoder.data.capacity() <= 2 * KEPT_BYTES);
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_into_reads_changes_nothing(
            lines in prop::collection::vec((prop::sample::select(vec![
                "data: a🚀", "data", "data:\u{2028}", "event: e", ": c", "id: 1", "", "", "x",
            ]), prop::sample::select(vec!["\n", "\r", "\r\n"])), 0..40),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
            max_bytes in 0..60_usize,
        ) {
            let stream: String = lines.iter().flat_map(|(line, end)| [*line, *end]).collect();
            let bytes = stream.as_bytes();
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            ends.sort_unstable();
            ends.push(bytes.len());
            let mut begin = 0;
            let reads: Vec<&[u8]> = ends.iter().map(|end| &bytes[std::mem::replace(&mut begin, *end)..*end]).collect();
            prop_assert_eq!(messages(1000, &reads), messages(1000, &[bytes]));
            let count = |reads: &[&[u8]]| messages(max_bytes, reads).len();
            prop_assert_eq!(count(&reads), count(&[bytes]));
        }

        #[test]
        fn memory_is_bounded_however_the_bytes_come(
            parts in prop::collection::vec((prop::sample::select(vec!["data: ", "x", ":", "\n", "\r\n\r\n"]), 1..2000_usize), 0..40),
            max_bytes in 0..3000_usize,
        ) {
            let mut decoder = SseDecoder::new(max_bytes);
            for (part, times) in parts {
                decoder.push(part.repeat(times).as_bytes(), |_| {});
                prop_assert!(decoder.line.capacity() + decoder.data.capacity() <= 4 * (max_bytes + SAMPLE_BYTES));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(reads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20)) {
            messages(20, &reads.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
    }
}

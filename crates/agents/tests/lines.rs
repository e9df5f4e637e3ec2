//! The line decoder against everything that stands on a pipe.
#![allow(missing_docs, clippy::unwrap_used)] // test helpers

use proptest::prelude::*;
use townwatch_agents::lines::{Line, LineDecoder};
use townwatch_protocol::limits::STDOUT_LINE_BYTES_MAX;

/// The lines of reads; `None` for one that is too long.
fn lines<'a>(max_bytes: usize, reads: impl Iterator<Item = &'a [u8]>) -> Vec<Option<String>> {
    let mut lines = Vec::new();
    let mut take = |line: Line<'_>| {
        lines.push(match line {
            Line::Text(text) => Some(text.into_owned()),
            Line::Oversized { .. } => None,
        });
    };
    let mut decoder = LineDecoder::new(max_bytes);
    reads.for_each(|read| decoder.push(read, &mut take));
    decoder.finish(&mut take);
    lines
}

#[test]
fn a_line_of_32_mib_is_noticed_and_its_neighbours_are_intact() {
    let mut output = b"{\"a\":1}\n".to_vec();
    output.resize(output.len() + (32 << 20), b'x');
    output.extend_from_slice("\n{\"b\":\"\u{2028}\"}\r\n{\"c\":\"\\ud83d\"}".as_bytes());
    for read_bytes in [64 << 10, 1_000_003, output.len()] {
        let lines = lines(STDOUT_LINE_BYTES_MAX, output.chunks(read_bytes));
        let expected = [Some("{\"a\":1}"), None, Some("{\"b\":\"\u{2028}\"}"), Some("{\"c\":\"\\ud83d\"}")];
        assert_eq!(lines, expected.map(|line| line.map(str::to_owned)), "{read_bytes}");
    }
}

#[test]
fn an_event_inside_another_line_is_no_line() {
    let output = "{\"text\":\"{\\\"type\\\":\\\"result\\\"}\\n\"}\ndebug: {\"type\":\"result\"}\r{\"b\":1}\n";
    let expected = [r#"{"text":"{\"type\":\"result\"}\n"}"#, "debug: {\"type\":\"result\"}\r{\"b\":1}"];
    assert_eq!(lines(100, [output.as_bytes()].into_iter()), expected.map(|line| Some(line.to_owned())));
}

/// Bytes of which many mean something to a decoder of lines.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let meant = prop::sample::select(b"\n\n\r\0x\"\\{}\x0b\x0c\x85\xe2\x80\xa8\xc3\xaf\xff".to_vec());
    prop::collection::vec(prop_oneof![meant, any::<u8>()], 0..400)
}

proptest! {
    #[test]
    fn the_lines_are_those_between_the_line_feeds(output in bytes(), read_bytes in 1..50_usize, max_bytes in 1..40_usize) {
        let mut expected: Vec<&[u8]> = output.split(|byte| *byte == b'\n').collect();
        if expected.last().is_some_and(|last| last.is_empty()) {
            expected.pop(); // behind a last line feed there is no line
        }
        let text = |line: &[u8]| String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
        let expected: Vec<_> = expected.into_iter().map(|line| (line.len() <= max_bytes).then(|| text(line))).collect();
        prop_assert_eq!(lines(max_bytes, output.chunks(read_bytes)), expected);
    }
}

//! Whatever the bytes and however they come in reads: the lines are those between the line feeds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use townwatch_agents::lines::{Line, LineDecoder};

fuzz_target!(|input: (u8, Vec<u8>)| {
    const BYTES_MAX: usize = 100;
    let (read_bytes, output) = input;
    let mut lines = Vec::new();
    let mut take = |line: Line<'_>| {
        lines.push(match line {
            Line::Text(text) => Some(text.into_owned()),
            Line::Oversized { .. } => None,
        });
    };
    let mut decoder = LineDecoder::new(BYTES_MAX);
    for read in output.chunks(usize::from(read_bytes).max(1)) {
        decoder.push(read, &mut take);
    }
    decoder.finish(&mut take);
    let mut expected: Vec<&[u8]> = output.split(|byte| *byte == b'\n').collect();
    if expected.last().is_some_and(|last| last.is_empty()) {
        expected.pop(); // behind a last line feed there is no line
    }
    let text = |line: &[u8]| String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
    let expected: Vec<_> = expected.into_iter().map(|line| (line.len() <= BYTES_MAX).then(|| text(line))).collect();
    assert_eq!(lines, expected);
});

//! Whatever a program prints: no panic, bounded lines, and in pieces the same as whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use townwatch_terminal::{LINES_MAX, Terminal};

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (piece_bytes, bytes) = input;
    let (mut whole, mut pieces) = (Terminal::default(), Terminal::default());
    whole.feed(0, &bytes);
    for piece in bytes.chunks(usize::from(piece_bytes).max(1)) {
        pieces.feed(0, piece);
    }
    assert!(whole.lines().eq(pieces.lines()));
    assert!(whole.lines().count() <= LINES_MAX);
    assert!(!whole.text().chars().any(|one| one.is_control() && one != '\n'));
});

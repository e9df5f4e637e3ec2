//! Whatever the bytes and however they come in reads: the messages are those that the standard's own words make of them.
#![no_main]

#[path = "../../crates/agents/tests/stream_model/mod.rs"]
mod stream_model;

use libfuzzer_sys::fuzz_target;
use stream_model::{expected, messages};

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (read_bytes, stream) = input;
    let reads = || stream.chunks(usize::from(read_bytes).max(1));
    assert_eq!(messages(usize::MAX, reads()), expected(&stream));
    let count = |messages: Vec<_>| messages.len();
    assert_eq!(count(messages(20, reads())), count(messages(20, [&stream[..]].into_iter())));
});

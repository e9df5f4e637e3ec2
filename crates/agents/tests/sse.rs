//! The decoder of event streams against everything that a server may send.
#![allow(missing_docs, clippy::unwrap_used)] // test helpers

mod stream_model;

use proptest::prelude::*;
use stream_model::{expected, messages};
use townwatch_protocol::limits::STDOUT_LINE_BYTES_MAX;

#[test]
fn data_of_32_mib_is_noticed_and_its_neighbours_are_intact() {
    let mut stream = b"data: {\"a\":1}\n\ndata: ".to_vec();
    stream.resize(stream.len() + (32 << 20), b'x');
    stream.extend_from_slice("\r\n\r\ndata: {\"b\":\"\u{2028}\"}\n\ndata: {\"c\":\"\\ud83d\"}\n\n".as_bytes());
    for read_bytes in [64 << 10, 1_000_003, stream.len()] {
        let expected = [Some("{\"a\":1}"), None, Some("{\"b\":\"\u{2028}\"}"), Some("{\"c\":\"\\ud83d\"}")];
        let messages = messages(STDOUT_LINE_BYTES_MAX, stream.chunks(read_bytes));
        assert_eq!(messages, expected.map(|data| data.map(str::to_owned)), "{read_bytes}");
    }
}

#[test]
fn a_frame_inside_anothers_data_is_no_frame() {
    let stream = b"data: {\"text\":\"data: {}\\n\\n\"} data: {}\n\ndata: next\n\n";
    let texts = [r#"{"text":"data: {}\n\n"} data: {}"#, "next"];
    assert_eq!(messages(100, [&stream[..]].into_iter()), texts.map(|data| Some(data.to_owned())));
}

/// Streams of which many parts mean something to a decoder.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let meant =
        ["data", "data:", "data: ", ":", " ", "\n", "\n\n", "\r", "\r\n", "event: e", "id: 1", "retry: 2", "\0"];
    let meant = meant
        .map(|text| text.as_bytes().to_vec())
        .into_iter()
        .chain([b"\xef\xbb\xbf".to_vec(), b"\xe2\x80\xa8".to_vec()]);
    let meant = prop::sample::select(meant.collect::<Vec<_>>());
    prop::collection::vec(prop_oneof![6 => meant, 1 => prop::collection::vec(any::<u8>(), 0..4)], 0..80)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn the_messages_are_those_of_the_standard(stream in stream(), read_bytes in 1..50_usize) {
        prop_assert_eq!(messages(usize::MAX, stream.chunks(read_bytes)), expected(&stream));
    }

    #[test]
    fn which_messages_are_too_long_does_not_depend_on_the_reads(
        stream in stream(), read_bytes in 1..50_usize, max_bytes in 0..40_usize,
    ) {
        let whole = messages(max_bytes, [&stream[..]].into_iter());
        prop_assert_eq!(messages(max_bytes, stream.chunks(read_bytes)), whole);
    }
}

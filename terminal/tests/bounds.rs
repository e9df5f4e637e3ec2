//! Whatever is printed: no panic, bounded memory, and in pieces the same as whole.

use proptest::prelude::*;
use townwatch_terminal::{CELLS_MAX, COLUMNS_MAX, EDITED_COLUMNS_MAX, LINES_MAX, MARKS_MAX, Terminal};

/// Bytes that often are something to a terminal.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![0..10_u32, Just(99), Just(1_000), Just(65_535), Just(u32::MAX)];
    let control = (number.clone(), number, prop::sample::select(b"@ABCDEFGHIJKLMPSTXZ`abdefghlmsu".to_vec()))
        .prop_map(|(one, other, action)| format!("\x1b[{one};{other}{}", char::from(action)).into_bytes());
    let fixed = prop::sample::select(vec![
        "a",
        "text",
        " ",
        "\n",
        "\r",
        "\t",
        "\x08",
        "日",
        "é",
        "e\u{301}",
        "👩\u{200d}💻",
        "\x1b7",
        "\x1b8",
        "\x1bM",
        "\x1bc",
        "\x1bD",
        "\x1bH",
        "\x1b[3g",
        "\x1b[3J",
        "\x1b[?1049h",
        "\x1b[?1049l",
        "\x1b[4h",
        "\x1b[4l",
        "\x1b(0",
        "\x1b(B",
        "\x1b]8;;https://example.com/\x07",
        "\x1b]8;;\x07",
        "\x1bP",
        "\x1b\\",
        "\x1b[38;5;9m",
        "\x1b[0m",
        "\x1b[4:3m",
    ])
    .prop_map(|text| text.as_bytes().to_vec());
    let part = prop_oneof![3 => fixed, 3 => control, 1 => prop::collection::vec(any::<u8>(), 0..8)];
    prop::collection::vec(part, 0..120).prop_map(|parts| parts.concat())
}

fn cells(terminal: &Terminal) -> usize {
    terminal.lines().flatten().map(|span| span.text.chars().count()).sum()
}

proptest! {
    #[test]
    fn in_pieces_it_is_the_same_as_whole(bytes in bytes(), size in 1..9_usize) {
        let (mut whole, mut pieces) = (Terminal::default(), Terminal::default());
        whole.feed(0, &bytes);
        let mut shown = Vec::new();
        let mut base = 0;
        for piece in bytes.chunks(size) {
            pieces.feed(0, piece);
            let changes = pieces.take_changes();
            if changes.dropped > base {
                shown.drain(..usize::try_from(changes.dropped - base).unwrap().min(shown.len()));
            }
            base = changes.dropped;
            shown.truncate(usize::try_from(changes.from - base).unwrap());
            shown.extend(changes.lines);
        }
        prop_assert!(whole.lines().eq(pieces.lines()));
        prop_assert!(pieces.lines().eq(shown), "the changes are enough");
        prop_assert!(whole.lines().count() <= LINES_MAX);
        prop_assert!(cells(&whole) <= CELLS_MAX * (1 + MARKS_MAX));
        prop_assert!(!whole.text().chars().any(|one| one.is_control() && one != '\n'));
    }
}

#[test]
fn the_oldest_lines_go_and_are_counted() {
    let mut terminal = Terminal::default();
    for number in 0..LINES_MAX + 10 {
        terminal.feed(0, format!("{number}\n").as_bytes());
    }
    assert_eq!((terminal.lines().count(), terminal.dropped()), (LINES_MAX, 10));
    assert_eq!(terminal.lines().next().unwrap()[0].text, "10");
}

#[test]
fn a_line_and_all_lines_have_a_bound() {
    let mut terminal = Terminal::default();
    terminal.feed(0, &vec![b'x'; 3 * COLUMNS_MAX]);
    assert_eq!(cells(&terminal), COLUMNS_MAX);
    for _ in 0..2 * CELLS_MAX / COLUMNS_MAX {
        terminal.feed(0, b"\n");
        terminal.feed(0, &vec![b'y'; COLUMNS_MAX]);
    }
    assert!(cells(&terminal) <= CELLS_MAX && terminal.dropped() > 0);
}

#[test]
fn a_few_bytes_do_not_make_much() {
    let mut terminal = Terminal::default();
    terminal.feed(0, b"\x1b[65535;65535Hx");
    assert_eq!(terminal.last_line()[0].text.len(), EDITED_COLUMNS_MAX + 1);
    assert_eq!(terminal.lines().count(), 100);
    let mut accents = Terminal::default();
    accents.feed(0, format!("e{}", "\u{301}".repeat(10_000)).as_bytes());
    assert_eq!(cells(&accents), 1 + MARKS_MAX);
    let mut string = Terminal::default();
    string.feed(0, b"\x1b]8;;https://example.com/");
    for _ in 0..1_000 {
        string.feed(0, &[b'a'; 1_000]);
    }
    string.feed(0, b"\x07x");
    assert_eq!(string.last_line()[0].style.link, None);
}

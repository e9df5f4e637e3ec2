//! What real programs print with colour and progress, and what a terminal shows of it, line by line.

use std::path::Path;
use std::{fs, io};

use townwatch_terminal::Terminal;

const RECORDINGS: [&str; 10] = [
    "cargo.err",
    "git-clone.err",
    "ls-color.out",
    "made-cursor.out",
    "made-junk.out",
    "made-osc8.out",
    "made-sgr.out",
    "npm-ls.out",
    "pytest.out",
    "vite.out",
];

fn read(name: &str) -> io::Result<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings/terminal").join(name);
    fs::read(path)
}

fn text(terminal: &Terminal) -> String {
    terminal.text().trim_end_matches('\n').to_owned()
}

#[test]
fn each_line_is_what_a_terminal_shows() {
    for name in RECORDINGS {
        let mut terminal = Terminal::default();
        terminal.feed(0, &read(name).unwrap());
        let expected = String::from_utf8(read(&format!("{name}.txt")).unwrap()).unwrap();
        let shown = text(&terminal);
        for (number, (shown, expected)) in shown.lines().zip(expected.lines()).enumerate() {
            assert_eq!(shown, expected, "{name}, line {}", number + 1);
        }
        assert_eq!(shown.lines().count(), expected.trim_end_matches('\n').lines().count(), "{name}");
    }
}

#[test]
fn byte_by_byte_is_the_same_as_whole() {
    for name in RECORDINGS {
        let bytes = read(name).unwrap();
        let (mut whole, mut pieces) = (Terminal::default(), Terminal::default());
        whole.feed(0, &bytes);
        for byte in &bytes {
            pieces.feed(0, &[*byte]);
        }
        assert!(whole.lines().eq(pieces.lines()), "{name}");
    }
}

#[test]
fn what_changed_is_enough_to_show_all() {
    for name in RECORDINGS {
        let mut terminal = Terminal::default();
        let mut shown = Vec::new();
        for piece in read(name).unwrap().chunks(37) {
            terminal.feed(0, piece);
            let changes = terminal.take_changes();
            assert_eq!(changes.dropped, 0);
            shown.truncate(usize::try_from(changes.from).unwrap());
            shown.extend(changes.lines);
        }
        assert!(terminal.lines().eq(shown), "{name}");
    }
}

//! What each sequence does, as text and as styles.

use townwatch_terminal::style::{Attributes, Colour, Style, Underline};
use townwatch_terminal::{LINK_BYTES_MAX, Terminal, plain};

fn shown(bytes: &str) -> String {
    let mut terminal = Terminal::default();
    terminal.feed(0, bytes.as_bytes());
    terminal.text()
}

#[test]
fn text_is_where_the_cursor_was() {
    for (bytes, expected) in [
        // lines
        ("a\nb", "a\nb\n"),
        ("a\r\nb\n\n", "a\nb\n\n"),
        ("a\x0bb\x0cc", "a\nb\nc\n"),
        ("a\u{85}b", "a\nb\n"),
        ("a\x1bEb\x1bDc", "a\nb\n c\n"),
        ("trailing  \nx", "trailing  \nx\n"),
        ("abc\x1b[2D\x1b[9X", "a\n"),
        // within a line
        ("10%\r20%\r100%", "100%\n"),
        ("100%\r20%", "20%%\n"),
        ("abc\x08\x08X", "aXc\n"),
        ("\x08\x08a", "a\n"),
        ("a\tb\tc", "a       b       c\n"),
        ("abc\x1b[2DX", "aXc\n"),
        ("a\x1b[3Cb\x1b[5G!", "a   !\n"),
        ("a\x1b[3ab\x1b[2`!", "a!  b\n"),
        ("abcdef\r\x1b[3Ix", "abcdef                  x\n"),
        ("a\tb\x1b[2Zx", "x       b\n"),
        ("\x1b[3g\x1b[5G\x1bH\rab\tX", "ab  X\n"),
        ("\x1b[9G\x1b[g\r\tX", "                X\n"),
        // erase, insert, delete, repeat
        ("abc\x1b[2D\x1b[K", "a\n"),
        ("abc\x1b[2D\x1b[1KX", " Xc\n"),
        ("abc\x1b[2K!", "   !\n"),
        ("abcdef\x1b[3G\x1b[2X", "ab  ef\n"),
        ("abcdef\x1b[3G\x1b[2P", "abef\n"),
        ("abcdef\x1b[3G\x1b[2@", "ab  cdef\n"),
        ("abc\r\x1b[4hX\x1b[4lY", "XYbc\n"),
        ("ab\x1b[3b", "abbbb\n"),
        // among lines
        ("1\n2\n3\x1b[2AX", "1X\n2\n3\n"),
        ("1\n2\n3\x1b[2FX", "X\n2\n3\n"),
        ("1\n2\x1b[A\x1b[2EX", "1\n2\nX\n"),
        ("1\n2\n3\x1b[HX", "X\n2\n3\n"),
        ("1\n2\n3\x1b[2;3HX", "1\n2 X\n3\n"),
        ("1\n2\n3\x1b[2;3fX\x1b[1dY", "1  Y\n2 X\n3\n"),
        ("1\n2\n3\x1b[2H\x1b[J", "1\n\n"),
        ("11\n22\n33\x1b[2;1H\x1b[1J", "\n 2\n33\n"),
        ("1\n2\x1b[2JX", "\n X\n"),
        ("1\n2\x1b[2J\x1b[HX", "X\n\n"),
        ("1\n2\n3\x1b[2H\x1b[L", "1\n\n2\n3\n"),
        ("1\n2\n3\x1b[2H\x1b[MX", "1\nX\n"),
        ("1\n2\n3\x1b[S", "2\n3\n"),
        ("1\n2\x1b[T", "\n1\n2\n"),
        ("1\n2\x1b[H\x1bMX", "X\n1\n2\n"),
        ("ab\x1b7cd\x1b8X", "abXd\n"),
        ("ab\x1b[scd\x1b[uX", "abXd\n"),
        ("a\n\x1bcb", "b\n"),
        ("a\x1b[?1049hb\x1b[?1049lc", "ac\n"),
        ("a\n\x1b[?1049hb", "\nb\n"),
        ("a\x1b[?47hb\x1b[?47lc", "ac\n"),
        // characters
        ("\x1b(0lqk\x1b(Bq", "┌─┐q\n"),
        ("\x1b)0a\x0eq\x0fq", "a─q\n"),
        ("日本\x1b[2DX", "日X\n"),
        ("日本\x1b[3GX", "日X\n"),
        ("日本\x1b[2GX", " X本\n"),
        ("日本\x1b[2G\x1b[K", "\n"),
        ("e\u{301}x", "e\u{301}x\n"),
        ("👩\u{200d}💻!", "👩\u{200d}💻!\n"),
        ("\u{301}x", "x\n"),
        // nothing to see
        ("a\x1b]0;title\x07b\x1b]2;t\x1b\\c", "abc\n"),
        ("a\x1bPq#0\x1b\\b\x1b_x\x1b\\c\x1b^x\x1b\\d\x1bXx\x1b\\e", "abcde\n"),
        ("a\0\x07\x7fb\x1b[?25l\x1b[6n\x1b[cc\x1b[2 qd\x1b=\x1b>e", "abcde\n"),
        ("a\x1b[3\x18b", "ab\n"),
        ("a\x1b[>4;1m\x1b[?4mb", "ab\n"),
        ("a\x1b[31", "a\n"),
    ] {
        assert_eq!(shown(bytes), expected, "{bytes:?}");
    }
}

#[test]
fn invalid_utf_8_is_shown_as_such() {
    let mut terminal = Terminal::default();
    terminal.feed(0, b"a\xff\xfeb\xc3");
    terminal.feed(0, b"\xa9c");
    terminal.feed(0, b"\xc3");
    terminal.feed(0, b"\xa9a\xc3");
    terminal.feed(0, b"\xa9");
    assert_eq!(terminal.text(), "a\u{fffd}\u{fffd}bécéaé\n");
}

/// The style of the one character that is printed.
fn style(bytes: &str) -> Style {
    let mut terminal = Terminal::default();
    terminal.feed(0, format!("{bytes}x").as_bytes());
    let line = terminal.last_line();
    assert_eq!((line.len(), line[0].text.as_str()), (1, "x"), "{bytes:?}");
    line[0].style
}

#[test]
fn colours_and_underlines_in_all_forms() {
    let orange = Colour::Rgb(255, 100, 0);
    let plain = Style::default();
    let over = |foreground| Style { foreground, ..plain };
    let under = |underline| Style { underline, ..plain };
    let with = |attributes| Style { attributes, ..plain };
    for (bytes, expected) in [
        ("\x1b[31m", over(Colour::Indexed(1))),
        ("\x1b[97m", over(Colour::Indexed(15))),
        ("\x1b[38;5;208m", over(Colour::Indexed(208))),
        ("\x1b[38:5:208m", over(Colour::Indexed(208))),
        ("\x1b[38;2;255;100;0m", over(orange)),
        ("\x1b[38:2:255:100:0m", over(orange)),
        ("\x1b[38:2::255:100:0m", over(orange)),
        ("\x1b[38:2:1:255:100:0:0:1m", over(orange)),
        ("\x1b[38;2;256;0;0m", plain),
        ("\x1b[38;5;300m\x1b[38m\x1b[38;9m\x1b[38:9m", plain),
        ("\x1b[31m\x1b[39m", plain),
        ("\x1b[31m\x1b[m", plain),
        ("\x1b[41m", Style { background: Colour::Indexed(1), ..plain }),
        ("\x1b[107m", Style { background: Colour::Indexed(15), ..plain }),
        ("\x1b[48:2::255:100:0m", Style { background: orange, ..plain }),
        ("\x1b[58;5;1m", Style { underline_colour: Colour::Indexed(1), ..plain }),
        ("\x1b[58:2::255:100:0m", Style { underline_colour: orange, ..plain }),
        ("\x1b[58;2;255;100;0;3m", Style { underline_colour: orange, attributes: Attributes::ITALIC, ..plain }),
        ("\x1b[58;5;1m\x1b[59m", plain),
        ("\x1b[4m", under(Underline::Single)),
        ("\x1b[4:0m", plain),
        ("\x1b[4:1m", under(Underline::Single)),
        ("\x1b[4:2m", under(Underline::Double)),
        ("\x1b[21m", under(Underline::Double)),
        ("\x1b[4:3m", under(Underline::Curly)),
        ("\x1b[4:4m", under(Underline::Dotted)),
        ("\x1b[4:5m", under(Underline::Dashed)),
        ("\x1b[4m\x1b[24m", plain),
        ("\x1b[1;2;3;5m", with(Attributes::BOLD | Attributes::DIM | Attributes::ITALIC | Attributes::BLINK)),
        ("\x1b[7;8;9;53m", with(Attributes::INVERSE | Attributes::HIDDEN | Attributes::STRIKE | Attributes::OVERLINE)),
        ("\x1b[1;2;3;5;7;8;9;53m\x1b[22;23;25;27;28;29;55m", plain),
        ("\x1b[1m\x1b7\x1b[0m\x1b8", with(Attributes::BOLD)),
        ("\x1b[1m\x1b[!p", plain),
    ] {
        assert_eq!(style(bytes), expected, "{bytes:?}");
    }
}

/// The text and the address of each span.
fn links(bytes: &str) -> Vec<(String, Option<String>)> {
    let mut terminal = Terminal::default();
    terminal.feed(0, bytes.as_bytes());
    let spans = terminal.lines().flatten();
    spans.map(|span| (span.text, span.style.link.and_then(|link| terminal.link(link)).map(str::to_owned))).collect()
}

#[test]
fn a_link_keeps_its_address() {
    let open = |address: &str| format!("\x1b]8;;{address}\x07x\x1b]8;;\x1b\\y");
    for address in
        ["https://example.com/a;b;c", "http://[::1]/", "file:///etc/hosts", "mailto:a@example.com", "HTTPS://X"]
    {
        let expected = [("x".to_owned(), Some(address.to_owned())), ("y".to_owned(), None)];
        assert_eq!(links(&open(address)), expected, "{address}");
    }
    let long = |bytes: usize| format!("https://{}", "a".repeat(bytes - 8));
    assert_eq!(links(&open(&long(LINK_BYTES_MAX)))[0].1, Some(long(LINK_BYTES_MAX)));
    let many_parts = format!("https://{}", ";".repeat(20));
    for address in
        ["javascript:alert(1)", "data:text/html,x", "https://a b", "nothing", &long(2_049), &long(9_000), &many_parts]
    {
        assert_eq!(links(&open(address)), [("xy".to_owned(), None)], "{address}");
    }
    let long_id = format!("\x1b]8;id={};https://example.com/{}\x07x", "i".repeat(4_050), "cut".repeat(9));
    assert_eq!(links(&long_id), [("x".to_owned(), None)], "half an address is none");
    assert_eq!(
        links("\x1b]8;;https://a.example/\x07a\x1b[0mb"),
        [("ab".to_owned(), Some("https://a.example/".to_owned()))]
    );
}

#[test]
fn two_streams_share_the_screen_and_each_keeps_its_own_escapes() {
    let mut terminal = Terminal::default();
    terminal.feed(1, b"50%\x1b[3");
    terminal.feed(0, b"done\n");
    terminal.feed(1, b"1mred\n");
    let lines: Vec<Vec<(String, u8)>> =
        terminal.lines().map(|line| line.into_iter().map(|span| (span.text, span.style.source)).collect()).collect();
    assert_eq!(lines, [vec![("50%".to_owned(), 1), ("done".to_owned(), 0)], vec![("red".to_owned(), 1)]]);
    assert_eq!(terminal.last_line()[0].style.foreground, Colour::Indexed(1));
}

#[test]
fn one_line_as_text() {
    assert_eq!(plain("10%\r\x1b[K20%"), "20%");
    assert_eq!(plain("\x1b[31merror\x1b[0m: no"), "error: no");
    assert_eq!(plain("as it is  "), "as it is  ");
}

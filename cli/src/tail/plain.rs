//! Foreign text, made harmless for a terminal.

/// One line of at most `chars_max` characters. White space becomes one space. A character that a terminal could obey,
/// or that could hide or reverse its neighbours, becomes a mark.
pub(crate) fn line(text: &str, chars_max: usize) -> String {
    let mut shown = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        if count > 0 {
            shown.push(' ');
            count += 1;
        }
        for character in word.chars() {
            if count >= chars_max {
                shown.push('…');
                return shown;
            }
            shown.push(harmless(character));
            count += 1;
        }
    }
    shown
}

/// The lines of a text, complete and in their form, but harmless.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().map(|line| line.replace('\t', "    ").chars().map(harmless).collect())
}

/// A character, or a mark in place of one that a terminal could obey or that hides text.
pub(super) fn harmless(character: char) -> char {
    match character {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'), // the control's own picture
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}'                         // C1: a terminal may take U+009B for ESC [
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}' // unseen, or turning text around
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_whole_and_apart() {
        let text = format!("if x:\n\tgo \x1b[2J\r\n{}", "y".repeat(10_000));
        assert_eq!(
            lines(&text).collect::<Vec<_>>(),
            ["if x:".to_owned(), "    go ␛[2J".to_owned(), "y".repeat(10_000)]
        );
    }

    #[test]
    fn what_a_terminal_could_obey_is_only_shown() {
        let cases = [
            ("plain  text\n\twith breaks", "plain text with breaks"),
            ("\x1b[31mred\x1b]0;title\x07", "␛[31mred␛]0;title␇"),
            ("a\u{9b}31mb\x7f\0", "a\u{fffd}31mb␡␀"),
            ("file\u{202e}txt.exe\u{200b}", "file\u{fffd}txt.exe\u{fffd}"),
            ("naïve 🚀 日本", "naïve 🚀 日本"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(line(text, 100), expected);
        }
        assert_eq!(line("ééééé", 5), "ééééé");
        assert_eq!(line("ééééé é", 5), "ééééé …");
        assert_eq!(line(&"x".repeat(10_000), 5), "xxxxx…");
    }
}

//! Holds a generated file against what generates it.

use std::fmt::Write;
use std::path::Path;

use similar::TextDiff;

/// Lines of a difference that are shown: a renamed type may change thousands.
const LINES_SHOWN: usize = 80;

/// Fails, with the lines that differ, where the file `path` of the project is not `fresh`. With `TOWNWATCH_WRITE_TYPES`
/// (`npm run types`) it is written first.
pub(crate) fn hold(path: &str, fresh: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("TOWNWATCH_WRITE_TYPES").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, fresh).unwrap();
    }
    let stored = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        stored == fresh,
        "{path} has drifted from what it is generated from:\n\n{}\n`npm run types` writes it anew.\n",
        difference(path, &stored, fresh)
    );
}

/// The same of a part of a document: what stands between the lines `<!-- name: … -->` and `<!-- end of name -->`.
pub(crate) fn hold_part(path: &str, name: &str, fresh: &str) {
    let stored = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let begin = stored.find(&format!("<!-- {name}:")).unwrap_or_else(|| panic!("{path} has no part `{name}`"));
    let begin = begin + stored[begin..].find('\n').unwrap() + 1;
    let end = begin + stored[begin..].find(&format!("<!-- end of {name} -->")).unwrap();
    hold(path, &format!("{}{fresh}{}", &stored[..begin], &stored[end..]));
}

/// The difference in the unified format: `-` is in the file, `+` is what it should say.
fn difference(path: &str, stored: &str, fresh: &str) -> String {
    let difference = TextDiff::from_lines(stored, fresh);
    let text = difference.unified_diff().header(path, "generated").to_string();
    let mut shown: String = text.lines().take(LINES_SHOWN).flat_map(|line| [line, "\n"]).collect();
    let rest = text.lines().count().saturating_sub(LINES_SHOWN);
    if rest > 0 {
        writeln!(shown, "… and {rest} lines more").unwrap();
    }
    shown
}

#[test]
fn a_difference_names_the_lines_and_is_bounded() {
    let difference = |stored: &str, fresh: &str| difference("a.ts", stored, fresh);
    assert_eq!(difference("a\nb\nc\n", "a\nB\nc\n"), "--- a.ts\n+++ generated\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
    let long = difference("", &"x\n".repeat(1_000));
    assert!(long.lines().count() == LINES_SHOWN + 1 && long.ends_with("… and 923 lines more\n"), "{long}");
}

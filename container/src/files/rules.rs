//! The rules of the `.gitignore` files of a working directory. An agent may write these files as it likes, so they are
//! bounded in bytes, lines, number and time. Rules beyond a bound are not applied.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustix::fs::{Mode, OFlags};

/// The bytes that are read of one file, 64 KiB; the rest is not applied. The file of a large project has 10 KB.
const FILE_BYTES_MAX: usize = 64 << 10;
/// The lines that are read of one file, 1,000; the rest is not applied.
const FILE_LINES_MAX: usize = 1_000;
/// The length of one line, 1 KiB; a longer one is left out.
const LINE_BYTES_MAX: usize = 1 << 10;
/// The files of a working directory, 256; further ones are not applied.
const FILES_MAX: usize = 256;
/// The bytes that are read of all files together, 1 MiB; a file that exceeds it is not applied.
const ALL_BYTES_MAX: usize = 1 << 20;
/// The time that a run may spend on compiling rules, 2 s; files that are read later are not applied. A file of 1,000
/// lines takes some milliseconds, and takes them again each time that it is written.
const MAKING_MAX: Duration = Duration::from_secs(2);

/// The rules that are applied.
#[derive(Debug, Default)]
pub(super) struct Rules {
    by_directory: BTreeMap<PathBuf, DirectoryRules>,
    making: Duration,
    /// Whether some rules are not applied.
    pub(super) is_cut: bool,
}

#[derive(Debug)]
struct DirectoryRules {
    rules: Gitignore,
    bytes: usize,
}

impl Rules {
    /// Reads a directory's `.gitignore`, which may have changed or gone.
    pub(super) fn read(&mut self, dir: &Path) {
        self.by_directory.remove(dir);
        let Some(text) = beginning_of(&dir.join(".gitignore")) else { return };
        let bytes = text.len() + self.by_directory.values().map(|made| made.bytes).sum::<usize>();
        if self.by_directory.len() >= FILES_MAX || bytes > ALL_BYTES_MAX || self.making >= MAKING_MAX {
            self.is_cut = true;
            return;
        }
        let begun = Instant::now();
        let (rules, is_whole) = make(dir, &text);
        self.making += begun.elapsed();
        self.is_cut |= !is_whole;
        if let Some(rules) = rules {
            self.by_directory.insert(dir.to_owned(), DirectoryRules { rules, bytes: text.len() });
        }
    }

    /// Forgets the rules of a directory that is gone.
    pub(super) fn forget(&mut self, dir: &Path) {
        self.by_directory.remove(dir);
    }

    /// The verdict of a directory's own rules on a path below it: `false` leaves it out, `true` keeps it, `None` says
    /// nothing.
    pub(super) fn of(&self, dir: &Path, path: &Path, is_dir: bool) -> Option<bool> {
        match self.by_directory.get(dir)?.rules.matched_path_or_any_parents(path, is_dir) {
            Match::Ignore(_) => Some(false),
            Match::Whitelist(_) => Some(true),
            Match::None => None,
        }
    }
}

/// Compiles the rules of a text; gives them, and whether they are all that the text has.
fn make(dir: &Path, text: &[u8]) -> (Option<Gitignore>, bool) {
    let is_long = text.len() > FILE_BYTES_MAX;
    let text = String::from_utf8_lossy(&text[..text.len().min(FILE_BYTES_MAX)]);
    let lines: Vec<&str> = text.lines().collect();
    // The last line of a text that was cut may be half a line, and mean something else.
    let whole = lines.len() - usize::from(is_long && !lines.is_empty());
    let mut is_whole = !is_long && whole <= FILE_LINES_MAX;
    let mut rules = GitignoreBuilder::new(dir);
    for line in lines.into_iter().take(whole.min(FILE_LINES_MAX)) {
        if line.len() > LINE_BYTES_MAX {
            is_whole = false;
        } else {
            let _ = rules.add_line(None, line); // one that is none loses no other
        }
    }
    let made = rules.build().ok();
    (made, is_whole)
}

/// Reads the beginning of a file, with one byte more than is used if the file is longer. A link is not followed, and a
/// special file, such as a pipe, is not waited for.
fn beginning_of(path: &Path) -> Option<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mut text = Vec::new();
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A directory of a test's own.
    fn directory(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("townwatch-rules-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    fn leaves_out(rules: &Rules, dir: &Path, name: &str) -> bool {
        rules.of(dir, &dir.join(name), false) == Some(false)
    }

    #[test]
    fn what_is_beyond_a_files_bound_is_not_applied_and_known() {
        let dir = directory("file");
        let lines = |count: usize| (0..count).map(|number| format!("file-{number}")).collect::<Vec<_>>().join("\n");
        let long = |bytes: usize| format!("one\n{}\nlast", "# a comment\n".repeat(bytes / 12));
        for (text, last, is_applied) in [
            (lines(1_000), "file-999", true),
            (lines(1_001), "file-1000", false),
            (long(8 << 10), "last", true),
            (long(64 << 10), "last", false),
            (format!("one\n{}\nlast", "x".repeat(LINE_BYTES_MAX)), "last", true),
            (format!("one\n{}", "x".repeat(LINE_BYTES_MAX + 1)), "x", false),
        ] {
            fs::write(dir.join(".gitignore"), &text).unwrap();
            let mut rules = Rules::default();
            rules.read(&dir);
            let first = text.lines().next().unwrap();
            assert!(leaves_out(&rules, &dir, first), "what is within the bounds counts");
            assert_eq!(leaves_out(&rules, &dir, last), is_applied, "{last} of {} bytes", text.len());
            assert_eq!(rules.is_cut, !is_applied);
        }
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn so_many_files_and_bytes_count_and_one_that_goes_makes_place() {
        for (name, text) in [("many", "x".to_owned()), ("large", format!("#{}\n", "-".repeat(1_000)).repeat(60) + "x")]
        {
            let dir = directory(name);
            let mut rules = Rules::default();
            let fits = (ALL_BYTES_MAX / text.len()).min(FILES_MAX);
            for number in 0..=fits {
                let sub = dir.join(number.to_string());
                fs::create_dir(&sub).unwrap();
                fs::write(sub.join(".gitignore"), &text).unwrap();
                assert!(!rules.is_cut, "{number} of {fits}");
                rules.read(&sub);
                assert_eq!(leaves_out(&rules, &sub, "x"), number < fits);
            }
            assert!(rules.is_cut);
            rules.forget(&dir.join("0"));
            rules.read(&dir.join(fits.to_string()));
            assert!(leaves_out(&rules, &dir.join(fits.to_string()), "x"));
            fs::remove_dir_all(dir).unwrap();
        }
    }

    #[test]
    fn no_more_time_is_spent_on_rules_than_there_is() {
        let dir = directory("slow");
        let slow = (0..FILE_LINES_MAX).map(|number| format!("**/{}*[a-z]?{number}", "*a?{b,c}".repeat(6)));
        fs::write(dir.join(".gitignore"), slow.collect::<Vec<_>>().join("\n")).unwrap();
        let (mut rules, begun) = (Rules::default(), Instant::now());
        while !rules.is_cut {
            rules.read(&dir);
            assert!(begun.elapsed() < MAKING_MAX * 10, "it does not end");
        }
        assert!(!leaves_out(&rules, &dir, "abac"));
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_link_and_what_is_no_file_have_no_rules() {
        let dir = directory("no-file");
        fs::write(dir.join("elsewhere"), "x").unwrap();
        std::os::unix::fs::symlink(dir.join("elsewhere"), dir.join(".gitignore")).unwrap();
        let mut rules = Rules::default();
        rules.read(&dir);
        fs::remove_file(dir.join(".gitignore")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(dir.join(".gitignore")).status().unwrap().success());
        rules.read(&dir);
        assert!(!leaves_out(&rules, &dir, "x"));
        fs::remove_dir_all(dir).unwrap();
    }
}

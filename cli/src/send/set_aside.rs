//! Events that are never taken, in a file beside the spool: they hold nothing up there, and nothing is lost in silence.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What may lie there, 64 MiB; a person who reads the message deletes it, or sends it by other means.
const BYTES_MAX: u64 = 64 << 20;

/// The file, one event a line as it would have been posted.
pub(super) fn file(agent_dir: &Path) -> PathBuf {
    agent_dir.join("set_aside.jsonl")
}

/// Writes a line behind the others; false where there is no room.
pub(super) fn keep(agent_dir: &Path, line: &str) -> io::Result<bool> {
    let mut file = OpenOptions::new().create(true).append(true).open(file(agent_dir))?;
    if file.metadata()?.len() + line.len() as u64 > BYTES_MAX {
        return Ok(false);
    }
    file.write_all(line.as_bytes()).map(|()| true)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_are_kept_within_the_bound() {
        let dir = std::env::temp_dir().join(format!("townwatch-set-aside-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        assert!(keep(&dir, "{\"one\":1}\n").unwrap() && keep(&dir, "{\"two\":2}\n").unwrap());
        assert_eq!(fs::read_to_string(file(&dir)).unwrap(), "{\"one\":1}\n{\"two\":2}\n");
        fs::File::create(file(&dir)).unwrap().set_len(BYTES_MAX).unwrap();
        assert!(!keep(&dir, "{}\n").unwrap());
        fs::remove_dir_all(&dir).unwrap();
    }
}

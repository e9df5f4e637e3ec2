//! Events that the server never takes, in a file beside the spool. So they stop no later events, and they are not lost
//! without notice.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The largest file, 64 MiB. Its reader deletes it, or sends the events by other means.
const BYTES_MAX: u64 = 64 << 20;

/// The file, one event a line in the form of a post.
pub(super) fn file(agent_dir: &Path) -> PathBuf {
    agent_dir.join("set_aside.jsonl")
}

/// Appends a line; false where there is no room. If an earlier process appended it and then died, the line is found and
/// not written again.
pub(super) fn keep(agent_dir: &Path, line: &str) -> io::Result<bool> {
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(file(agent_dir))?;
    let length = file.metadata()?.len();
    if ends_with(&file, length, line)? {
        return Ok(true);
    }
    if length + line.len() as u64 > BYTES_MAX {
        return Ok(false);
    }
    file.write_all(line.as_bytes()).map(|()| true)
}

fn ends_with(file: &File, length: u64, line: &str) -> io::Result<bool> {
    let Some(begin) = length.checked_sub(line.len() as u64) else { return Ok(false) };
    let mut end = vec![0; line.len()];
    file.read_exact_at(&mut end, begin)?;
    Ok(end == line.as_bytes())
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
        assert!(keep(&dir, "{\"two\":2}\n").unwrap(), "it is there already");
        assert_eq!(fs::read_to_string(file(&dir)).unwrap(), "{\"one\":1}\n{\"two\":2}\n");
        File::create(file(&dir)).unwrap().set_len(BYTES_MAX).unwrap();
        assert!(!keep(&dir, "{}\n").unwrap());
        fs::remove_dir_all(&dir).unwrap();
    }
}

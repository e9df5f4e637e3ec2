//! Folders that only this server's user can write to, and their removal whatever they contain.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

/// Makes a directory that belongs to this server alone, or accepts an existing one. A link is refused, and so is a
/// directory that another user could change.
pub(crate) fn own(dir: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = dir.symlink_metadata()?;
    let problem = match () {
        () if !found.is_dir() => "is no folder (a link is not followed)",
        () if found.uid() != geteuid().as_raw() => "belongs to another user",
        () if found.mode() & 0o022 != 0 => "can be written to by other users (chmod go-w would change that)",
        () => return fs::set_permissions(dir, Permissions::from_mode(mode)),
    };
    let remedy = "agents cannot work there; move it away, or name another place as CONTROL_WORK_DIR";
    Err(io::Error::other(format!("{} {problem}: {remedy}", dir.display())))
}

/// Checks the folder above. A user who can write to it could replace the directory in it, unless the folder protects
/// the files of each user, as `/tmp` does.
pub(crate) fn check_parent(parent: &Path) -> io::Result<()> {
    let found = parent.metadata()?;
    let is_trusted = found.uid() == geteuid().as_raw() || found.uid() == 0;
    let is_shared = found.mode() & 0o022 != 0 && found.mode() & 0o1000 == 0;
    if is_trusted && !is_shared {
        return Ok(());
    }
    let problem = "other users can change what lies there; name another place as CONTROL_WORK_DIR";
    Err(io::Error::other(format!("{}: {problem}", parent.display())))
}

/// Removes a directory with everything in it, even if an agent took the right to do so from its owner.
pub(crate) fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            unlock(dir);
            fs::remove_dir_all(dir)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// Gives its owner the rights to a directory and all below it. Go's cache of modules, for example, is without them.
fn unlock(dir: &Path) {
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        let _ = fs::set_permissions(&folder, Permissions::from_mode(0o700));
        folders.extend(self::folders(&folder));
    }
}

/// The directories in a directory, without links.
pub(crate) fn folders(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    /// A folder for a test, which goes with it.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Self {
            let dir = std::env::temp_dir().join(format!("townwatch-folders-{}", uuid::Uuid::now_v7()));
            fs::create_dir(&dir).unwrap();
            Self(dir)
        }

        /// One in it, with this mode.
        fn folder(&self, name: &str, mode: u32) -> PathBuf {
            let dir = self.0.join(name);
            fs::create_dir(&dir).unwrap();
            fs::set_permissions(&dir, Permissions::from_mode(mode)).unwrap();
            dir
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = remove(&self.0);
        }
    }

    fn refusal(dir: &Path) -> String {
        own(dir, 0o700).unwrap_err().to_string()
    }

    #[test]
    fn a_link_and_what_others_can_write_to_are_refused_and_what_is_ones_own_is_closed() {
        let scratch = Scratch::new();
        let (wide, shared) = (scratch.folder("wide", 0o755), scratch.folder("shared", 0o777));
        let link = scratch.0.join("link");
        symlink(&wide, &link).unwrap();
        assert!(refusal(&link).contains("is no folder (a link is not followed)"), "{}", refusal(&link));
        assert!(refusal(&shared).contains("can be written to by other users"), "{}", refusal(&shared));
        let above = check_parent(&shared).unwrap_err().to_string();
        assert!(above.contains("other users can change what lies there"), "{above}");
        assert!(check_parent(&scratch.folder("sticky", 0o1777)).is_ok(), "as /tmp is");
        for dir in [&wide, &scratch.0.join("new")] {
            own(dir, 0o700).unwrap();
            assert_eq!(dir.metadata().unwrap().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn what_belongs_to_another_user_is_refused() {
        let scratch = Scratch::new();
        let theirs = scratch.folder("theirs", 0o700);
        if chown(&theirs, Some(12_345), None).is_err() {
            return; // only root can give something away
        }
        assert!(refusal(&theirs).contains("belongs to another user"), "{}", refusal(&theirs));
        assert!(check_parent(&theirs).is_err());
    }

    #[test]
    fn what_an_agent_has_locked_is_removed_and_a_link_is_not_followed() {
        let scratch = Scratch::new();
        let (locked, kept) = (scratch.folder("locked", 0o700), scratch.folder("kept", 0o700));
        fs::create_dir(locked.join("below")).unwrap();
        fs::write(locked.join("below/made"), "x").unwrap();
        symlink(&kept, locked.join("link")).unwrap();
        fs::write(kept.join("made"), "x").unwrap();
        for dir in [&locked.join("below"), &locked] {
            fs::set_permissions(dir, Permissions::from_mode(0o500)).unwrap();
        }
        remove(&locked).unwrap();
        assert!(!locked.exists() && kept.join("made").exists());
        remove(&locked).unwrap(); // what is not there is as it should be
    }
}

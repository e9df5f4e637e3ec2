//! The search for programs by name, as a shell does it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// Finds the first executable file of this name in the folders of `PATH`: `/usr/bin/git` for `git`.
pub(crate) fn find_on_path(command: &str) -> Option<PathBuf> {
    let executable =
        |path: &PathBuf| path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(command)).find(executable)
}

//! The files of a working directory that count. Files that its `.gitignore` files leave out do not count, nor do files
//! that no person wrote.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::rules::Rules;

/// The names of directories that are never read.
const LEFT_OUT: &[&str] = &[".git", "node_modules", "target"];
/// Directories that are watched, 4,096; changes in further ones are not reported.
pub(super) const DIRECTORIES_MAX: usize = 4_096;
/// Files that are known, 100,000: about 10 MB of paths. Changes of further files are reported as if they were new.
pub(super) const FILES_MAX: usize = 100_000;

/// The files of a working directory, as far as they are known.
#[derive(Debug)]
pub(super) struct FileTree {
    pub(super) root: PathBuf,
    pub(super) directories: BTreeSet<PathBuf>,
    pub(super) files: BTreeSet<PathBuf>,
    pub(super) rules: Rules,
    /// Whether there are more directories than are watched.
    pub(super) is_cut: bool,
}

impl FileTree {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            directories: BTreeSet::new(),
            files: BTreeSet::new(),
            rules: Rules::default(),
            is_cut: false,
        }
    }

    /// Whether a path counts. The caller has checked its folder already.
    pub(super) fn counts(&self, path: &Path, is_dir: bool) -> bool {
        let name = path.file_name().unwrap_or_default();
        if (is_dir || name == ".git") && LEFT_OUT.iter().any(|left_out| name == *left_out) {
            return false;
        }
        for dir in path.ancestors().skip(1).take_while(|dir| dir.starts_with(&self.root)) {
            if let Some(counts) = self.rules.of(dir, path, is_dir) {
                return counts;
            }
        }
        true
    }

    /// Takes a directory in, with everything in it that counts. `watch` is called for each directory before it is read,
    /// and `found` for each file.
    pub(super) fn enter(&mut self, dir: &Path, watch: &mut impl FnMut(&Path), found: &mut impl FnMut(&Path)) {
        let mut open = vec![dir.to_owned()];
        while let Some(dir) = open.pop() {
            if self.directories.len() >= DIRECTORIES_MAX && !self.directories.contains(&dir) {
                self.is_cut = true;
                return;
            }
            watch(&dir);
            self.directories.insert(dir.clone());
            self.rules.read(&dir);
            for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
                let (path, kind) = (entry.path(), entry.file_type());
                let is_dir = kind.as_ref().is_ok_and(fs::FileType::is_dir); // not through a link, which could lead anywhere
                if !self.counts(&path, is_dir) {
                    continue;
                }
                if is_dir {
                    open.push(path);
                } else if kind.is_ok_and(|kind| kind.is_file()) {
                    found(&path);
                }
            }
        }
    }

    /// Removes a directory that is gone, with those below it and their rules; true if it was known.
    pub(super) fn leave(&mut self, dir: &Path) -> bool {
        let below = self.directories.range(dir.to_owned()..).take_while(|below| below.starts_with(dir));
        let gone: Vec<PathBuf> = below.cloned().collect();
        for dir in &gone {
            self.directories.remove(dir);
            self.rules.forget(dir);
        }
        !gone.is_empty()
    }

    /// The known files below a directory.
    pub(super) fn files_in(&self, dir: &Path) -> Vec<PathBuf> {
        self.files.range(dir.to_owned()..).take_while(|file| file.starts_with(dir)).cloned().collect()
    }

    /// Notes that a file exists now, or is gone.
    pub(super) fn set(&mut self, path: &Path, is_there: bool) {
        if !is_there {
            self.files.remove(path);
        } else if self.files.len() < FILES_MAX {
            self.files.insert(path.to_owned());
        }
    }
}

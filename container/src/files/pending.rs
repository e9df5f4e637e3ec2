//! The changes of files that are not reported yet. Several changes of one file in a short time are one change. A file
//! that came and went is none. The time comes in.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use tokio::time::Instant;
use townwatch_protocol::event::{FileAction, FileChanged};

use super::tree::FileTree;

/// The time without a further change of a file after which its change is reported, 250 ms.
const QUIET: Duration = Duration::from_millis(250);
/// The time after its begin at which a change is reported even if it goes on, 2 s.
const LATE: Duration = Duration::from_secs(2);
/// Changes that wait to be reported, 4,096; changes of further files are only counted.
const PENDING_MAX: usize = 4_096;
/// The size of a new file up to which its lines are counted, 1 MiB; a larger one has no number of lines.
const COUNTED_BYTES_MAX: u64 = 1 << 20;

/// The changes that are not reported yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    changes: BTreeMap<PathBuf, PendingChange>,
    /// The number of changes that found no room.
    pub(super) left_out: u64,
}

#[derive(Debug)]
struct PendingChange {
    was_there: bool,
    /// The path that the file had before.
    from: Option<PathBuf>,
    began: Instant,
    latest: Instant,
}

/// A change, with the times at which it was seen.
#[derive(Debug)]
pub(super) struct SeenChange {
    pub(super) change: FileChanged,
    pub(super) began: Instant,
    pub(super) latest: Instant,
}

impl Pending {
    /// Notes an event of a file.
    pub(super) fn touch(&mut self, tree: &FileTree, path: &Path, now: Instant) {
        if let Some(change) = self.changes.get_mut(path) {
            change.latest = now;
        } else if self.changes.len() < PENDING_MAX {
            let change = PendingChange { was_there: tree.files.contains(path), from: None, began: now, latest: now };
            self.changes.insert(path.to_owned(), change);
        } else {
            self.left_out += 1;
        }
    }

    /// Notes that a file has another path.
    pub(super) fn rename(&mut self, tree: &FileTree, from: &Path, to: &Path, now: Instant) {
        self.touch(tree, from, now);
        self.touch(tree, to, now);
        let first = self.changes.get(from).and_then(|change| change.from.clone());
        if let Some(change) = self.changes.get_mut(to) {
            change.from = Some(first.unwrap_or_else(|| from.to_owned()));
        }
    }

    /// The moment from which a change is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.changes.values().map(PendingChange::due).min()
    }

    /// Takes the changes that are due at a time, or all.
    pub(super) fn take(&mut self, tree: &mut FileTree, now: Option<Instant>) -> Vec<SeenChange> {
        let due = self.changes.extract_if(.., |_, change| now.is_none_or(|now| change.due() <= now));
        let mut due: BTreeMap<PathBuf, PendingChange> = due.collect();
        let mut told = Vec::new();
        // The new paths come first: each removes its old path from the paths that are gone.
        let renamed = due.iter().filter_map(|(path, change)| Some((path.clone(), change.from.clone()?)));
        for (path, from) in renamed.collect::<Vec<_>>() {
            let was_there = due.get(&from).is_some_and(|change| change.was_there);
            if was_there
                && file_size(&from).is_none()
                && file_size(&path).is_some()
                && due.get(&path).is_some_and(|change| !change.was_there)
            {
                due.remove(&from);
                tree.set(&from, false);
                if let Some(change) = due.remove(&path) {
                    told.extend(tell(tree, &path, FileAction::Renamed, Some(&from), &change));
                }
            }
        }
        for (path, change) in due {
            let action = match (change.was_there, file_size(&path).is_some()) {
                (true, true) => FileAction::Modified,
                (false, true) => FileAction::Created,
                (true, false) => FileAction::Deleted,
                (false, false) => continue,
            };
            told.extend(tell(tree, &path, action, None, &change));
        }
        told
    }
}

impl PendingChange {
    fn due(&self) -> Instant {
        (self.latest + QUIET).min(self.began + LATE)
    }
}

/// The size of a file; `None` for anything else, and for a path through a link. An agent may have put a link in the
/// place of the file or of a directory above it, and the link's target is not the agent's. The root itself is named
/// without links.
fn file_size(path: &Path) -> Option<u64> {
    path.parent().filter(|dir| dir.canonicalize().is_ok_and(|real| real == **dir))?;
    std::fs::symlink_metadata(path).ok().filter(std::fs::Metadata::is_file).map(|file| file.len())
}

/// Counts the lines of a small file. If something else has taken its place meanwhile, a link is not followed, and a
/// pipe is not waited for.
fn lines_of(path: &Path) -> Option<u64> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    let mut text = String::new();
    file.take(COUNTED_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text.lines().count() as u64)
}

fn tell(
    tree: &mut FileTree,
    path: &Path,
    action: FileAction,
    from: Option<&Path>,
    change: &PendingChange,
) -> Option<SeenChange> {
    tree.set(path, action != FileAction::Deleted);
    let relative = |path: &Path| Some(path.strip_prefix(&tree.root).ok()?.to_string_lossy().into_owned());
    let size_bytes = file_size(path);
    let counted = size_bytes.filter(|bytes| action == FileAction::Created && *bytes <= COUNTED_BYTES_MAX);
    let lines_added = counted.and_then(|_| lines_of(path));
    let change_told = FileChanged {
        path: relative(path)?,
        action,
        from: from.and_then(relative),
        size_bytes,
        lines_added,
        lines_removed: None,
        tool_use_id: None,
    };
    Some(SeenChange { change: change_told, began: change.began, latest: change.latest })
}

//! The watch over the files of a run's working directory, which reports changes by any process.
//!
//! A change is reported once: by the agent itself if it does so, otherwise by the watch. Everything is bounded, and
//! reaching a bound is reported. Where the system cannot watch files, that is reported once, and the run goes on.

mod pending;
mod rules;
mod tree;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, MetadataKind, ModifyKind, RenameMode};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use townwatch_protocol::event::{AgentOutput, EventData, OutputStream};

use self::pending::{Pending, SeenChange};
use self::tree::FileTree;
use crate::run::RunHandle;
use townwatch_host::now;

/// The time limit for the begin of the watch, 2 s. Then the run goes on without it, and a line in its output says so.
const BEGIN_LIMIT: Duration = Duration::from_secs(2);
/// The time after a run's end in which its last changes are still collected, 50 ms.
const LAST_LOOK: Duration = Duration::from_millis(50);
/// Happenings that wait to be processed, 8,192; further ones are counted.
const HAPPENINGS_MAX: usize = 8_192;
/// Changes that are reported within one second, 50; further ones are counted.
const TOLD_A_SECOND: u64 = 50;

/// A directory being watched.
#[derive(Debug)]
pub struct Files {
    end: oneshot::Sender<()>,
    watching: JoinHandle<()>,
}

impl Files {
    /// Watches a run's working directory from now on.
    pub async fn watch(run: &RunHandle, dir: &Path) -> Option<Self> {
        let dir = dir.to_owned();
        let beginning = tokio::task::spawn_blocking(move || Watching::begin(&dir));
        let problem = match timeout(BEGIN_LIMIT, beginning).await {
            Ok(Ok(Ok(watching))) => {
                let (end, ended) = oneshot::channel();
                // The work has a thread of its own, because it walks through directories and compiles rules.
                let (work, runtime) = (watching.work(run.clone(), ended), Handle::current());
                return Some(Self { end, watching: tokio::task::spawn_blocking(move || runtime.block_on(work)) });
            }
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("it took longer than {} s to look through its directory", BEGIN_LIMIT.as_secs()),
        };
        complain(run, &format!("changes of files are not told: {problem}"));
        None
    }

    /// Ends the watch after the run's end, and reports the changes that are left.
    pub async fn end(self) {
        let _ = self.end.send(());
        let _ = self.watching.await;
    }
}

struct Watching {
    watcher: RecommendedWatcher,
    happenings: mpsc::Receiver<notify::Event>,
    /// The number of happenings that found no room, with those that the system lost.
    missed: Arc<AtomicU64>,
    tree: FileTree,
    pending: Pending,
    /// The second of the last report, and the number of changes reported in it.
    told: (i64, u64),
    left_out: u64,
    is_cut_told: bool,
    are_rules_told: bool,
}

impl Watching {
    fn begin(dir: &Path) -> notify::Result<Self> {
        let (sender, happenings) = mpsc::channel(HAPPENINGS_MAX);
        let missed = Arc::new(AtomicU64::new(0));
        let lost = missed.clone();
        let take = move |happening: notify::Result<notify::Event>| {
            let is_whole = happening.as_ref().is_ok_and(|event| !event.need_rescan());
            if !is_whole || happening.is_ok_and(|event| matters(&event) && sender.try_send(event).is_err()) {
                lost.fetch_add(1, Ordering::Relaxed);
            }
        };
        let mut watcher = notify::recommended_watcher(take)?;
        watcher.watch(dir, RecursiveMode::NonRecursive)?;
        let mut watching = Self {
            watcher,
            happenings,
            missed,
            tree: FileTree::new(dir),
            pending: Pending::default(),
            told: (0, 0),
            left_out: 0,
            is_cut_told: false,
            are_rules_told: false,
        };
        for file in watching.enter(dir) {
            watching.tree.set(&file, true);
        }
        Ok(watching)
    }

    /// Takes a directory in; gives the files in it.
    fn enter(&mut self, dir: &Path) -> Vec<PathBuf> {
        let (tree, watcher, mut files) = (&mut self.tree, &mut self.watcher, Vec::new());
        let mut watch = |dir: &Path| {
            let _ = watcher.watch(dir, RecursiveMode::NonRecursive); // one that went again, most likely
        };
        tree.enter(dir, &mut watch, &mut |file| files.push(file.to_owned()));
        files
    }

    async fn work(mut self, run: RunHandle, mut ended: oneshot::Receiver<()>) {
        loop {
            let due = self.pending.due();
            tokio::select! {
                Some(happening) = self.happenings.recv() => self.happen(&happening, Instant::now()),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.tell(&run, Some(Instant::now()));
                }
                _ = &mut ended => break,
            }
        }
        let last = Instant::now() + LAST_LOOK;
        while let Ok(Some(happening)) = tokio::time::timeout_at(last, self.happenings.recv()).await {
            self.happen(&happening, Instant::now());
        }
        self.tell(&run, None);
        let left_out = self.left_out + self.pending.left_out + self.missed.load(Ordering::Relaxed);
        if left_out > 0 {
            complain(&run, &format!("{left_out} further changes of files came too fast to be told"));
        }
    }

    fn happen(&mut self, happening: &notify::Event, now: Instant) {
        if let (EventKind::Modify(ModifyKind::Name(RenameMode::Both)), [from, to]) =
            (happening.kind, happening.paths.as_slice())
        {
            return self.rename(from, to, now);
        }
        happening.paths.iter().for_each(|path| self.touch(path, now));
    }

    fn touch(&mut self, path: &Path, now: Instant) {
        let is_dir = std::fs::symlink_metadata(path).is_ok_and(|file| file.is_dir());
        if path == self.tree.root || !self.tree.counts(path, is_dir) {
            return;
        }
        if is_dir {
            for file in self.enter(path) {
                self.pending.touch(&self.tree, &file, now);
            }
            return;
        }
        if self.tree.leave(path) {
            for file in self.tree.files_in(path) {
                self.pending.touch(&self.tree, &file, now);
            }
            return;
        }
        if path.file_name().is_some_and(|name| name == ".gitignore")
            && let Some(dir) = path.parent()
        {
            self.tree.rules.read(dir);
        }
        self.pending.touch(&self.tree, path, now);
    }

    fn rename(&mut self, from: &Path, to: &Path, now: Instant) {
        if !std::fs::symlink_metadata(to).is_ok_and(|file| file.is_dir()) {
            let counts = |path: &Path| self.tree.counts(path, false);
            if counts(from) && counts(to) {
                return self.pending.rename(&self.tree, from, to, now);
            }
            self.touch(from, now);
            self.touch(to, now);
            return;
        }
        // The directory's watch goes with it, but under the old name.
        let _ = self.watcher.unwatch(from);
        let gone = self.tree.files_in(from);
        self.tree.leave(from);
        self.touch(to, now);
        for file in gone {
            match file.strip_prefix(from) {
                Ok(inside) if self.tree.counts(to, true) => {
                    self.pending.rename(&self.tree, &file, &to.join(inside), now);
                }
                _ => self.pending.touch(&self.tree, &file, now),
            }
        }
    }

    /// Reports the changes that are due at a time, or all.
    fn tell(&mut self, run: &RunHandle, due: Option<Instant>) {
        let at = now();
        let second = at.millis() / 1000;
        if self.told.0 != second {
            self.told = (second, 0);
        }
        for SeenChange { change, began, latest } in self.pending.take(&mut self.tree, due) {
            if self.told.1 >= TOLD_A_SECOND {
                self.left_out += 1;
            } else if run.tell_change(change, began, latest, at) {
                self.told.1 += 1;
            }
        }
        if self.tree.is_cut && !std::mem::replace(&mut self.is_cut_told, true) {
            let most = tree::DIRECTORIES_MAX;
            complain(run, &format!("there are more than {most} directories; changes in the others are not told"));
        }
        if self.tree.rules.is_cut && !std::mem::replace(&mut self.are_rules_told, true) {
            complain(
                run,
                "the .gitignore files have more rules than are applied; changes of files that they leave out may be told",
            );
        }
    }
}

/// Whether a file may have changed by an event.
fn matters(event: &notify::Event) -> bool {
    match event.kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        EventKind::Modify(ModifyKind::Metadata(kind)) => kind == MetadataKind::WriteTime,
        // A rename comes in two halves and also as a whole. A file that only came or only went has one half.
        _ => true,
    }
}

/// Appends a line of ours to the standard error of the program, because it is for people.
fn complain(run: &RunHandle, text: &str) {
    let text = format!("townwatch: {text}");
    let output = AgentOutput {
        text,
        stream: OutputStream::Stderr,
        message_id: None,
        parent_tool_use_id: None,
        partial: false,
        broken_off: false,
    };
    run.append(vec![EventData::from(output)], now());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Bounds;
    use crate::page::PageQuery;
    use crate::town::Town;
    use townwatch_agents::redact::SecretValues;
    use townwatch_protocol::id::{AgentId, RunId};
    use townwatch_protocol::runtime::Runtime;

    #[tokio::test]
    async fn where_files_cannot_be_watched_that_is_said_once_and_the_run_goes_on() {
        let town = Arc::new(Town::new(Bounds::default(), std::env::temp_dir()).unwrap());
        let (agent_id, run_id) = (AgentId::parse("a").unwrap(), RunId::parse("r").unwrap());
        let run =
            RunHandle::begin(&town, &agent_id, &run_id, Runtime::Process, SecretValues::default()).unwrap().unwrap();
        assert!(Files::watch(&run, Path::new("/no/such/directory")).await.is_none());
        let page = town.read(None, PageQuery { after: 0, limit: 10 });
        let answer = page.answer(town.epoch()).unwrap();
        assert_eq!(page.texts.len(), 1);
        assert!(answer.contains("townwatch: changes of files are not told: "), "{answer}");
    }
}

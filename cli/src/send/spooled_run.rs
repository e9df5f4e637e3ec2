//! A run in the spool: its segments, and what of them the server has.

use std::fmt::{self, Display, Formatter};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::record::{end_prefix, lost_line};

/// The bytes of an agent's waiting events, 256 MiB. Beyond it new events are left out and counted until some are sent.
pub(super) const SPOOL_BYTES_MAX: u64 = 256 << 20;
/// The longest line, 3 MiB: an event of the largest data, 1 MiB, stays far below.
const LINE_BYTES_MAX: usize = 3 << 20;
/// The size after which a segment is closed, 8 MiB. It is deleted when the server has all of it.
const SEGMENT_BYTES: u64 = 8 << 20;

/// The events of a run on their way to the server.
#[allow(clippy::struct_field_names)] // `run_id` is the word of the wire
pub(super) struct SpooledRun {
    pub(super) dir: PathBuf,
    pub(super) run_id: String,
    /// The lock file, locked while this process lives.
    _owner: File,
    /// The waiting events of all runs of the agent.
    waiting: Arc<WaitingEvents>,
    state: Mutex<RunState>,
    changed: Condvar,
}

/// The waiting events of all runs of an agent.
#[derive(Debug, Default)]
pub(super) struct WaitingEvents {
    bytes: AtomicU64,
    events: AtomicU64,
}

/// A position in a run's segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SpoolPosition {
    segment: u64,
    offset: u64,
}

impl SpoolPosition {
    const START: Self = Self { segment: 1, offset: 0 };
}

impl Display for SpoolPosition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.segment, self.offset)
    }
}

struct RunState {
    file: File,
    written: SpoolPosition,
    ended: bool,
    lost_events: u64,
}

/// The result of waiting for more events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WaitResult {
    /// More events, up to this position.
    Written(SpoolPosition),
    /// No events within the time.
    Quiet,
    /// The end: no more events will come.
    Ended,
}

/// Whether the bound of the spool applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SpoolRoom {
    Bounded,
    /// Always room, for the few lines that report a loss or the end.
    Always,
}

impl SpooledRun {
    pub(super) fn make(dir: &Path, waiting: &Arc<WaitingEvents>) -> io::Result<Self> {
        let run_id = uuid::Uuid::now_v7().to_string();
        let dir = dir.join(&run_id);
        DirBuilder::new().mode(0o700).create(&dir)?;
        let owner = File::create(dir.join("owner"))?;
        owner.lock()?;
        let written = SpoolPosition::START;
        let file = File::create(segment_path(&dir, written.segment))?;
        let state = Mutex::new(RunState { file, written, ended: false, lost_events: 0 });
        Ok(Self { dir, run_id, _owner: owner, waiting: Arc::clone(waiting), state, changed: Condvar::new() })
    }

    /// Takes over the run of an earlier process, and adds an end if it has none. `None` while its process lives.
    pub(super) fn take_over(dir: &Path, waiting: &Arc<WaitingEvents>) -> io::Result<Option<Self>> {
        let owner = OpenOptions::new().create(true).truncate(false).write(true).open(dir.join("owner"))?;
        if owner.try_lock().is_err() {
            return Ok(None);
        }
        let run_id = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let names = fs::read_dir(dir)?.flatten().map(|entry| entry.path());
        let numbers = names.filter_map(|path| path.file_name()?.to_str()?.strip_suffix(".jsonl")?.parse::<u64>().ok());
        let Some(segment) = numbers.max() else {
            fs::remove_dir_all(dir)?; // it was made, and then its process was ended
            return Ok(None);
        };
        let mut file = OpenOptions::new().read(true).append(true).open(segment_path(dir, segment))?;
        let mut last = Vec::new();
        file.read_to_end(&mut last)?;
        // A line that its process did not finish.
        let whole = last.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        last.truncate(whole);
        let written = SpoolPosition { segment, offset: whole as u64 };
        if written == SpoolPosition::START {
            fs::remove_dir_all(dir)?; // it never said anything
            return Ok(None);
        }
        let state = Mutex::new(RunState { file, written, ended: false, lost_events: 0 });
        let run = Self {
            dir: dir.to_owned(),
            run_id,
            _owner: owner,
            waiting: Arc::clone(waiting),
            state,
            changed: Condvar::new(),
        };
        run.count()?;
        let last_line = last.strip_suffix(b"\n").unwrap_or_default().rsplit(|byte| *byte == b'\n').next();
        if last_line.is_some_and(|line| line.starts_with(end_prefix(&run.run_id).as_bytes())) {
            run.lock().ended = true;
        } else {
            run.end(&lost_line(&run.run_id))?;
        }
        Ok(Some(run))
    }

    /// Counts the waiting events of the run.
    fn count(&self) -> io::Result<()> {
        let (bytes, events) = self.left_after(self.sent())?;
        self.waiting.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.waiting.events.fetch_add(events, Ordering::Relaxed);
        Ok(())
    }

    /// Drops all events after `position`, and the run; gives the number of events dropped.
    pub(super) fn discard(&self, position: SpoolPosition) -> io::Result<u64> {
        let (bytes, events) = self.left_after(position)?;
        self.waiting.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.waiting.events.fetch_sub(events, Ordering::Relaxed);
        self.remove()?;
        Ok(events)
    }

    /// The bytes and events after a position.
    fn left_after(&self, sent: SpoolPosition) -> io::Result<(u64, u64)> {
        let written = self.lock().written;
        let (mut bytes, mut events) = (0, 0);
        for segment in sent.segment..=written.segment {
            let mut file = match File::open(segment_path(&self.dir, segment)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => file?,
            };
            if segment == sent.segment {
                file.seek(SeekFrom::Start(sent.offset))?;
            }
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            bytes += text.len() as u64;
            events += text.split_inclusive(|byte| *byte == b'\n').count() as u64;
        }
        Ok((bytes, events))
    }

    /// Whether there is room for so many bytes.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.waiting.bytes.load(Ordering::Relaxed) + bytes as u64 <= SPOOL_BYTES_MAX
    }

    /// Appends whole lines; false where they were left out because there is no room.
    pub(super) fn append(&self, lines: &str, count: u64, room: SpoolRoom) -> io::Result<bool> {
        let mut state = self.lock();
        if room == SpoolRoom::Bounded && !self.has_room(lines.len()) {
            state.lost_events += count;
            return Ok(false);
        }
        if let Err(error) = self.write(&mut state, lines) {
            state.lost_events += count;
            // What of it was written would be half a line before the next one.
            let _ = state.file.set_len(state.written.offset);
            return Err(error);
        }
        self.waiting.bytes.fetch_add(lines.len() as u64, Ordering::Relaxed);
        self.waiting.events.fetch_add(count, Ordering::Relaxed);
        self.changed.notify_all();
        Ok(true)
    }

    fn write(&self, state: &mut RunState, lines: &str) -> io::Result<()> {
        if state.written.offset >= SEGMENT_BYTES {
            let segment = state.written.segment + 1;
            state.file = File::create(segment_path(&self.dir, segment))?;
            state.written = SpoolPosition { segment, offset: 0 };
        }
        state.file.seek(SeekFrom::Start(state.written.offset))?;
        state.file.write_all(lines.as_bytes())?;
        state.written.offset += lines.len() as u64;
        Ok(())
    }

    /// Writes the run's last line.
    pub(super) fn end(&self, line: &str) -> io::Result<()> {
        let written = self.append(line, 1, SpoolRoom::Always).map(|_| ());
        self.lock().ended = true;
        self.changed.notify_all();
        written
    }

    /// The number of events that were left out for want of room.
    pub(super) fn lost_events(&self) -> u64 {
        self.lock().lost_events
    }

    /// Waits for events after `position`, at most `most`.
    pub(super) fn wait(&self, position: SpoolPosition, most: Duration) -> WaitResult {
        let nothing_new = |state: &mut RunState| state.written <= position && !state.ended;
        let waited = self.changed.wait_timeout_while(self.lock(), most, nothing_new);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.written > position {
            WaitResult::Written(state.written)
        } else if state.ended {
            WaitResult::Ended
        } else {
            WaitResult::Quiet
        }
    }

    /// The position up to which the server has the run.
    pub(super) fn sent(&self) -> SpoolPosition {
        let text = fs::read_to_string(self.dir.join("sent")).unwrap_or_default();
        let numbers = text
            .split_once(' ')
            .and_then(|(segment, offset)| Some((segment.parse().ok()?, offset.trim().parse().ok()?)));
        numbers.map_or(SpoolPosition::START, |(segment, offset)| SpoolPosition { segment, offset })
    }

    /// The whole lines from `from` to `to`: of one segment, at most `events_max` and `bytes_max`, but at least one.
    /// Gives the position after them, too.
    pub(super) fn read(
        &self,
        from: SpoolPosition,
        to: SpoolPosition,
        events_max: usize,
        bytes_max: usize,
    ) -> io::Result<(String, SpoolPosition)> {
        let file = File::open(segment_path(&self.dir, from.segment))?;
        let end = if from.segment == to.segment { to.offset } else { file.metadata()?.len() };
        let mut bytes =
            vec![0; usize::try_from(end.saturating_sub(from.offset)).unwrap_or(0).min(bytes_max + LINE_BYTES_MAX)];
        file.read_exact_at(&mut bytes, from.offset)?;
        let mut length = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n').take(events_max) {
            if length > 0 && length + line.len() > bytes_max {
                break;
            }
            length += line.len();
        }
        bytes.truncate(length);
        let text = String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let behind = from.offset + length as u64;
        let next = if behind >= end && from.segment < to.segment {
            SpoolPosition { segment: from.segment + 1, offset: 0 }
        } else {
            SpoolPosition { segment: from.segment, offset: behind }
        };
        Ok((text, next))
    }

    /// Notes that the server has all events before `position`, which are `events` more than before.
    pub(super) fn forget(
        &self,
        from: SpoolPosition,
        position: SpoolPosition,
        bytes: usize,
        events: u64,
    ) -> io::Result<()> {
        self.waiting.bytes.fetch_sub(bytes as u64, Ordering::Relaxed);
        self.waiting.events.fetch_sub(events, Ordering::Relaxed);
        let (draft, kept) = (self.dir.join("sent.new"), self.dir.join("sent"));
        fs::write(&draft, format!("{} {}", position.segment, position.offset))?;
        fs::rename(draft, kept)?;
        if position.segment > from.segment {
            fs::remove_file(segment_path(&self.dir, from.segment))?;
        }
        Ok(())
    }

    /// Removes the run, because the server has all of it.
    pub(super) fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.dir)
    }

    /// The waiting events of all runs of the agent.
    pub(super) fn waiting(&self) -> Arc<WaitingEvents> {
        Arc::clone(&self.waiting)
    }

    fn lock(&self) -> MutexGuard<'_, RunState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WaitingEvents {
    /// The number of waiting events.
    pub(super) fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }
}

fn segment_path(dir: &Path, segment: u64) -> PathBuf {
    dir.join(format!("{segment:08}.jsonl"))
}

#[cfg(test)]
mod tests;

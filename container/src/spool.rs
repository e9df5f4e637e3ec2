//! The files in which events wait when a town does not fetch them and memory is full.
//!
//! The spool consists of append-only segments, each in a temporary file. A segment goes as a whole: when no text in it
//! is wanted any more, or when the bound of the disk is reached. The files have no name, because they are unlinked as
//! soon as they are open. So no file is left behind, however the server ends.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;

/// A text on disk. While this value lives its file stays readable, even if the spool has dropped the segment.
#[derive(Debug, Clone)]
pub struct SpooledText {
    file: Arc<File>,
    segment: u64,
    offset: u64,
    bytes: u32,
}

impl SpooledText {
    /// Reads the text.
    pub fn read(&self) -> io::Result<String> {
        let mut text = vec![0; self.bytes as usize];
        self.file.read_exact_at(&mut text, self.offset)?;
        String::from_utf8(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// The length of the text.
    pub fn bytes(&self) -> usize {
        self.bytes as usize
    }
}

#[derive(Debug)]
struct Segment {
    number: u64,
    file: Arc<File>,
    bytes: u64,
    wanted: u64,
    last_id: u64,
}

/// The spool of one town.
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    segment_bytes_max: u64,
    disk_bytes_max: u64,
    segments: VecDeque<Segment>,
    next_number: u64,
}

impl Spool {
    /// Makes a spool with its files in `dir`, of at most `disk_bytes_max` in sixteen segments. No file is made yet.
    pub fn new(dir: PathBuf, disk_bytes_max: u64) -> Self {
        let segment_bytes_max = (disk_bytes_max / 16).max(1);
        Self { dir, segment_bytes_max, disk_bytes_max, segments: VecDeque::new(), next_number: 0 }
    }

    /// Writes a text behind the others. Each id must be larger than the one before.
    pub fn write(&mut self, id: u64, text: &str) -> io::Result<SpooledText> {
        let full = |segment: &Segment| segment.bytes + text.len() as u64 > self.segment_bytes_max;
        if self.segments.back().is_none_or(full) {
            let file = Arc::new(self.nameless_file()?);
            self.segments.push_back(Segment { number: self.next_number, file, bytes: 0, wanted: 0, last_id: id });
            self.next_number += 1;
        }
        let Some(segment) = self.segments.back_mut() else { return Err(io::ErrorKind::NotFound.into()) };
        let bytes = u32::try_from(text.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let spooled = SpooledText { file: segment.file.clone(), segment: segment.number, offset: segment.bytes, bytes };
        segment.file.write_all_at(text.as_bytes(), segment.bytes)?;
        segment.bytes += text.len() as u64;
        segment.wanted += 1;
        segment.last_id = id;
        Ok(spooled)
    }

    /// Notes that a text is not wanted any more.
    pub fn forget(&mut self, spooled: &SpooledText) {
        if let Some(segment) = self.segments.iter_mut().find(|segment| segment.number == spooled.segment) {
            segment.wanted = segment.wanted.saturating_sub(1);
        }
        while self.segments.front().is_some_and(|segment| segment.wanted == 0) {
            self.segments.pop_front();
        }
    }

    /// Drops the oldest segment if the files are larger than their bound; gives the last id in it.
    pub fn shrink(&mut self) -> Option<u64> {
        let bytes: u64 = self.segments.iter().map(|segment| segment.bytes).sum();
        (bytes > self.disk_bytes_max).then(|| self.segments.pop_front())?.map(|segment| segment.last_id)
    }

    /// Whether the spool has no file.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    fn nameless_file(&self) -> io::Result<File> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        let path = self.dir.join(format!("spool-{}", uuid::Uuid::now_v7().simple()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        fs::remove_file(&path)?;
        Ok(file)
    }
}

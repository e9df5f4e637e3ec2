//! The output of a process on both of its pipes, on its way to becoming events.
//!
//! The order within a stream is exact. Between the two it is that in which lines were whole, or had stood without an end
//! for long enough: two pipes tell no more, and half a line is not torn from its other half by a line of the other.

use tokio::time::Instant;
use townwatch_agents::failure_reason::FailureReason;
use townwatch_agents::lines::{Line, LineDecoder};
use townwatch_agents::normalise::{Meaning, Normalise};
use townwatch_agents::redact::KeyLines;
use townwatch_host::now;
use townwatch_protocol::event::{EventData, OutputStream};
use townwatch_protocol::limits::STDOUT_LINE_BYTES_MAX;

use crate::run::Run;
use crate::stderr::{self, Stderr};
use crate::unended::Unended;

/// One read of a pipe; what a Linux pipe holds.
pub(crate) const READ_BYTES: usize = 64 << 10;

/// The output of one process so far.
pub(crate) struct Printed<'a> {
    run: &'a Run,
    stdout: Stream,
    stderr: Stream,
    stderr_events: Stderr,
    reason: FailureReason,
}

struct Stream {
    decoder: LineDecoder,
    keys: KeyLines,
    unended: Unended,
}

impl Stream {
    fn new(line_bytes_max: usize) -> Self {
        Self { decoder: LineDecoder::new(line_bytes_max), keys: KeyLines::default(), unended: Unended::default() }
    }

    /// Hands on the lines that end with these bytes; a line that stands open then has its time.
    fn push(&mut self, bytes: &[u8], mut take: impl FnMut(&mut KeyLines, Line<'_>)) {
        let (keys, mut ended) = (&mut self.keys, false);
        self.decoder.push(bytes, |line| {
            ended = true;
            take(keys, line);
        });
        self.unended.read(ended, self.decoder.is_open(), Instant::now());
    }

    /// The part of a line that is due, if there is one that can be told.
    fn take_unended(&mut self, run: &Run, at: Instant) -> Option<String> {
        let is_due = self.unended.take_due(at);
        let part = is_due.then(|| self.keys.part(run.redaction.in_text(), &self.decoder.take_open()));
        part.filter(|part| !part.is_empty())
    }

    fn finish(&mut self, mut take: impl FnMut(&mut KeyLines, Line<'_>)) {
        let keys = &mut self.keys;
        self.decoder.finish(|line| take(keys, line));
        if self.keys.holds_back() {
            take(&mut self.keys, Line::Text("".into()));
        }
    }
}

impl<'a> Printed<'a> {
    pub(crate) fn new(run: &'a Run) -> Self {
        Self {
            run,
            stdout: Stream::new(STDOUT_LINE_BYTES_MAX),
            stderr: Stream::new(stderr::LINE_BYTES_MAX),
            stderr_events: Stderr::default(),
            reason: FailureReason::default(),
        }
    }

    /// Takes what standard output gave; whether something happened by it.
    pub(crate) fn take_stdout(&mut self, normaliser: &mut dyn Normalise, bytes: &[u8]) -> bool {
        let (run, reason, mut happened) = (self.run, &mut self.reason, false);
        self.stdout.push(bytes, |keys, line| happened |= understand(run, normaliser, keys, reason, line));
        happened
    }

    /// Takes what standard error gave.
    pub(crate) fn take_stderr(&mut self, bytes: &[u8]) {
        let (run, events, reason) = (self.run, &mut self.stderr_events, &mut self.reason);
        self.stderr.push(bytes, |keys, line| complain(run, events, keys, reason, line));
    }

    /// The moment at which a line without an end is to be told.
    pub(crate) fn due(&self, normaliser: &dyn Normalise) -> Option<Instant> {
        let stdout = self.stdout.unended.due().filter(|_| normaliser.has_parts());
        stdout.into_iter().chain(self.stderr.unended.due()).min()
    }

    /// Tells what has stood without an end for long enough.
    pub(crate) fn tell_unended(&mut self, normaliser: &mut dyn Normalise) {
        let (run, clock) = (self.run, Instant::now());
        if normaliser.has_parts()
            && let Some(part) = self.stdout.take_unended(run, clock)
        {
            self.reason.part(OutputStream::Stdout, &part);
            run.append(normaliser.part(&part).into_iter().collect(), now());
        }
        if let Some(part) = self.stderr.take_unended(run, clock) {
            self.reason.part(OutputStream::Stderr, &part);
            run.append(vec![self.stderr_events.part(&part)], now());
        }
    }

    /// Both pipes have ended.
    pub(crate) fn finish(&mut self, normaliser: &mut dyn Normalise) {
        let (run, events, reason) = (self.run, &mut self.stderr_events, &mut self.reason);
        self.stdout.finish(|keys, line| {
            understand(run, normaliser, keys, reason, line);
        });
        self.stderr.finish(|keys, line| complain(run, events, keys, reason, line));
        run.append(events.end(), now());
    }

    /// Why it failed, as far as what it printed tells.
    pub(crate) fn failure_reason(&self) -> Option<&str> {
        self.reason.line()
    }
}

/// Appends what a line means; whether something happened.
fn understand(
    run: &Run,
    normaliser: &mut dyn Normalise,
    keys: &mut KeyLines,
    reason: &mut FailureReason,
    line: Line<'_>,
) -> bool {
    let at = now();
    let Meaning { events, piece, pictures } = match keys.clean(run.redaction.redactor(), line) {
        Line::Text(text) => {
            // The lines of an agent with a format of its own are for its parser; what is for people says why it failed.
            if normaliser.has_parts() {
                reason.end_line(OutputStream::Stdout, &text);
            }
            normaliser.line(&text, at)
        }
        Line::Oversized { bytes, sample } => Meaning::of(normaliser.oversized(bytes, &sample)),
    };
    let happened = !events.is_empty();
    run.keep(pictures);
    run.append(events, at);
    if let Some(piece) = piece {
        run.type_on(piece);
    }
    happened
}

/// Appends a line of standard error.
pub(crate) fn complain(
    run: &Run,
    events: &mut Stderr,
    keys: &mut KeyLines,
    reason: &mut FailureReason,
    line: Line<'_>,
) {
    let at = now();
    let line = keys.clean(run.redaction.redactor(), line);
    if let Line::Text(text) = &line {
        reason.end_line(OutputStream::Stderr, text);
    }
    let events: Vec<EventData> = events.line(line, at);
    run.append(events, at);
}

//! The output of a process on both of its pipes, on its way to becoming events.
//!
//! The order within a stream is exact. The order between the two streams is that in which lines were complete, or had
//! waited without an end for long enough: two pipes tell no more. So a line of one stream never stands between the two
//! halves of a line of the other.

use tokio::time::Instant;
use townwatch_agents::failure_reason::FailureReason;
use townwatch_agents::lines::{Line, LineDecoder};
use townwatch_agents::normalise::{Meaning, Normalise};
use townwatch_agents::redact::KeyLines;
use townwatch_host::now;
use townwatch_protocol::event::{EventData, OutputStream};
use townwatch_protocol::limits::STDOUT_LINE_BYTES_MAX;

use crate::run::RunHandle;
use crate::stderr::{self, Stderr};
use crate::unended::Unended;

/// The bytes of one read of a pipe, as many as a Linux pipe holds.
pub(crate) const READ_BYTES: usize = 64 << 10;

/// The output of one process so far.
pub(crate) struct Printed<'a> {
    run: &'a RunHandle,
    stdout: PrintedStream,
    stderr: PrintedStream,
    stderr_events: Stderr,
    reason: FailureReason,
}

struct PrintedStream {
    decoder: LineDecoder,
    keys: KeyLines,
    unended: Unended,
}

impl PrintedStream {
    fn new(line_bytes_max: usize) -> Self {
        Self { decoder: LineDecoder::new(line_bytes_max), keys: KeyLines::default(), unended: Unended::default() }
    }

    /// Gives the lines that end with these bytes to `take`. The time of a line that is then open begins.
    fn push(&mut self, bytes: &[u8], mut take: impl FnMut(&mut KeyLines, Line<'_>)) {
        let (keys, mut ended) = (&mut self.keys, false);
        self.decoder.push(bytes, |line| {
            ended = true;
            take(keys, line);
        });
        self.unended.read(ended, self.decoder.is_open(), Instant::now());
    }

    /// Takes the part of an open line that is due, if a part of it can be shown.
    fn take_unended(&mut self, run: &RunHandle, at: Instant) -> Option<String> {
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
    pub(crate) fn new(run: &'a RunHandle) -> Self {
        Self {
            run,
            stdout: PrintedStream::new(STDOUT_LINE_BYTES_MAX),
            stderr: PrintedStream::new(stderr::LINE_BYTES_MAX),
            stderr_events: Stderr::default(),
            reason: FailureReason::default(),
        }
    }

    /// Takes bytes of standard output; true if an event came of them.
    pub(crate) fn take_stdout(&mut self, normaliser: &mut dyn Normalise, bytes: &[u8]) -> bool {
        let (run, reason, mut happened) = (self.run, &mut self.reason, false);
        self.stdout.push(bytes, |keys, line| happened |= understand(run, normaliser, keys, reason, line));
        happened
    }

    /// Takes bytes of standard error.
    pub(crate) fn take_stderr(&mut self, bytes: &[u8]) {
        let (run, events, reason) = (self.run, &mut self.stderr_events, &mut self.reason);
        self.stderr.push(bytes, |keys, line| complain(run, events, keys, reason, line));
    }

    /// The moment at which a line without an end is to be shown.
    pub(crate) fn due(&self, normaliser: &dyn Normalise) -> Option<Instant> {
        let stdout = self.stdout.unended.due().filter(|_| normaliser.has_parts());
        stdout.into_iter().chain(self.stderr.unended.due()).min()
    }

    /// Shows the parts of lines that have waited without an end for long enough.
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

    /// Takes the end of both pipes.
    pub(crate) fn finish(&mut self, normaliser: &mut dyn Normalise) {
        let (run, events, reason) = (self.run, &mut self.stderr_events, &mut self.reason);
        self.stdout.finish(|keys, line| {
            understand(run, normaliser, keys, reason, line);
        });
        self.stderr.finish(|keys, line| complain(run, events, keys, reason, line));
        run.append(events.end(), now());
    }

    /// The reason of a failure, as far as the output shows it.
    pub(crate) fn failure_reason(&self) -> Option<&str> {
        self.reason.line()
    }
}

/// Appends the events of a line; true if there are any.
fn understand(
    run: &RunHandle,
    normaliser: &mut dyn Normalise,
    keys: &mut KeyLines,
    reason: &mut FailureReason,
    line: Line<'_>,
) -> bool {
    let at = now();
    let Meaning { events, piece, pictures } = match keys.clean(run.redaction.redactor(), line) {
        Line::Text(text) => {
            // An agent with a format of its own prints lines for its parser. Only text for people can show the reason
            // of a failure.
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
    run: &RunHandle,
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

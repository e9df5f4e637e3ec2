//! From the bytes of standard input to events, by the control server's own parsers.

use std::time::{Duration, Instant};

use townwatch_agents::cut;
use townwatch_agents::lines::{Line, LineDecoder};
use townwatch_agents::normalise::pictures::Picture;
use townwatch_agents::normalise::shape::{self, LineOrigin};
use townwatch_agents::normalise::{Meaning, Normalise, RunContext, Threads, piped_normaliser_of};
use townwatch_agents::redact::{KeyLines, Redaction};
use townwatch_host::now;
use townwatch_protocol::event::{AgentExited, AgentSession, EventData, ExitReason, Status};
use townwatch_protocol::limits::STDOUT_LINE_BYTES_MAX;
use townwatch_protocol::runtime::Runtime;
use townwatch_protocol::time::Timestamp;

use super::held::{HELD_MAX, HeldLines};

/// The lines after which an unrecognised input is text for good, 1,000.
const GUESSED_LINES_MAX: u64 = 1_000;

/// The time after which the present part of an unfinished line is shown.
const UNENDED_LINE_WAIT: Duration = Duration::from_millis(250);

/// The reading of one run's output.
pub(super) struct Reading<'a> {
    decoder: LineDecoder,
    parser: Parser<'a>,
    /// The time since which the last line is unfinished.
    open_since: Option<Instant>,
}

struct Parser<'a> {
    redaction: &'a Redaction,
    keys: KeyLines,
    context: RunContext,
    threads: Threads,
    format: FormatGuess,
    /// The reader of lines of no known program: all output of a `process`, and the lines before another program's first
    /// one.
    text: Box<dyn Normalise>,
    /// Whether a turn of the agent is under way.
    in_turn: bool,
    /// The consumer of pictures, called with each before its event.
    keep: Box<dyn FnMut(&Picture) + 'a>,
}

/// The format, as far as it is known.
enum FormatGuess {
    /// Not known. A line may still show it; the number counts lines that did not.
    Open(HeldLines, u64),
    /// Known: this reader's.
    Known(Box<dyn Normalise>),
    /// None: the input is text.
    Text,
}

impl<'a> Reading<'a> {
    /// A reader of this format. Without a format, the first line that only one program prints decides.
    pub(super) fn new(
        format: Option<Runtime>,
        context: RunContext,
        threads: Threads,
        redaction: &'a Redaction,
    ) -> Self {
        let text = piped_normaliser_of(Runtime::Process, context.clone());
        let format = match format {
            Some(format) => known(format, &context, &threads),
            None => FormatGuess::Open(HeldLines::default(), 0),
        };
        let keep = Box::new(|_: &Picture| {});
        let parser =
            Parser { redaction, keys: KeyLines::default(), context, threads, format, text, in_turn: false, keep };
        Self { decoder: LineDecoder::new(STDOUT_LINE_BYTES_MAX), parser, open_since: None }
    }

    /// Hands pictures to `keep`.
    pub(super) fn keeping(mut self, keep: impl FnMut(&Picture) + 'a) -> Self {
        self.parser.keep = Box::new(keep);
        self
    }

    /// The session of the agent before its first output, from the context alone.
    pub(super) fn session(&self) -> AgentSession {
        AgentSession { takes_messages: Some(false), ..self.parser.context.unnamed_session() }
    }

    /// Takes what one read gave.
    pub(super) fn push(&mut self, bytes: &[u8], take: &mut impl FnMut(&EventData, Timestamp)) {
        let (parser, mut ended) = (&mut self.parser, false);
        self.decoder.push(bytes, |line| {
            ended = true;
            parser.line(line, take);
        });
        self.open_since = match self.open_since {
            _ if !self.decoder.is_open() => None,
            Some(since) if !ended => Some(since),
            _ => Some(Instant::now()),
        };
    }

    /// Whether something is held that the clock will bring out.
    pub(super) fn holds(&self) -> bool {
        match &self.parser.format {
            FormatGuess::Open(held, _) => !held.is_empty() || self.open_since.is_some(),
            FormatGuess::Text => self.open_since.is_some(),
            FormatGuess::Known(_) => false,
        }
    }

    /// Shows text that was held for long enough, also an unfinished line (a question at a prompt, a progress bar). A line
    /// in which an object begins may still be a program's, so it waits as long as held lines do.
    pub(super) fn show_overdue(&mut self, take: &mut impl FnMut(&EventData, Timestamp)) {
        let wait = match &self.parser.format {
            FormatGuess::Known(_) => None,
            FormatGuess::Open(held, _) if !held.is_blank() || self.decoder.open().contains(&b'{') => Some(HELD_MAX),
            FormatGuess::Open(..) | FormatGuess::Text => Some(UNENDED_LINE_WAIT),
        };
        if let (Some(wait), Some(since)) = (wait, self.open_since)
            && since.elapsed() >= wait
        {
            self.open_since = None;
            let open = self.decoder.take_open();
            self.parser.part(&open, take);
        }
        if let FormatGuess::Open(held, _) = &mut self.parser.format
            && held.is_full()
        {
            let lines = held.take();
            self.parser.show(lines, take);
        }
    }

    /// The input has ended: what is still to be said, and how the run ended.
    pub(super) fn finish(mut self, take: &mut impl FnMut(&EventData, Timestamp)) -> AgentExited {
        let parser = &mut self.parser;
        self.decoder.finish(|line| parser.line(line, take));
        if parser.keys.holds_back() {
            parser.line(Line::Text("".into()), take);
        }
        if let FormatGuess::Open(held, _) = &mut parser.format {
            let lines = held.take();
            parser.show(lines, take);
        }
        let failure = parser.failure();
        let at = now();
        parser.text.end(true, at).iter().for_each(|event| take(event, at));
        if let FormatGuess::Known(normaliser) = &mut parser.format {
            normaliser.end(failure.is_none(), at).iter().for_each(|event| take(event, at));
        }
        let reason = if failure.is_none() { ExitReason::Completed } else { ExitReason::Failed };
        AgentExited { reason, exit_code: None, signal: None, message: failure.map(|text| cut::text(&text, 4 << 10)) }
    }
}

impl Parser<'_> {
    fn line(&mut self, line: Line<'_>, take: &mut impl FnMut(&EventData, Timestamp)) {
        let line = self.keys.clean(self.redaction.redactor(), line);
        let at = now();
        let (held, lines) = match &mut self.format {
            FormatGuess::Known(_) => return self.read(line, at, take),
            FormatGuess::Text => return show(&mut *self.text, line, at, take),
            FormatGuess::Open(held, lines) => (held, lines),
        };
        let (shape, blank) = match &line {
            Line::Text(text) => (shape::of(text), text.trim().is_empty()),
            Line::Oversized { .. } => (LineOrigin::Other, false),
        };
        if let LineOrigin::Of(format) = shape {
            let before = held.take();
            self.format = known(format, &self.context, &self.threads);
            for (line, at) in before {
                self.reread(line, at, take);
            }
            return self.read(line, at, take);
        }
        *lines += 1;
        let is_over = *lines >= GUESSED_LINES_MAX;
        let holds = shape == LineOrigin::Unclear || blank || !held.is_blank();
        if holds {
            held.push(owned(line), at);
            if held.is_full() || is_over {
                let lines = held.take();
                self.show(lines, take);
            }
        } else {
            let before = held.take();
            self.show(before, take);
            show(&mut *self.text, line, at, take);
        }
        if is_over {
            self.format = FormatGuess::Text;
        }
    }

    /// Shows the present part of a line that has no end yet. Lines that were held before it are shown first. The rest
    /// of the line comes later, as a line.
    fn part(&mut self, open: &str, take: &mut impl FnMut(&EventData, Timestamp)) {
        if let FormatGuess::Open(held, _) = &mut self.format {
            let lines = held.take();
            self.show(lines, take);
        }
        let part = self.keys.part(self.redaction.in_text(), open);
        if let Some(event) = self.text.part(&part).filter(|_| !part.is_empty()) {
            take(&event, now());
        }
    }

    /// Reads a held line after the program behind the input is recognised. A blank line is dropped. A JSON object
    /// goes to that program's reader. Any other line was printed before the program began, and is shown as text.
    fn reread(&mut self, line: Line<'static>, at: Timestamp, take: &mut impl FnMut(&EventData, Timestamp)) {
        match &line {
            Line::Text(text) if text.trim().is_empty() => {}
            Line::Text(text) if shape::of(text) == LineOrigin::Unclear => self.read(line, at, take),
            _ => show(&mut *self.text, line, at, take),
        }
    }

    fn show(&mut self, lines: Vec<(Line<'static>, Timestamp)>, take: &mut impl FnMut(&EventData, Timestamp)) {
        for (line, at) in lines {
            show(&mut *self.text, line, at, take);
        }
    }

    fn read(&mut self, line: Line<'_>, at: Timestamp, take: &mut impl FnMut(&EventData, Timestamp)) {
        let FormatGuess::Known(normaliser) = &mut self.format else { return };
        let Meaning { events, pictures, .. } = meaning(&mut **normaliser, line, at);
        pictures.iter().for_each(&mut self.keep);
        for mut event in events {
            match &mut event {
                EventData::Status(data) => self.in_turn = data.status == Status::Running,
                EventData::Session(session) => {
                    self.in_turn = true;
                    session.takes_messages = Some(false); // nobody is heard through a pipe
                }
                _ => {}
            }
            take(&event, at);
        }
    }

    /// The reason why the run failed; `None` if the output shows no failure. Only the output can tell: the exit code
    /// of a program is not seen behind a pipe.
    fn failure(&self) -> Option<String> {
        let FormatGuess::Known(normaliser) = &self.format else { return None };
        let cut_short = || self.in_turn.then_some("its output ended in the middle of a turn");
        normaliser.failure().or_else(cut_short).map(str::to_owned)
    }
}

fn known(format: Runtime, context: &RunContext, threads: &Threads) -> FormatGuess {
    if format == Runtime::Process {
        return FormatGuess::Text;
    }
    let mut normaliser = piped_normaliser_of(format, context.clone());
    normaliser.remember(threads);
    FormatGuess::Known(normaliser)
}

/// Tells what a line means to its reader.
fn show(reader: &mut dyn Normalise, line: Line<'_>, at: Timestamp, take: &mut impl FnMut(&EventData, Timestamp)) {
    meaning(reader, line, at).events.iter().for_each(|event| take(event, at));
}

fn meaning(reader: &mut dyn Normalise, line: Line<'_>, at: Timestamp) -> Meaning {
    match line {
        Line::Text(text) => reader.line(&text, at),
        Line::Oversized { bytes, sample } => Meaning::of(reader.oversized(bytes, &sample)),
    }
}

fn owned(line: Line<'_>) -> Line<'static> {
    match line {
        Line::Text(text) => Line::Text(text.into_owned().into()),
        Line::Oversized { bytes, sample } => Line::Oversized { bytes, sample },
    }
}

#[cfg(test)]
mod tests;

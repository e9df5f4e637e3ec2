//! Notices about lines that could not be read as they should. The first ones have a sample; further ones are only
//! counted.

use townwatch_protocol::event::{EventData, NoticeKind, ParserNotice};

use crate::cut;

/// Notices of one kind that a run shows with a sample.
const SAMPLES_MAX: u64 = 20;
/// The bytes of a line that a notice shows.
const SAMPLE_BYTES_MAX: usize = 200;

/// The notices of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Notices(Vec<(NoticeKind, NoticeCount)>);

#[derive(Debug, Clone, Default)]
struct NoticeCount {
    shown: u64,
    counted: u64,
    first_counted: String,
}

impl Notices {
    /// Counts a line of this kind; gives a notice for the first ones.
    pub(super) fn note(&mut self, kind: NoticeKind, line: &str) -> Option<EventData> {
        let tally = self.tally(kind);
        let sample = cut::text(line, SAMPLE_BYTES_MAX);
        if tally.shown < SAMPLES_MAX {
            tally.shown += 1;
            return Some(ParserNotice { kind, count: 1, sample }.into());
        }
        if tally.counted == 0 {
            tally.first_counted = sample;
        }
        tally.counted += 1;
        None
    }

    /// The notices for a line that was too long to keep.
    pub(super) fn oversized(&mut self, bytes: u64, sample: &str) -> Vec<EventData> {
        self.note(NoticeKind::Oversized, &format!("{bytes} bytes: {sample}")).into_iter().collect()
    }

    /// The notices with the counts of lines that had none.
    pub(super) fn end(&mut self) -> Vec<EventData> {
        let counted = self.0.drain(..).filter(|(_, tally)| tally.counted > 0);
        let notice = |(kind, tally): (NoticeKind, NoticeCount)| {
            ParserNotice { kind, count: tally.counted, sample: tally.first_counted }.into()
        };
        counted.map(notice).collect()
    }

    fn tally(&mut self, kind: NoticeKind) -> &mut NoticeCount {
        let index = self.0.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
            self.0.push((kind, NoticeCount::default()));
            self.0.len() - 1
        });
        &mut self.0[index].1
    }
}

//! A text that will go on: of it only that is told which cannot become a part of a secret.

use townwatch_redaction::Redactor;

/// What stands before a place and says whether something can begin there: the longest escape and a terminal's colour.
const BEFORE_BYTES: usize = 32;

/// A text that is told in parts.
#[derive(Debug, Default)]
pub(super) struct OpenText {
    /// The end of what is settled, and what is not.
    tail: String,
    settled: usize,
}

impl OpenText {
    /// Bytes that are kept.
    pub(super) fn len(&self) -> usize {
        self.tail.len()
    }

    /// Whether some of it was not told yet.
    pub(super) fn holds_back(&self) -> bool {
        self.settled < self.tail.len()
    }

    /// What was not told yet.
    pub(super) fn held_back(&self) -> &str {
        &self.tail[self.settled..]
    }

    /// The text goes on, and nothing of that is told yet.
    pub(super) fn hold_back(&mut self, added: &str) {
        self.tail.push_str(added);
    }

    /// The text goes on: what may be told now.
    pub(super) fn add(&mut self, redactor: &Redactor, added: &str) -> String {
        self.hold_back(added);
        let settled = redactor.settled(&self.tail, self.settled);
        let told = redactor.tell(&self.tail, self.settled..settled, |_| {}).into_owned();
        // What was told stands before what follows, since a word can begin behind a secret.
        self.tail.replace_range(self.settled..settled, &told);
        self.settled += told.len();
        let before = self.tail.floor_char_boundary(self.settled.saturating_sub(BEFORE_BYTES));
        self.tail.drain(..before);
        self.settled -= before;
        told
    }

    /// The text has ended: the rest of it.
    pub(super) fn end(self, redactor: &Redactor) -> String {
        redactor.tell(&self.tail, self.settled..self.tail.len(), |_| {}).into_owned()
    }
}

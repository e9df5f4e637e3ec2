//! A text that will go on. Only the part that cannot become part of a secret is given out.

use townwatch_redaction::Redactor;

/// The bytes before the open part that are kept, 32. They show whether a secret can begin there: the longest escape, or
/// a terminal's colour, may come before one.
const BEFORE_BYTES: usize = 32;

/// A text that comes in parts.
#[derive(Debug, Default)]
pub(super) struct OpenText {
    /// The last given-out bytes, and then the held-back part, which begins at `settled`.
    tail: String,
    settled: usize,
}

impl OpenText {
    /// The number of kept bytes.
    pub(super) fn len(&self) -> usize {
        self.tail.len()
    }

    /// Whether a part is held back.
    pub(super) fn holds_back(&self) -> bool {
        self.settled < self.tail.len()
    }

    /// The held-back part.
    pub(super) fn held_back(&self) -> &str {
        &self.tail[self.settled..]
    }

    /// Adds text, and holds it back.
    pub(super) fn hold_back(&mut self, added: &str) {
        self.tail.push_str(added);
    }

    /// Adds text, and gives the part that can be given out now.
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

    /// Ends the text, and gives the rest.
    pub(super) fn end(self, redactor: &Redactor) -> String {
        redactor.tell(&self.tail, self.settled..self.tail.len(), |_| {}).into_owned()
    }
}

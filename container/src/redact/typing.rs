//! What is typed, piece by piece: of a text that has no event yet only that is shown which cannot become a part of a secret.

use std::collections::HashMap;

use super::Redactor;
use crate::normalise::Piece;
use crate::previews::{MESSAGE_BYTES_MAX, MESSAGES_MAX};

/// What stands before a place and says whether something can begin there: the longest escape and a terminal's colour.
const BEFORE_BYTES: usize = 32;

/// The texts that one run types.
#[derive(Debug, Default)]
pub(super) struct Typing {
    texts: HashMap<String, Text>,
}

#[derive(Debug, Default)]
struct Text {
    /// The end of what is settled, and what is not.
    tail: String,
    settled: usize,
}

impl Typing {
    /// The piece that may be shown of a text to which this one was added.
    pub(super) fn piece(&mut self, redactor: &Redactor, piece: Piece) -> Piece {
        let Piece { message_id, begins, text: added } = piece;
        if begins {
            if self.texts.len() >= MESSAGES_MAX {
                self.texts.clear(); // no run types so many at once: these have ended, and others begin again
            }
            self.texts.insert(message_id.clone(), Text::default());
        }
        let text = self.texts.get_mut(&message_id).map_or_else(String::new, |text| text.add(redactor, &added));
        Piece { message_id, begins, text }
    }
}

impl Text {
    fn add(&mut self, redactor: &Redactor, added: &str) -> String {
        if self.tail.len() > MESSAGE_BYTES_MAX {
            return String::new(); // one that long has no previews anyway
        }
        self.tail.push_str(added);
        let settled = redactor.settled(&self.tail, self.settled);
        let shown = redactor.tell(&self.tail, self.settled..settled, |_| {}).into_owned();
        // What was shown stands before what follows, since a word can begin behind a secret.
        self.tail.replace_range(self.settled..settled, &shown);
        self.settled += shown.len();
        let before = self.tail.floor_char_boundary(self.settled.saturating_sub(BEFORE_BYTES));
        self.tail.drain(..before);
        self.settled -= before;
        shown
    }
}

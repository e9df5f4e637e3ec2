//! Typed texts, piece by piece, which have no event yet.

use std::collections::HashMap;

use townwatch_protocol::limits::{PREVIEWED_BYTES_MAX, PREVIEWS_MAX};
use townwatch_redaction::Redactor;

use super::open_text::OpenText;
use crate::normalise::Piece;

/// The texts that one run is typing.
#[derive(Debug, Default)]
pub(super) struct TypedTexts {
    texts: HashMap<String, OpenText>,
}

impl TypedTexts {
    /// The redacted piece to show after this one was added.
    pub(super) fn piece(&mut self, redactor: &Redactor, piece: Piece) -> Piece {
        let Piece { message_id, begins, text: added } = piece;
        if begins {
            if self.texts.len() >= PREVIEWS_MAX {
                self.texts.clear(); // no run types so many at once: these have ended, and others begin again
            }
            self.texts.insert(message_id.clone(), OpenText::default());
        }
        // One that long has no previews anyway.
        let text = self.texts.get_mut(&message_id).filter(|text| text.len() <= PREVIEWED_BYTES_MAX);
        let text = text.map_or_else(String::new, |text| text.add(redactor, &added));
        Piece { message_id, begins, text }
    }
}

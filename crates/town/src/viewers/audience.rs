//! Viewers that want the same events in the same form. They share the frames, and the pace of these frames.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use townwatch_protocol::time::Timestamp;

use crate::log::Selection;
use crate::reading::stream_query::Form;

/// All viewers of one selection, in one form.
#[derive(Debug)]
pub(crate) struct Audience {
    /// The number of what it wants. Whoever wants the same later has the same number, so kept history serves them, too.
    pub(crate) number: u64,
    pub(crate) selection: Selection,
    pub(crate) form: Form,
    /// The time at which the last live frame left.
    sent_at: Cell<Option<Timestamp>>,
}

impl Audience {
    /// The time until which the next live frame is held back, so that more events may share it; `None` where it may
    /// leave. A clock that steps back holds nothing back.
    pub(crate) fn rests_until(&self, now: Timestamp, frame_interval_ms: i64) -> Option<Timestamp> {
        let sent_at = self.sent_at.get().filter(|sent_at| *sent_at <= now)?;
        Some(sent_at.plus_millis(frame_interval_ms)).filter(|end| *end > now)
    }

    /// Notes that a live frame leaves.
    pub(crate) fn sent(&self, now: Timestamp) {
        self.sent_at.set(Some(now));
    }
}

/// Selections and forms whose number is known, 256; with one more all numbers are forgotten. Viewers that are present keep
/// theirs.
const NUMBERS_MAX: usize = 256;

/// The audiences of a town: as many as there are different selections and forms among its viewers.
#[derive(Debug, Default)]
pub(crate) struct Audiences {
    present: HashMap<(Selection, Form), Rc<Audience>>,
    numbers: HashMap<(Selection, Form), u64>,
    newest: u64,
}

impl Audiences {
    /// Takes one more viewer into the audience of a selection in a form.
    pub(crate) fn of(&mut self, selection: Selection, form: Form) -> Rc<Audience> {
        let key = (selection, form);
        if let Some(known) = self.present.get(&key) {
            return Rc::clone(known);
        }
        let number = self.number(&key);
        let selection = key.0.clone();
        let audience = Rc::new(Audience { number, selection, form, sent_at: Cell::new(None) });
        self.present.insert(key, Rc::clone(&audience));
        audience
    }

    fn number(&mut self, key: &(Selection, Form)) -> u64 {
        if let Some(known) = self.numbers.get(key) {
            return *known;
        }
        if self.numbers.len() >= NUMBERS_MAX {
            self.numbers.clear();
        }
        self.newest += 1;
        self.numbers.insert(key.clone(), self.newest);
        self.newest
    }

    /// Takes a viewer out of its audience. An audience without viewers is forgotten: only the table and the leaving
    /// viewer hold it.
    pub(crate) fn leave(&mut self, audience: &Rc<Audience>) {
        if Rc::strong_count(audience) == 2 {
            self.present.remove(&(audience.selection.clone(), audience.form));
        }
    }
}

//! The redaction of one run's events and typed texts, with the counts that viewers see.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::value::RawValue;
use townwatch_protocol::error::Result;
use townwatch_protocol::event::{EventData, NoticeKind, ParserNotice};
use townwatch_redaction::{Redactor, SecretValues};

use super::typing::TypedTexts;
use crate::cut;
use crate::normalise::Piece;

/// Kinds of secrets that are counted. The bound holds even if an agent writes marks itself.
const KINDS_MAX: usize = 256;

/// The redaction of one run.
#[derive(Debug)]
pub struct Redaction {
    redactor: Redactor,
    /// The redactor for texts that are not JSON, if it differs.
    in_text: Option<Redactor>,
    state: Mutex<RedactionState>,
}

#[derive(Debug, Default)]
struct RedactionState {
    typing: TypedTexts,
    /// The marks in events by their kind, each with the number that notices have reported.
    counts: BTreeMap<String, MarkCount>,
}

#[derive(Debug, Default)]
struct MarkCount {
    all: u64,
    told: u64,
}

impl Redaction {
    /// A redaction of well-known formats and of these values.
    pub fn new(secrets: SecretValues) -> Result<Self> {
        let in_text = secrets.in_text().map(Redactor::new).transpose()?;
        Ok(Self { redactor: Redactor::new(secrets)?, in_text, state: Mutex::default() })
    }

    /// The redactor.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// A JSON text, redacted.
    pub fn json<'t>(&self, json: &'t str) -> Cow<'t, str> {
        self.redactor.text(json)
    }

    /// A text, redacted.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.in_text().text(text)
    }

    /// The redactor for texts that are not JSON.
    pub fn in_text(&self) -> &Redactor {
        self.in_text.as_ref().unwrap_or(&self.redactor)
    }

    /// The data of an event, redacted and within its bound. Its secrets are counted.
    pub fn data(&self, event: &EventData) -> Box<RawValue> {
        let raw = event.to_raw();
        let mut kinds = Vec::new();
        let clean = match self.redactor.tell(raw.get(), 0..raw.get().len(), |kind| kinds.push(kind.to_owned())) {
            Cow::Borrowed(_) => None,
            Cow::Owned(clean) => Some(RawValue::from_string(clean).unwrap_or_default()),
        };
        if !kinds.is_empty() && !matches!(event, EventData::ParserNotice(_)) {
            self.state().count(kinds);
        }
        cut::bounded_data(clean.unwrap_or(raw))
    }

    /// A piece of a text, redacted.
    pub fn piece(&self, piece: Piece) -> Piece {
        self.state().typing.piece(self.in_text(), piece)
    }

    /// The notices of kinds that were not reported yet. Each kind has one at once, and the counts of further ones at
    /// the end.
    pub fn first_notices(&self) -> Vec<EventData> {
        self.state().notices(|count| count.told == 0)
    }

    /// The notices of secrets that were only counted.
    pub fn last_notices(&self) -> Vec<EventData> {
        self.state().notices(|_| true)
    }

    fn state(&self) -> MutexGuard<'_, RedactionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RedactionState {
    fn count(&mut self, kinds: Vec<String>) {
        for kind in kinds {
            if self.counts.len() < KINDS_MAX || self.counts.contains_key(&kind) {
                self.counts.entry(kind).or_default().all += 1;
            }
        }
    }

    fn notices(&mut self, are_due: impl Fn(&MarkCount) -> bool) -> Vec<EventData> {
        let due = self.counts.iter_mut().filter(|(_, count)| count.all > count.told && are_due(count));
        let notice = |(kind, count): (&String, &mut MarkCount)| {
            let new = count.all - std::mem::replace(&mut count.told, count.all);
            ParserNotice { kind: NoticeKind::Redacted, count: new, sample: kind.clone() }.into()
        };
        due.map(notice).collect()
    }
}

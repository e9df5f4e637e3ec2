//! Decisions, and their results.

use townwatch_protocol::error::Result;
use townwatch_protocol::id::RigId;
use townwatch_protocol::time::Timestamp;
use townwatch_protocol::wire::Preview;

use crate::input::RigNotice;
use crate::log::ingest::Outcome;
use crate::town::Town;

/// The decision behind an input. The module is private, so that no other crate can decide past [`Town::handle`].
pub trait Decide {
    /// The caller's own answer.
    type Answer;

    /// Changes the tables, in one transaction, and gives the result.
    fn decide(self, town: &mut Town, now: Timestamp) -> Result<Decision<Self::Answer>>;
}

/// The result of a decision.
#[derive(Debug)]
#[must_use]
pub struct Decision<T> {
    pub(crate) answer: T,
    pub(crate) change: DecidedChange,
}

/// The changes of a decision that others have to know.
#[derive(Debug, Default)]
pub(crate) struct DecidedChange {
    /// The result for the log; `None` where viewers have nothing to get.
    pub(crate) outcome: Option<Outcome>,
    /// The texts that agents are typing.
    pub(crate) previews: Vec<Preview>,
    /// The notices for rigs.
    pub(crate) notices: Vec<(RigId, RigNotice)>,
}

impl<T> Decision<T> {
    /// A decision without a change that viewers could see.
    pub(crate) fn unseen(answer: T) -> Self {
        Self { answer, change: DecidedChange::default() }
    }

    /// A decision that has changed the log or a state.
    pub(crate) fn seen(answer: T, outcome: Outcome) -> Self {
        Self { answer, change: DecidedChange { outcome: Some(outcome), ..DecidedChange::default() } }
    }

    pub(crate) fn with_previews(mut self, previews: Vec<Preview>) -> Self {
        self.change.previews = previews;
        self
    }

    pub(crate) fn with_notices(mut self, notices: Vec<(RigId, RigNotice)>) -> Self {
        self.change.notices = notices;
        self
    }
}

//! Silences of the container, with their begin and cause.

use townwatch_protocol::error::Result;
use townwatch_protocol::time::Timestamp;

use crate::agents::runs::{self, Source};
use crate::store::Store;

/// A time in which the container could not be followed.
#[derive(Debug, PartialEq, Eq)]
pub struct Silence {
    /// The time since which it is silent.
    pub since: Timestamp,
    /// The problem with its answers, for example `the control server answered 500`; `None` where it does not answer.
    pub problem: Option<String>,
}

impl Silence {
    /// The silence in words, for example `the container does not answer`.
    pub fn words(&self) -> String {
        self.problem.clone().unwrap_or_else(|| "the container does not answer".to_owned())
    }
}

/// Whether the container is silent at present.
pub fn silence(store: &dyn Store) -> Result<Option<Silence>> {
    let rows = store.query("SELECT since_ms, problem FROM silence", &[])?;
    let read = |row| Ok(Silence { since: runs::moment(row, 0)?, problem: row.maybe_text(1).map(str::to_owned) });
    rows.first().map(read).transpose()
}

/// Notes a silence: one row.
pub(super) fn note(store: &dyn Store, since: Timestamp, problem: Option<&str>) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO silence (one, since_ms, problem) VALUES (1, ?, ?)";
    store.query(sql, &[since.millis().into(), problem.into()]).map(drop)
}

/// Ends a silence: the container has answered.
pub(super) fn end(store: &dyn Store) -> Result<()> {
    store.query("DELETE FROM silence", &[]).map(drop)
}

/// Forgets a silence in which no run is open, so that the next one counts from its own beginning.
pub(crate) fn forget(store: &dyn Store) -> Result<()> {
    if runs::any_open_of(store, &Source::Container)? { Ok(()) } else { end(store) }
}

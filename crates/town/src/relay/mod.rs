//! The relay, which carries events from the town's container into its log: the requests, the meaning of an answer, and
//! the time of the next request.

pub mod control_key;
pub mod control_response;
pub mod forwarding;
pub mod silence;
pub mod source_answer;
pub(crate) mod source_life;
pub mod taking;
pub mod turn;

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::{Epoch, SourceId};

use crate::agents::parse;
use crate::agents::runs::Source;
use crate::store::Store;

/// The epoch that stands for the life of a container that names none.
const UNNAMED: &str = "unnamed";

/// The position in a source up to which its events are taken. A request carries the position, and the answer counts
/// only if the stored position is still the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The life of the source's buffers; `None` before the first answer.
    pub epoch: Option<Epoch>,
    /// The last event that was taken over.
    pub cursor: SourceId,
}

/// The events that the container is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The new events.
    New,
    /// All events that the container has.
    All,
}

impl Position {
    fn is_unnamed(&self) -> bool {
        self.epoch.as_ref().is_some_and(|epoch| epoch.as_str() == UNNAMED)
    }

    /// The beginning of the request's query, for example `epoch=E&after=7`. A container that is not ours may name no
    /// epoch. Then it is asked for the last known event once more, for example `after=6` where 7 is known: only by
    /// this event can a restarted container be told from the one before.
    pub fn query(&self, reach: Reach) -> String {
        match &self.epoch {
            _ if reach == Reach::All => "after=0".to_owned(),
            Some(_) if self.is_unnamed() => format!("after={}", self.cursor.previous()),
            Some(epoch) => format!("epoch={epoch}&after={}", self.cursor),
            None => format!("after={}", self.cursor),
        }
    }
}

/// The source's stored position.
pub fn position(store: &dyn Store, source: &Source) -> Result<Position> {
    let rows = store.query("SELECT epoch, cursor FROM sources WHERE source = ?", &[source.key().into()])?;
    match rows.first() {
        None => Ok(Position { epoch: None, cursor: SourceId::START }),
        Some(row) => Ok(Position {
            epoch: Some(parse(Epoch::parse(row.text(0)?))?),
            cursor: SourceId::new(row.number(1)?).ok_or_else(|| Error::internal("a stored cursor is beyond 2^53"))?,
        }),
    }
}

/// Moves the source's position: one row.
pub fn set_position(store: &dyn Store, source: &Source, epoch: &Epoch, cursor: SourceId) -> Result<()> {
    store.query(
        "INSERT INTO sources (source, epoch, cursor) VALUES (?, ?, ?) \
         ON CONFLICT (source) DO UPDATE SET epoch = excluded.epoch, cursor = excluded.cursor",
        &[source.key().into(), epoch.as_str().into(), cursor.into()],
    )?;
    Ok(())
}

/// Whether this life of the source is over.
pub fn is_retired(store: &dyn Store, source: &Source, epoch: &Epoch) -> Result<bool> {
    let found = store.query(
        "SELECT 1 FROM retired_epochs WHERE source = ? AND epoch = ?",
        &[source.key().into(), epoch.as_str().into()],
    )?;
    Ok(!found.is_empty())
}

/// Notes that a life of the source is over. Nothing of it is accepted any more.
pub fn retire(store: &dyn Store, source: &Source, epoch: &Epoch) -> Result<()> {
    store.query(
        "INSERT OR IGNORE INTO retired_epochs (source, epoch) VALUES (?, ?)",
        &[source.key().into(), epoch.as_str().into()],
    )?;
    Ok(())
}

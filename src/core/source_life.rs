//! Tells the lives of a container apart that does not name them, or whose ids begin anew under the same name.

use crate::core::relay::{Position, Reach};
use crate::core::runs::{self, Source};
use crate::core::source_answer::{SourceAnswer, SourceEvent};
use crate::core::store::Store;
use crate::error::Result;
use crate::id::SourceId;

/// Whose events an answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// Of the life that was asked.
    Same,
    /// Of a life under another name.
    Other,
    /// Of another life under the same name, or without one: its ids begin anew.
    Again,
    /// It cannot be told.
    Unknown,
}

/// Whether an answer under the name of the life that was asked is of that life. Ids rise within a life: an event that is
/// newer than the last one taken over, and does not have a higher id, is of the next.
pub(super) fn life(store: &dyn Store, asked: &Position, reach: Reach, answer: &SourceAnswer) -> Result<Life> {
    if answer.head.is_some_and(|head| head < asked.cursor) {
        return Ok(Life::Again);
    }
    if answer.epoch.is_some() || asked.cursor == SourceId::START {
        return Ok(Life::Same);
    }
    let rows =
        store.query("SELECT mark, mark_at_ms FROM sources WHERE source = ?", &[Source::Container.key().into()])?;
    let Some(row) = rows.first() else { return Ok(Life::Same) };
    let (mark, marked_at) = (row.maybe_text(0), runs::moment(row, 1)?);
    let is_of_next = |event: &SourceEvent| event.id <= asked.cursor && event.timestamp > marked_at;
    let is_marked = |event: &SourceEvent| event.id == asked.cursor && Some(event.mark().as_str()) == mark;
    let is_other = |event: &SourceEvent| event.id == asked.cursor && !is_marked(event);
    let events = &answer.events;
    if events.iter().any(|event| is_of_next(event) || is_other(event)) {
        return Ok(Life::Again);
    }
    let is_same =
        reach == Reach::All || events.iter().any(is_marked) || events.iter().any(|event| event.id > asked.cursor);
    Ok(if is_same { Life::Same } else { Life::Unknown })
}

/// Remembers the last event taken over of a container that names no life.
pub(super) fn set_mark(store: &dyn Store, answer: &SourceAnswer) -> Result<()> {
    let (None, Some(last)) = (&answer.epoch, answer.events.last()) else { return Ok(()) };
    let sql = "UPDATE sources SET mark = ?, mark_at_ms = ? WHERE source = ?";
    let values = [last.mark().into(), last.timestamp.millis().into(), Source::Container.key().into()];
    store.query(sql, &values).map(|_| ())
}

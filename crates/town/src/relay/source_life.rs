//! The distinction between the lives of a container that does not name them, or whose ids begin anew under the same
//! name.
//!
//! Each request asks for the last event taken over once more. In the same life that event is there, with its content
//! and its time. Another content means another life. The same content at another time has two possible causes: it is an
//! event of the next life that is like the one before, or the container gives its events new times with each answer. A
//! check some time later shows which. The result about a container's times is remembered.

use townwatch_protocol::error::Result;
use townwatch_protocol::id::SourceId;
use townwatch_protocol::time::Timestamp;

use crate::agents::runs::{self, Source};
use crate::relay::source_answer::{SourceAnswer, SourceEvent};
use crate::relay::{Position, Reach};
use crate::store::{Store, Value};

/// The time after which an unchanged time counts as the event's own, 2 s. Some containers know whole seconds only.
const TIME_STANDS_MS: u64 = 2_000;

/// The life of the source that an answer's events are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SourceLife {
    /// The life that was asked.
    Same,
    /// A life with another epoch.
    Other,
    /// Another life with the same epoch, or without one: its ids begin again.
    Again,
    /// A life that only all events of the container can show.
    Unknown,
    /// A life that cannot be known yet.
    Doubted,
}

/// The stored facts about the last event taken and the container's times.
struct SourceMark {
    /// The content; `None` where the event was taken over before contents were remembered.
    content: Option<String>,
    at: Timestamp,
    restamps: bool,
    /// Another time that came with the event, and the moment at which it first came.
    doubt: Option<(Timestamp, Timestamp)>,
}

/// Decides the life of an answer that has the same epoch as the request, or none.
pub(super) fn life(
    store: &dyn Store,
    asked: &Position,
    reach: Reach,
    answer: &SourceAnswer,
    now: Timestamp,
) -> Result<SourceLife> {
    if answer.head.is_some_and(|head| head < asked.cursor) {
        return Ok(SourceLife::Again);
    }
    if answer.epoch.is_some() || asked.cursor == SourceId::START {
        return Ok(SourceLife::Same);
    }
    let Some(mark) = mark(store)? else { return Ok(SourceLife::Same) };
    let events = &answer.events;
    if let Some(event) = events.iter().find(|event| event.id == asked.cursor) {
        let is_like_it = mark.content.as_ref().is_none_or(|content| *content == event.content());
        return if is_like_it { by_time(store, &mark, event, now) } else { Ok(SourceLife::Again) };
    }
    // Ids rise within a life. If the last event is gone, no event with a smaller id comes later.
    let is_of_next = |event: &SourceEvent| event.id < asked.cursor && (mark.restamps || event.timestamp > mark.at);
    if events.iter().any(is_of_next) {
        return Ok(SourceLife::Again);
    }
    let is_same = reach == Reach::All || events.iter().any(|event| event.id > asked.cursor);
    Ok(if is_same { SourceLife::Same } else { SourceLife::Unknown })
}

/// Decides the life by the time of an event that has the content of the last event taken.
fn by_time(store: &dyn Store, mark: &SourceMark, event: &SourceEvent, now: Timestamp) -> Result<SourceLife> {
    if event.timestamp == mark.at || mark.restamps {
        return Ok(SourceLife::Same);
    }
    let source = Source::Container.key();
    match mark.doubt {
        Some((at, _)) if at != event.timestamp => {
            store.query("UPDATE sources SET restamps = 1 WHERE source = ?", &[source.into()])?;
            Ok(SourceLife::Same)
        }
        Some((_, since)) if now.millis_since(since) >= TIME_STANDS_MS => Ok(SourceLife::Again),
        Some(_) => Ok(SourceLife::Doubted),
        None => {
            let sql = "UPDATE sources SET doubted_at_ms = ?, doubted_since_ms = ? WHERE source = ?";
            store.query(sql, &[event.timestamp.millis().into(), now.millis().into(), source.into()])?;
            Ok(SourceLife::Doubted)
        }
    }
}

fn mark(store: &dyn Store) -> Result<Option<SourceMark>> {
    let sql = "SELECT mark, mark_at_ms, restamps, doubted_at_ms, doubted_since_ms FROM sources WHERE source = ?";
    let rows = store.query(sql, &[Source::Container.key().into()])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let is_doubted = row.0.get(3) != Some(&Value::Null);
    Ok(Some(SourceMark {
        content: row.maybe_text(0).map(str::to_owned),
        at: runs::moment(row, 1)?,
        restamps: row.number(2)? != 0,
        doubt: if is_doubted { Some((runs::moment(row, 3)?, runs::moment(row, 4)?)) } else { None },
    }))
}

/// Remembers the last event taken over, if the container names no life.
pub(super) fn set_mark(store: &dyn Store, answer: &SourceAnswer) -> Result<()> {
    let (None, Some(last)) = (&answer.epoch, answer.events.last()) else { return Ok(()) };
    let sql =
        "UPDATE sources SET mark = ?, mark_at_ms = ?, doubted_at_ms = NULL, doubted_since_ms = NULL WHERE source = ?";
    let values = [last.content().into(), last.timestamp.millis().into(), Source::Container.key().into()];
    store.query(sql, &values).map(|_| ())
}

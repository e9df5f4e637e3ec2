//! Answers that a reader pulls piece by piece: event streams, and ranges of the log as lines. Each piece is made when
//! the reader wants it, so a slow reader costs no memory.

use std::rc::Rc;

use ::worker::{Error as Fault, Headers, Response, ResponseBuilder};
use futures_util::stream::{Stream, unfold};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_town::reading::ending::Ending;
use townwatch_town::reading::range::RangeReader;
use townwatch_town::reading::reader::{Next, PullResult, Reader};

use crate::event_waiters::Presence;
use crate::log::log;
use crate::streams::readable_from;
use crate::town_object::TownObject;
use crate::{http, platform};

/// An open event stream, counted as a reader until it is dropped.
struct OpenEventStream {
    town: Rc<TownObject>,
    reader: Reader,
    is_over: bool,
    _presence: Presence,
}

impl OpenEventStream {
    /// The next messages, as soon as there are some; `None` at the end.
    async fn next(&mut self) -> Result<Option<String>> {
        while !self.is_over {
            let now = platform::now();
            // Before the look at the log: what is stored after it ends the wait.
            let wait = self.town.event_waiters.next(self.reader.due_at().millis_since(now));
            let read = self.town.with(|core| core.read_on(&mut self.reader, now));
            let PullResult { text, next } = match read {
                Err(error) if error.code == Code::NotFound => {
                    let text = self.reader.farewell(Code::NotFound, Ending::TownDeleted, now);
                    PullResult { text, next: Next::End }
                }
                read => read?,
            };
            self.is_over = next == Next::End;
            if !text.is_empty() {
                return Ok(Some(text));
            }
            if next == Next::Wait {
                self.reader.waits_as(wait.name());
                wait.await;
            }
        }
        Ok(None)
    }
}

/// An event stream. Its headers tell proxies not to buffer it, and let a page of `origin`, which the Worker has
/// checked, read it.
pub(super) fn event_stream(town: Rc<TownObject>, reader: Reader, origin: Option<&str>) -> Result<Response> {
    let presence = town.event_waiters.enter();
    let messages =
        unfold(OpenEventStream { town, reader, is_over: false, _presence: presence }, |mut stream| async move {
            let text = stream.next().await.unwrap_or_else(|error| {
                log("stream_error", &[("message", &error.message)]);
                None
            });
            text.map(|text| (Ok::<_, Fault>(text.into_bytes()), stream))
        });
    let fixed = [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache, no-transform"),
        ("x-accel-buffering", "no"),
        ("x-content-type-options", "nosniff"),
    ];
    let headers: Vec<_> = fixed.into_iter().chain(readable_from(origin)).collect();
    answer(&headers, messages)
}

/// The answer 204, which a browser's event source takes for the end, so that it does not reconnect.
pub(super) fn no_more(origin: Option<&str>) -> Response {
    http::nothing(&readable_from(origin).collect::<Vec<_>>())
}

/// A range of the log, one event a line. An error within the range breaks the connection, so that the answer cannot
/// look complete.
pub(super) fn lines(town: Rc<TownObject>, range: RangeReader) -> Result<Response> {
    let pieces = unfold((town, range), |(town, mut range)| async move {
        let piece = town.with(|core| core.read_range(&mut range, platform::now())).transpose()?;
        Some((piece.map(String::into_bytes).map_err(|error| Fault::from(error.message)), (town, range)))
    });
    let headers = [
        ("content-type", "application/x-ndjson"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
        ("x-content-type-options", "nosniff"),
    ];
    answer(&headers, pieces)
}

fn answer(
    headers: &[(&str, &str)],
    pieces: impl Stream<Item = std::result::Result<Vec<u8>, Fault>> + 'static,
) -> Result<Response> {
    let all = Headers::new();
    for (name, value) in headers {
        all.set(name, value).map_err(Error::internal)?;
    }
    ResponseBuilder::new().with_headers(all).from_stream(pieces).map_err(Error::internal)
}

//! A request as it arrives: its town and its body. Queries and JSON are read by the same code as in the Worker, so that
//! a refusal has the same text in both.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use townwatch_protocol::body::{too_large, too_slow};
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::id::TownId;
use townwatch_protocol::limits::{BODY_ARRIVAL_MS, BODY_BYTES_MAX};
use townwatch_protocol::wire::TOWN_HEADER;

/// Reads the town from a request's header.
pub(crate) fn town_id(headers: &HeaderMap) -> Result<TownId> {
    let header =
        headers.get(TOWN_HEADER).ok_or_else(|| Error::invalid(TOWN_HEADER, "this header has to name the town"))?;
    let town_id = header.to_str().ok().and_then(TownId::parse);
    town_id.ok_or_else(|| Error::invalid(TOWN_HEADER, format!("expected {}", TownId::EXPECTED)))
}

/// Reads the bytes of a body.
///
/// # Errors
///
/// [`too_large`] where there are too many of them or their connection breaks off, [`too_slow`] where they take too
/// long.
pub(crate) async fn bytes(body: Body) -> Result<Bytes> {
    let whole = axum::body::to_bytes(body, BODY_BYTES_MAX);
    match tokio::time::timeout(Duration::from_millis(BODY_ARRIVAL_MS), whole).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(too_slow()),
    }
}

//! A request to the control server, as the callers of [`crate::upstream`] make it.

use serde::Serialize;
use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::limits::BATCH_EVENTS_MAX;
use townwatch_protocol::signed_call::Purpose;

/// The largest answer that is read, 32 MiB of the isolate's 128 MiB: [`BATCH_EVENTS_MAX`] events (500) of 64 KiB each,
/// and 1 MiB. The control server puts fewer events on a page of larger ones.
const ANSWER_BYTES_MAX: usize = BATCH_EVENTS_MAX * (64 << 10) + (1 << 20);

/// A request to the control server.
#[derive(Debug)]
pub struct ControlRequest {
    pub(crate) purpose: Purpose,
    pub(crate) method: &'static str,
    /// Path and query: `/agents/a/status` for example.
    pub(crate) target: String,
    /// JSON text.
    pub(crate) body: Option<String>,
    /// The time limit of the whole answer.
    pub(crate) limit_ms: u64,
    /// The bound of the answer.
    pub(crate) bytes_max: usize,
}

impl ControlRequest {
    /// A `GET` request.
    pub fn get(purpose: Purpose, target: impl Into<String>, limit_ms: u64) -> Self {
        let target = target.into();
        Self { purpose, method: "GET", target, body: None, limit_ms, bytes_max: ANSWER_BYTES_MAX }
    }

    /// A `POST` request without a body.
    pub fn post(purpose: Purpose, target: impl Into<String>, limit_ms: u64) -> Self {
        Self { method: "POST", ..Self::get(purpose, target, limit_ms) }
    }

    /// The same request with a body.
    pub fn with_body(self, body: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_string(body).map_err(Error::internal)?;
        Ok(Self { body: Some(body), ..self })
    }

    /// The same request for an answer of at most `bytes_max` bytes.
    #[must_use]
    pub fn at_most(self, bytes_max: usize) -> Self {
        Self { bytes_max, ..self }
    }
}

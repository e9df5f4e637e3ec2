//! The detection of viewers that are gone and could not say so.

use townwatch_protocol::limits::SILENT_VIEWER_MS;
use townwatch_protocol::time::Timestamp;

/// Whether a viewer that used to ping has sent nothing for [`SILENT_VIEWER_MS`]. A viewer that never pinged is left
/// alone. `heard_at` is the time of its last message other than a ping.
pub fn is_silent(pinged_at: Option<Timestamp>, heard_at: Option<Timestamp>, now: Timestamp) -> bool {
    pinged_at
        .is_some_and(|pinged_at| now.millis_since(pinged_at.max(heard_at.unwrap_or(pinged_at))) >= SILENT_VIEWER_MS)
}

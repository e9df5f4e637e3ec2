//! Whether a viewer is gone and could not say so.

use townwatch_protocol::limits::SILENT_VIEWER_MS;
use townwatch_protocol::time::Timestamp;

/// Whether nothing has been heard for [`SILENT_VIEWER_MS`] of a viewer that used to ping; one that never has is let be.
/// `heard_at` is when it last said anything else.
pub fn is_silent(pinged_at: Option<Timestamp>, heard_at: Option<Timestamp>, now: Timestamp) -> bool {
    pinged_at
        .is_some_and(|pinged_at| now.millis_since(pinged_at.max(heard_at.unwrap_or(pinged_at))) >= SILENT_VIEWER_MS)
}

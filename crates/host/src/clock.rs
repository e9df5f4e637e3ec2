//! The clock.

use std::time::{SystemTime, UNIX_EPOCH};

use townwatch_protocol::time::Timestamp;

/// The present moment.
pub fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(0))
}

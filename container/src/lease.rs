//! The lease: the runs of a town that no longer sends requests are ended, because nobody sees what they do.
//!
//! Such a town may have been deleted while this server could not be reached, or its Worker may be gone for good.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::control::Control;

/// The number of checks within the time of a lease.
const LOOKS: u32 = 20;
/// The longest time between two checks, 30 s.
const LOOK_INTERVAL_MAX: Duration = Duration::from_secs(30);

/// Ends runs whose lease is over, as long as the server lives.
pub async fn watch(control: Arc<Control>) {
    let lease = control.config.lease;
    loop {
        tokio::time::sleep((lease / LOOKS).min(LOOK_INTERVAL_MAX)).await;
        for (town_id, town) in control.towns_by_id() {
            let run_ids = town.end_unasked(lease);
            if !run_ids.is_empty() {
                let fields = json!({"town_id": town_id, "run_ids": run_ids, "unasked_seconds": lease.as_secs()});
                crate::log::write("lease_over", fields);
            }
        }
    }
}

//! The lease: a town that does not ask any more has its runs ended, since nobody sees what they do.
//!
//! It may have been deleted while this server could not be reached, or its Worker may be gone for good.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::control::Control;

/// The looks in the time of a lease, whether it is over.
const LOOKS: u32 = 20;
/// The longest time between two looks.
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

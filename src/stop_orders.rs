//! Performs the stops that the town has ordered. Each is repeated until the control server, or the rig, has received
//! it. The order is stored in the tables, so the next alarm performs it even if this instance dies.

use std::cell::Cell;

use futures_util::future::join_all;
use js_sys::futures::spawn_local;
use townwatch_protocol::calls::EndedRuns;
use townwatch_protocol::error::{Code, Result};
use townwatch_protocol::time::Timestamp;
use townwatch_town::agents::stop_orders::{StopAnswered, StopOrder, StopPlace};
use townwatch_town::relay::control_response::StopAnswer;

use crate::log::log;
use crate::town_object::TownObject;
use crate::{container_routes, platform, posted_end};

/// The pause after a stop that was not received, 2 s.
const RETRY_MS: i64 = 2_000;

/// The state of an instance's work on stop orders.
pub(super) struct StopOrderState {
    /// Whether there may be orders. A new instance does not know, so it begins with true.
    may_have: Cell<bool>,
    is_busy: Cell<bool>,
    /// The time before which no new try is made, because the last one failed.
    retry_at: Cell<Option<Timestamp>>,
}

impl Default for StopOrderState {
    fn default() -> Self {
        Self { may_have: Cell::new(true), is_busy: Cell::new(false), retry_at: Cell::new(None) }
    }
}

/// Begins to perform orders, because some were just made.
pub(super) fn ordered(town: &TownObject) {
    town.stop_order_state.may_have.set(true);
    begin(town);
}

/// Performs the present orders, unless that is running already, or failed less than [`RETRY_MS`] ago.
pub(super) fn begin(town: &TownObject) {
    let StopOrderState { may_have, is_busy, retry_at } = &town.stop_order_state;
    if !may_have.get() || is_busy.get() || retry_at.get().is_some_and(|at| at > platform::now()) {
        return;
    }
    // Nearly always there are none, and then no alarm is to stand for them.
    if town.with(|core| Ok(core.stop_orders()?.is_empty())).unwrap_or(false) {
        may_have.set(false);
        return;
    }
    let Ok(town) = town.shared() else { return };
    is_busy.set(true);
    spawn_local(async move {
        let is_done = match perform_all(&town).await {
            Ok(is_done) => is_done,
            Err(error) if error.code == Code::NotFound => true,
            Err(error) => {
                log("stop_error", &[("message", &error.message)]);
                false
            }
        };
        // In the same step as the last look, so none can have been ordered since.
        town.stop_order_state.is_busy.set(false);
        town.stop_order_state.may_have.set(!is_done);
        let retry_at = (!is_done).then(|| platform::now().plus_millis(RETRY_MS));
        town.stop_order_state.retry_at.set(retry_at);
        if let Some(at) = retry_at {
            town.pull_alarm(at).await;
        }
    });
}

/// The time at which the alarm is to look for orders; `None` where there are none.
pub(super) fn due_at(town: &TownObject) -> Option<Timestamp> {
    town.stop_order_state.may_have.get().then(|| platform::now().plus_millis(RETRY_MS))
}

/// Performs orders until none is left; false where one was not received.
async fn perform_all(town: &TownObject) -> Result<bool> {
    loop {
        // The town is looked for at each step: it may be deleted meanwhile.
        let orders = town.with(|core| core.stop_orders())?;
        if orders.is_empty() {
            return Ok(true);
        }
        // All at once: one that hangs is waited for, but not one after the other.
        let heard = join_all(orders.iter().map(|order| perform(town, order))).await;
        if !heard.into_iter().collect::<Result<Vec<bool>>>()?.into_iter().all(|is_heard| is_heard) {
            return Ok(false);
        }
    }
}

/// Performs one order; false where it has to be tried again.
async fn perform(town: &TownObject, StopOrder { run_id, agent_id, place }: &StopOrder) -> Result<bool> {
    let answer = match place {
        StopPlace::Container => container_routes::stop_run(town, agent_id, run_id).await,
        StopPlace::Rig(rig_id, reason) => {
            let ends = EndedRuns { agent_id: agent_id.clone(), run_ids: vec![run_id.clone()], reason: *reason };
            posted_end::ended(town, rig_id, ends).await.map(|()| StopAnswer::Heard)
        }
    };
    let answer = answer.unwrap_or_else(StopAnswer::Unheard);
    if let StopAnswer::Unheard(error) = &answer {
        log("stop_error", &[("run_id", run_id.as_str()), ("message", &error.message)]);
    }
    town.handle(StopAnswered { run_id, answer: &answer })
}

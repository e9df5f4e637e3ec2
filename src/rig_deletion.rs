//! The deletion of a rig over the objects that know of it; the order of its steps is explained in `crates/town/src/rig/rig_deletion.rs`.

use ::worker::Response;
use futures_util::future::join_all;
use townwatch_protocol::calls::EraseRig;
use townwatch_protocol::error::Result;
use townwatch_protocol::id::RigId;
use townwatch_town::rig::rig_deletion::{EraseRigAgent, RigDeletionPlan};

use crate::http::nothing;
use crate::log::log;
use crate::timer::Sleep;
use crate::town_object::TownObject;
use crate::{container_routes, objects};

/// `DELETE /api/towns/:town/rigs/:rig`.
pub(super) async fn rig(town: &TownObject, rig_id: &RigId) -> Result<Response> {
    let plan = town.with(|core| core.begin_rig_deletion(rig_id))?;
    if let Err(error) = erase(town, &plan).await {
        town.with(|core| {
            core.abandon_rig_deletion(&plan);
            Ok(())
        })?;
        return Err(error);
    }
    log("rig_deleted", &[("rig_id", rig_id.as_str())]);
    Ok(nothing(&[]))
}

async fn erase(town: &TownObject, plan: &RigDeletionPlan) -> Result<()> {
    // All at once: one that hangs is waited for, but not one after the other.
    let stops = plan.in_container.iter().map(|agent_id| container_routes::stop_for_good(town, agent_id));
    join_all(stops).await.into_iter().collect::<Result<()>>()?;
    objects::call(&town.env, &plan.rig_id, &EraseRig {}).await?;
    for agent_id in &plan.agents {
        town.handle(EraseRigAgent { plan, agent_id })?;
        log("agent_deleted", &[("agent_id", agent_id.as_str())]);
        // A rig may have thousands of agents: others are answered in between.
        Sleep::new(0).await;
    }
    town.with(|core| core.erase_rig(plan))
}

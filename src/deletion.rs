//! The deletion of an agent over the objects that know of it; the order of its steps is explained in `crates/town/src/agents/deletion.rs`.

use ::worker::Response;
use townwatch_protocol::calls::ForgetAgent;
use townwatch_protocol::error::{Code, Result};
use townwatch_protocol::id::AgentId;
use townwatch_town::agents::deletion::{DeletionPlan, EraseAgent};

use crate::http::nothing;
use crate::log::log;
use crate::town_object::TownObject;
use crate::{container_routes, objects};

/// `DELETE /api/towns/:town/agents/:agent`.
pub(super) async fn agent(town: &TownObject, agent_id: &AgentId) -> Result<Response> {
    let plan = town.with(|core| core.begin_deletion(agent_id))?;
    if let Err(error) = prepare(town, &plan).await {
        town.with(|core| {
            core.abandon_deletion(&plan);
            Ok(())
        })?;
        return Err(error);
    }
    town.handle(EraseAgent { plan: &plan })?;
    log("agent_deleted", &[("agent_id", agent_id.as_str())]);
    Ok(nothing(&[]))
}

/// Makes true what must be true before anything is erased in the town. A rig whose object is gone knows no agent.
async fn prepare(town: &TownObject, plan: &DeletionPlan) -> Result<()> {
    if plan.in_container {
        container_routes::stop_for_good(town, &plan.agent_id).await?;
    }
    match objects::call(&town.env, &plan.rig_id, &ForgetAgent { agent_id: plan.agent_id.clone() }).await {
        Err(error) if error.code == Code::NotFound => Ok(()),
        outcome => outcome.map(drop),
    }
}

//! The archive over the objects that know of an agent; the order of its steps is explained in `crates/town/src/agents/archive.rs`.

use ::worker::Response;
use townwatch_protocol::calls::{ArchiveAgents, BringAgentsBack, Done, ObjectCall};
use townwatch_protocol::error::{Code, Result};
use townwatch_protocol::id::{AgentId, RigId};
use townwatch_town::agents::archive::{ArchiveCompletion, ArchivePlan, BringAgentBack};

use crate::http::success;
use crate::log::log;
use crate::objects;
use crate::town_object::TownObject;

/// `POST …/agents/:agent/archive`.
pub(super) async fn agent(town: &TownObject, agent_id: &AgentId) -> Result<Response> {
    if let Some(plan) = town.with(|core| core.begin_archive(agent_id))? {
        put_away(town, &plan).await?;
    }
    town.with(|core| Ok(success(200, &core.require_agent(agent_id)?)))
}

/// `DELETE …/agents/:agent/archive`. A repeated request tells the rig again, in case the first time failed.
pub(super) async fn agent_back(town: &TownObject, agent_id: &AgentId) -> Result<Response> {
    let rig_id = town.handle(BringAgentBack { agent_id })?;
    tell_rig(town, &rig_id, &BringAgentsBack { agent_ids: vec![agent_id.clone()] }).await?;
    town.with(|core| Ok(success(200, &core.require_agent(agent_id)?)))
}

/// `POST …/rigs/:rig/archive`.
pub(super) async fn rig(town: &TownObject, rig_id: &RigId) -> Result<Response> {
    let plan = town.with(|core| core.begin_rig_archive(rig_id))?;
    put_away(town, &plan).await?;
    town.with(|core| Ok(success(200, &core.rig(rig_id)?)))
}

/// Tells the rig that a run has brought an agent back: the rig takes its posts again.
pub(super) async fn brought_back(town: &TownObject, rig_id: &RigId, agent_id: AgentId) -> Result<()> {
    tell_rig(town, rig_id, &BringAgentsBack { agent_ids: vec![agent_id] }).await
}

async fn put_away(town: &TownObject, plan: &ArchivePlan) -> Result<()> {
    let outcome = tell_rig(town, &plan.rig_id, &ArchiveAgents { agent_ids: plan.agents.clone() }).await;
    if let Err(error) = outcome.and_then(|()| town.handle(ArchiveCompletion { plan })) {
        // Where another call has taken this over, the rig is that one's to tell.
        if town.with(|core| Ok(core.abandon_archive(plan)))?
            && let Err(error) = tell_rig(town, &plan.rig_id, &BringAgentsBack { agent_ids: plan.agents.clone() }).await
        {
            log("archive_error", &[("message", &error.message)]);
        }
        return Err(error);
    }
    for agent_id in &plan.agents {
        log("agent_archived", &[("agent_id", agent_id.as_str())]);
    }
    Ok(())
}

/// Calls a rig. A rig whose object is gone knows no agent, so its 404 counts as done.
async fn tell_rig(
    town: &TownObject,
    rig_id: &RigId,
    call: &impl ObjectCall<Object = RigId, Answer = Done>,
) -> Result<()> {
    match objects::call(&town.env, rig_id, call).await {
        Err(error) if error.code == Code::NotFound => Ok(()),
        outcome => outcome.map(drop),
    }
}

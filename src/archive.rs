//! The archive over the objects that know of an agent; the order of its steps is explained in `crates/town/src/agents/archive.rs`.

use ::worker::Response;
use serde_json::json;
use townwatch_protocol::error::{Code, Result};
use townwatch_protocol::id::{AgentId, RigId};
use townwatch_town::agents::archive::{ArchiveAgents, ArchivePlan, BringAgentBack};

use crate::http::success;
use crate::log::log;
use crate::town_object::TownObject;
use crate::town_routes;

/// `POST …/agents/:agent/archive`.
pub(super) async fn agent(town: &TownObject, agent_id: &AgentId) -> Result<Response> {
    if let Some(plan) = town.with(|core| core.begin_archive(agent_id))? {
        put_away(town, &plan).await?;
    }
    town.with(|core| Ok(success(200, &town_routes::agent(core, agent_id)?)))
}

/// `DELETE …/agents/:agent/archive`. A rig that was not told has this asked again.
pub(super) async fn agent_back(town: &TownObject, agent_id: &AgentId) -> Result<Response> {
    let rig_id = town.handle(BringAgentBack { agent_id })?;
    tell_rig(town, &rig_id, "/bring-back", std::slice::from_ref(agent_id)).await?;
    town.with(|core| Ok(success(200, &town_routes::agent(core, agent_id)?)))
}

/// `POST …/rigs/:rig/archive`.
pub(super) async fn rig(town: &TownObject, rig_id: &RigId) -> Result<Response> {
    let plan = town.with(|core| core.begin_rig_archive(rig_id))?;
    put_away(town, &plan).await?;
    town.with(|core| Ok(success(200, &core.rig(rig_id)?)))
}

/// An agent that a run has brought back: its rig takes its posts again.
pub(super) async fn brought_back(town: &TownObject, rig_id: &RigId, agent_id: &AgentId) -> Result<()> {
    tell_rig(town, rig_id, "/bring-back", std::slice::from_ref(agent_id)).await
}

async fn put_away(town: &TownObject, plan: &ArchivePlan) -> Result<()> {
    let told = tell_rig(town, &plan.rig_id, "/archive", &plan.agents).await;
    if let Err(error) = told.and_then(|()| town.handle(ArchiveAgents { plan })) {
        // Where another call has taken this over, the rig is that one's to tell.
        if town.with(|core| Ok(core.abandon_archive(plan)))?
            && let Err(error) = tell_rig(town, &plan.rig_id, "/bring-back", &plan.agents).await
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

/// A rig whose object is gone knows no agent.
async fn tell_rig(town: &TownObject, rig_id: &RigId, path: &str, agents: &[AgentId]) -> Result<()> {
    let body = json!({"agent_ids": agents}).to_string();
    match town_routes::ask_rig::<serde_json::Value>(&town.env, rig_id, path, &body).await {
        Err(error) if error.code == Code::NotFound => Ok(()),
        outcome => outcome.map(drop),
    }
}

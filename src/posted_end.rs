//! The end of runs that agents post, where the town and the agent's rig have to agree: the rig refuses what is posted to a
//! run that is over, so that the agent learns of it.

use townwatch_protocol::calls::{AllowAgain, EndedRuns, RefuseRuns, StopRuns};
use townwatch_protocol::error::Result;
use townwatch_protocol::event::ExitReason;
use townwatch_protocol::id::{AgentId, RigId, RunId};
use townwatch_town::agents::posted_end::StopPosted;

use crate::log::log;
use crate::objects;
use crate::town_object::TownObject;

/// Stops an agent that posts. First the rig takes nothing more of it and hands over what it has; then its runs are ended. Who
/// dies in between leaves open runs behind, and is asked again.
pub(super) async fn stop(town: &TownObject, rig_id: &RigId, agent_id: &AgentId, run_ids: Vec<RunId>) -> Result<()> {
    let stop = StopRuns(EndedRuns { agent_id: agent_id.clone(), run_ids, reason: ExitReason::Stopped });
    objects::call(&town.env, rig_id, &stop).await?;
    let Some(mut end) = town.handle(StopPosted { agent_id })? else { return Ok(()) };
    // What the town opened while the rig handed over.
    end.ends.run_ids.retain(|run_id| !stop.0.run_ids.contains(run_id));
    if !end.ends.run_ids.is_empty() {
        ended(town, rig_id, end.ends).await?;
    }
    Ok(())
}

/// A run of the agent begins in the container: what was stopped before it says nothing of it. A rig that cannot be reached
/// does not keep it from starting.
pub(super) async fn allow_again(town: &TownObject, agent_id: &AgentId) -> Result<()> {
    let Some(rig_id) = town.with(|core| core.posts_to(agent_id))? else { return Ok(()) };
    if let Err(error) = objects::call(&town.env, &rig_id, &AllowAgain { agent_id: agent_id.clone() }).await {
        log("posted_end_error", &[("message", &error.message)]);
    }
    Ok(())
}

/// These runs have ended here: their rig refuses what follows.
pub(super) async fn ended(town: &TownObject, rig_id: &RigId, ends: EndedRuns) -> Result<()> {
    objects::call(&town.env, rig_id, &RefuseRuns(ends)).await.map(drop)
}

//! The end of runs that agents post. The town and the agent's rig have to agree: the rig refuses posts to an ended run,
//! so that the agent learns of the end.

use townwatch_protocol::calls::{AllowAgain, EndedRuns, RefuseRuns, StopRuns};
use townwatch_protocol::error::Result;
use townwatch_protocol::event::ExitReason;
use townwatch_protocol::id::{AgentId, RigId, RunId};
use townwatch_town::agents::posted_end::StopPosted;

use crate::log::log;
use crate::objects;
use crate::town_object::TownObject;

/// Stops an agent that posts. First its rig refuses further posts and hands over its events; then the town ends the
/// runs. If the instance dies in between, the runs stay open, and a repeated request ends them.
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

/// Tells the rig that a run of the agent begins in the container, so that an earlier stop no longer counts. A rig that
/// cannot be reached does not prevent the start.
pub(super) async fn allow_again(town: &TownObject, agent_id: &AgentId) -> Result<()> {
    let Some(rig_id) = town.with(|core| core.posts_to(agent_id))? else { return Ok(()) };
    if let Err(error) = objects::call(&town.env, &rig_id, &AllowAgain { agent_id: agent_id.clone() }).await {
        log("posted_end_error", &[("message", &error.message)]);
    }
    Ok(())
}

/// Tells the rig that these runs have ended: it refuses further posts to them.
pub(super) async fn ended(town: &TownObject, rig_id: &RigId, ends: EndedRuns) -> Result<()> {
    objects::call(&town.env, rig_id, &RefuseRuns(ends)).await.map(drop)
}

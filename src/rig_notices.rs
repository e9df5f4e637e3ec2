//! Notices to rigs about their agents. No caller waits for them. A rig that missed one either takes posts that the town
//! then drops and counts, or refuses posts with words that say what to do.

use js_sys::futures::spawn_local;
use townwatch_protocol::id::RigId;
use townwatch_town::input::RigNotice;

use crate::log::log;
use crate::town_object::TownObject;
use crate::{archive, posted_end};

/// Sends a rig a notice about one of its agents.
pub(super) fn tell(town: &TownObject, rig_id: RigId, notice: RigNotice) {
    let Ok(town) = town.shared() else { return };
    spawn_local(async move {
        let outcome = match notice {
            RigNotice::Ended(ends) => posted_end::ended(&town, &rig_id, ends).await,
            RigNotice::BroughtBack(agent_id) => archive::brought_back(&town, &rig_id, agent_id).await,
        };
        if let Err(error) = outcome {
            log("rig_notice_error", &[("rig_id", rig_id.as_str()), ("message", &error.message)]);
        }
    });
}

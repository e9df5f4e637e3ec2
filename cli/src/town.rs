//! The town of a command.

use std::fmt::Write;

use townwatch_protocol::id::TownId;
use townwatch_protocol::wire::TownSummary;

use crate::server::{Failure, Server};
use crate::tail::plain;

/// The only town; a refusal where there are several.
pub(crate) fn only(server: &Server) -> Result<TownId, Failure> {
    let towns: Vec<TownSummary> = server.data("/api/towns")?;
    match towns.as_slice() {
        [town] => Ok(town.town_id.clone()),
        [] => Err(Failure::Refused("there is no town yet; make one on the dashboard".to_owned())),
        several => {
            let mut problem = "which town? Name it with --town or TOWNWATCH_TOWN:".to_owned();
            for town in several {
                let _ = write!(problem, "\n  {}  {}", town.town_id, plain::line(&town.name, 60));
            }
            Err(Failure::Refused(problem))
        }
    }
}

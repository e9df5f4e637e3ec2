//! The mayor's routes: the routes of its agent under another name.

use ::worker::Response;
use ::worker::web_sys::Request as Raw;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::wire::{MayorDestroyed, MayorMessage, MayorTold, MessageAgent, StopAgent};
use townwatch_town::mayor::session_status;
use townwatch_town::town::Town as Core;

use crate::container_routes;
use crate::http::{self, success};
use crate::town_object::TownObject;

/// The status of the mayor.
pub(super) fn status(town: &TownObject) -> Result<Response> {
    town.with(|core| Ok(success(200, &core.mayor_view()?)))
}

/// Sends the mayor a message.
pub(super) async fn message(town: &TownObject, request: &Raw) -> Result<Response> {
    let MayorMessage { message } = http::read_json(request).await?;
    if message.trim().is_empty() {
        return Err(Error::invalid("message", "expected what to tell the mayor"));
    }
    let message_agent = MessageAgent { prompt: message };
    let mayor = town.with(|core| core.running_mayor())?;
    container_routes::tell(town, &mayor.agent_id, &message_agent).await?;
    Ok(success(200, &MayorTold { agent_id: mayor.agent_id, session_status: session_status(mayor.status) }))
}

/// Stops the mayor. Without a running mayor nothing happens.
pub(super) async fn destroy(town: &TownObject) -> Result<Response> {
    let mayor = match town.with(|core: &mut Core| core.running_mayor()) {
        Ok(mayor) => mayor,
        Err(error) if error.code == Code::NotFound => {
            town.with(|_| Ok(()))?; // it is the town that there is not
            return Ok(success(200, &MayorDestroyed { destroyed: true }));
        }
        Err(error) => return Err(error),
    };
    container_routes::end(town, &mayor.agent_id, &StopAgent::default()).await?;
    Ok(success(200, &MayorDestroyed { destroyed: true }))
}

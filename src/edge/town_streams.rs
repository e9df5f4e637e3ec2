//! A Town's streams up to the socket. The Worker has looked at everything but what only the town knows: whether it
//! exists, whether there is room, and the ticket.

use ::worker::Response;
use ::worker::web_sys::Request as Raw;

use crate::core::cursor::Asked;
use crate::core::query::{Address, Query};
use crate::core::stream_query::{StreamKind, StreamQuery};
use crate::core::streams::Join;
use crate::edge::log::log;
use crate::edge::town_object::Town;
use crate::edge::{fresh, socket};
use crate::error::{Code, Error, Result};
use crate::id::AgentId;

/// Opens a stream. From the ticket's use to the last frame of history nothing is awaited.
pub(super) async fn open(
    town: &Town,
    request: &Raw,
    address: Address<'_>,
    query: &Query,
    agent_id: Option<AgentId>,
) -> Result<Response> {
    let header = |name| request.headers().get(name).ok().flatten();
    if StreamKind::of(header("upgrade").as_deref(), header("accept").as_deref())? != StreamKind::WebSocket {
        let message = "this version streams over WebSocket only; read pages of events with GET …/events instead";
        return Err(Error::new(Code::UpgradeRequired, message));
    }
    let query = StreamQuery::parse(query, header("last-event-id").as_deref())?;
    let join = Join {
        agent_id: agent_id.clone(),
        asked: Asked { epoch: query.epoch, after_id: query.after_id, from: query.from, tail: query.tail },
        until_exit: query.until_exit,
        acknowledges: query.flow_ack,
    };
    let (response, joined) = town.with(|core| {
        core.check_join(&join)?;
        if let Some(ticket) = &query.ticket {
            core.consume_ticket(ticket, agent_id.as_ref(), fresh::now())?;
        }
        let id = core.fresh_viewer();
        let (socket, response) = socket::accept(&town.state, &[&id.0.to_string()], "")?;
        town.keep_socket(id, socket);
        Ok((response, core.join(id, &join, fresh::now())))
    })?;
    town.show(joined);
    log("connect", &[("path", address.path)]);
    town.pull_relay().await?;
    town.wake_when_due().await?;
    Ok(response)
}

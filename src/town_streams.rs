//! Opening a stream, in the Town. The Worker has checked everything but three things that only the town knows: that it
//! exists, that it has room, and that the ticket is valid.

use ::worker::Response;
use ::worker::web_sys::Request as Raw;
use townwatch_protocol::error::Result;
use townwatch_protocol::id::AgentId;
use townwatch_protocol::query::{Address, Query};
use townwatch_protocol::time::Timestamp;
use townwatch_town::access::auth::{self, Credentials};
use townwatch_town::access::grantor::Grantor;
use townwatch_town::access::permit::Permit;
use townwatch_town::reading::resumption;
use townwatch_town::reading::stream_query::{StreamKind, StreamQuery};
use townwatch_town::reading::streams::{Join, OpenStream};
use townwatch_town::settings::Secrets;

use crate::log::log;
use crate::town_object::TownObject;
use crate::{platform, pulled, socket};

/// The credential that opens a stream: a ticket, not checked yet, or the operator's header or cookie.
enum StreamOpener {
    Ticket(String),
    Operator(Permit),
}

/// Opens a stream. Nothing is awaited between the use of the ticket and the last frame of history.
pub(super) async fn open(
    town: &TownObject,
    request: &Raw,
    address: Address<'_>,
    query: &Query,
    agent_id: Option<AgentId>,
) -> Result<Response> {
    let header = |name| request.headers().get(name).ok().flatten();
    let kind = StreamKind::of(header("upgrade").as_deref(), header("accept").as_deref())?;
    let query = StreamQuery::parse(query, header("last-event-id").as_deref())?;
    let mut join = Join {
        agent_id: agent_id.clone(),
        asked: query.begin,
        until_exit: query.until_exit,
        acknowledges: query.flow_ack,
        form: query.form,
        names: query.names,
        right: None,
    };
    let (config, now) = (town.config()?, platform::now());
    let lasts = |grantor: &Grantor| grantor.lasts(&config.secrets, now);
    let right = match query.ticket {
        Some(ticket) => StreamOpener::Ticket(ticket),
        None => StreamOpener::Operator(Permit::of_operator(operator(request, address, &config.secrets, now)?)),
    };
    let response = town.step(|core| {
        core.check_join(&join, town.event_waiters.present())?;
        if let StreamOpener::Operator(permit) = &right {
            core.check_lasts(&permit.grantor, now)?;
        }
        match kind {
            StreamKind::WebSocket => {
                let permit = match right {
                    StreamOpener::Ticket(ticket) => core.consume_ticket(&ticket, agent_id.as_ref(), &lasts, now)?,
                    StreamOpener::Operator(permit) => permit,
                };
                let id = core.fresh_viewer();
                let (socket, response) = socket::accept(&town.state, &[&id.0.to_string()], "")?;
                town.keep_socket(id, socket);
                core.handle(OpenStream { id, join: &join, permit }, now)?;
                Ok(response)
            }
            StreamKind::EventSource => {
                let permit = match right {
                    StreamOpener::Ticket(ticket) => {
                        let (token, agent_id) = (query.token.as_deref(), agent_id.as_ref());
                        let proof = resumption::ResumptionProof { ticket: &ticket, token, agent_id };
                        let (right, replaced) = core.admit_reader(&proof, &platform::resume_token, &lasts, now)?;
                        let permit = Permit::of_ticket(agent_id, right.grantor.clone());
                        join.resume(right);
                        town.event_waiters.wake(replaced);
                        permit
                    }
                    StreamOpener::Operator(permit) => permit,
                };
                let origin = header("origin");
                if query.comes_back && core.is_past_exit(&join)? {
                    return Ok(pulled::no_more(origin.as_deref()));
                }
                let reader = core.open_reader(&join, &permit, now)?;
                pulled::event_stream(town.shared()?, reader, origin.as_deref())
            }
        }
    })?;
    log("connect", &[("path", address.path)]);
    town.pull_relay().await?;
    town.wake_when_due().await?;
    Ok(response)
}

/// The right of a caller without a ticket. The Worker has checked the caller; the check is repeated here, so that the
/// stream ends with that right.
pub(super) fn operator(request: &Raw, address: Address<'_>, secrets: &Secrets, now: Timestamp) -> Result<Grantor> {
    let header = |name| request.headers().get(name).ok().flatten();
    let (authorization, cookie) = (header("authorization"), header("cookie"));
    let credentials =
        Credentials { authorization: authorization.as_deref(), cookie: cookie.as_deref(), origin: address.origin };
    let caller = auth::authenticate(credentials, now, secrets)?;
    let caller = auth::require(caller)?;
    auth::stream_credential(Some(&caller), None)?;
    Ok(Grantor::of(&caller, secrets, now))
}

//! What the Worker answers itself: the dashboard's session, and agents' tokens.

use ::worker::{Env, Response, web_sys};
use serde::Deserialize;

use crate::core::auth::{self, Caller, Carrier, Principal};
use crate::core::origin;
use crate::core::query::Address;
use crate::core::route::Place;
use crate::edge::config::Config;
use crate::edge::{fresh, http, objects};
use crate::error::{Code, Error, Result};
use crate::id::{AgentId, RigId, TownId};
use crate::limits::{TOKEN_TTL_SECONDS_DEFAULT, TOKEN_TTL_SECONDS_MAX};
use crate::protocol::{SessionRequest, SessionView, TokenRequest, TokenView};

/// What a Rig answers to `GET /internal/agents/:agent`; 404 where it knows no such agent.
#[derive(Debug, Deserialize)]
struct RegisteredAgent {
    town_id: TownId,
}

/// `POST /api/session`.
pub(crate) async fn sign_in(request: &web_sys::Request, address: Address<'_>, config: &Config) -> Result<Response> {
    let origin = request.headers().get("origin").ok().flatten();
    origin::check_origin(origin.as_deref(), address.origin, &config.settings.allowed_origins, Carrier::Bearer)?;
    let given: SessionRequest = http::read_json(request).await?;
    if !auth::is_operator_key(&given.key, &config.secrets) {
        return Err(Error::new(Code::Unauthorized, "the key is wrong: it is the one in TOWNWATCH_API_KEY"));
    }
    let token = auth::mint_session(fresh::now(), &config.secrets)?;
    let cookie = auth::session_cookie(&token, address.is_https());
    let headers: Vec<_> = [("set-cookie", cookie.as_str())].into_iter().chain(stays_https(address)).collect();
    Ok(http::success_with(201, &SessionView::Operator, &headers))
}

/// `GET /api/session`.
pub(crate) fn who_am_i(caller: &Caller, address: Address<'_>) -> Response {
    let view = match caller.principal.clone() {
        Principal::Operator => SessionView::Operator,
        Principal::Agent { town_id, rig_id, agent_id } => SessionView::Agent { town_id, rig_id, agent_id },
    };
    http::success_with(200, &view, stays_https(address).as_slice())
}

/// Where it was reached over TLS: a browser is to come no other way for a year. Said by what the page asks first and not by the
/// page's own files, which do not know how they were asked for.
fn stays_https<'a>(address: Address<'_>) -> Option<(&'a str, &'a str)> {
    address.is_https().then_some(("strict-transport-security", "max-age=31536000"))
}

/// `DELETE /api/session`.
pub(crate) fn sign_out(address: Address<'_>) -> Response {
    http::nothing(&[("set-cookie", &auth::clear_session_cookie(address.is_https()))])
}

/// `POST /api/rigs/:rig/agents/:agent/token`.
pub(crate) async fn mint_token(
    request: &web_sys::Request,
    env: &Env,
    config: &Config,
    rig_id: &RigId,
    agent_id: &AgentId,
) -> Result<Response> {
    let given: TokenRequest = http::read_optional_json(request).await?;
    let ttl_seconds = given.ttl_seconds.unwrap_or(TOKEN_TTL_SECONDS_DEFAULT);
    if !(1..=TOKEN_TTL_SECONDS_MAX).contains(&ttl_seconds) {
        return Err(Error::invalid("ttl_seconds", format!("expected an integer from 1 to {TOKEN_TTL_SECONDS_MAX}")));
    }
    let town_id = town_of(env, rig_id, agent_id).await?;
    let expires_at = auth::token_end(fresh::now(), ttl_seconds);
    let token = auth::mint_agent_token(town_id, rig_id.clone(), agent_id.clone(), expires_at, &config.secrets)?;
    Ok(http::success(201, &TokenView { token, expires_at }))
}

/// The town of an agent that is registered in this rig; 404 where it is not.
pub(crate) async fn town_of(env: &Env, rig_id: &RigId, agent_id: &AgentId) -> Result<TownId> {
    let path = format!("{}/agents/{agent_id}", objects::INTERNAL);
    let registered: RegisteredAgent = objects::ask(env, &Place::Rig(rig_id.clone()), "GET", &path, None).await?;
    Ok(registered.town_id)
}

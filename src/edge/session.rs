//! What the Worker answers itself: the dashboard's session, and agents' tokens.

use ::worker::{Env, Response, web_sys};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::core::auth::{self, Caller, Carrier, Principal, Proof};
use crate::core::browser;
use crate::core::cookie;
use crate::core::origin;
use crate::core::query::Address;
use crate::core::route::Place;
use crate::edge::config::Config;
use crate::edge::{callers, fresh, http, objects};
use crate::error::{Code, Error, Result};
use crate::id::{AgentId, RigId, SessionId, TownId};
use crate::limits::{TOKEN_TTL_SECONDS_DEFAULT, TOKEN_TTL_SECONDS_MAX};
use crate::protocol::{SessionRequest, SessionView, TokenRequest, TokenView};
use crate::time::Timestamp;

/// What a Rig answers to `GET /internal/agents/:agent`; 404 where it knows no such agent.
#[derive(Debug, Deserialize)]
struct RegisteredAgent {
    town_id: TownId,
}

/// What the account answers to a browser that signs in.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BegunView {
    pub(crate) session_id: SessionId,
    /// When the session ends at the latest.
    pub(crate) ends_at: Timestamp,
}

/// `POST /api/session`.
pub(crate) async fn sign_in(
    request: &web_sys::Request,
    env: &Env,
    address: Address<'_>,
    config: &Config,
) -> Result<Response> {
    let origin = request.headers().get("origin").ok().flatten();
    origin::check_origin(origin.as_deref(), address.origin, &config.settings.allowed_origins, Carrier::Bearer)?;
    let given: SessionRequest = http::read_json(request).await?;
    let proof = auth::proof(given)?;
    callers::check_refused(request)?;
    let code = match &proof {
        Proof::Key(key) if auth::is_operator_key(key, &config.secrets) => None,
        Proof::Key(_) => {
            let refusal = Error::new(Code::Unauthorized, "the key is wrong: it is the one in TOWNWATCH_API_KEY");
            return Err(callers::wrong_key(request, env, refusal).await?);
        }
        Proof::Code(code) => Some(code),
    };
    let browser = browser::name_of(request.headers().get("user-agent").ok().flatten().as_deref());
    let BegunView { session_id, ends_at } =
        match callers::ask(env, "/sign-in", &json!({"code": code, "browser": browser})).await {
            Err(error) if error.code == Code::Unauthorized => {
                return Err(callers::wrong_key(request, env, error).await?);
            }
            begun => begun?,
        };
    let token = auth::mint_session(session_id.clone(), ends_at, &config.secrets)?;
    let cookie = cookie::set(&token, address.origin);
    let headers: Vec<_> = [("set-cookie", cookie.as_str())].into_iter().chain(stays_https(address)).collect();
    Ok(http::success_with(201, &SessionView::Operator { session_id: Some(session_id) }, &headers))
}

/// `GET /api/session`.
pub(crate) fn who_am_i(caller: &Caller, address: Address<'_>) -> Response {
    let view = match caller.principal.clone() {
        Principal::Operator => SessionView::Operator { session_id: caller.session_id.clone() },
        Principal::Agent { town_id, rig_id, agent_id } => SessionView::Agent { town_id, rig_id, agent_id },
    };
    http::success_with(200, &view, stays_https(address).as_slice())
}

/// Where it was reached over TLS: a browser is to come no other way for a year. Said by what the page asks first and not by the
/// page's own files, which do not know how they were asked for.
fn stays_https<'a>(address: Address<'_>) -> Option<(&'a str, &'a str)> {
    address.is_https().then_some(("strict-transport-security", "max-age=31536000"))
}

/// `DELETE /api/session`: whoever is not signed in is signed out.
pub(crate) async fn sign_out(env: &Env, caller: Option<Caller>, address: Address<'_>) -> Result<Response> {
    if let Some(session_id) = caller.and_then(|caller| caller.session_id) {
        let _: Value = callers::ask(env, "/sign-out", &json!({"session_id": session_id})).await?;
        callers::forget_known();
    }
    Ok(http::nothing(&[("set-cookie", &cookie::clear(address.origin))]))
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

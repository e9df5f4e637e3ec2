//! Answers of the Worker itself: the dashboard's session, and the identity of a caller.

use ::worker::{Env, Response, web_sys};
use townwatch_protocol::agent_right::AgentRight;
use townwatch_protocol::calls::{AccountId, AdmitCaller, AdmittedCaller, BegunSession, SignIn, SignOut};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{AgentId, RigId, TownId};
use townwatch_protocol::query::Address;
use townwatch_protocol::wire::{SessionRequest, SessionView};
use townwatch_town::access::auth::{self, Caller, CredentialKind, Principal, Proof};
use townwatch_town::access::browser;
use townwatch_town::access::cookie;
use townwatch_town::access::origin;

use crate::config::WorkerConfig;
use crate::{callers, http, objects};

/// `POST /api/session`.
pub(crate) async fn sign_in(
    request: &web_sys::Request,
    env: &Env,
    address: Address<'_>,
    config: &WorkerConfig,
) -> Result<Response> {
    let origin = request.headers().get("origin").ok().flatten();
    origin::check_origin(origin.as_deref(), address.origin, &config.settings.allowed_origins, CredentialKind::Bearer)?;
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
    let BegunSession { session_id, ends_at } =
        match objects::call(env, &AccountId, &SignIn { code: code.cloned(), browser }).await {
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
pub(crate) async fn who_am_i(env: &Env, caller: &Caller, address: Address<'_>) -> Result<Response> {
    let view = match caller.principal.clone() {
        Principal::Operator => SessionView::Operator { session_id: caller.session_id.clone() },
        Principal::Agent(AgentRight { town_id, rig_id, agent_id, .. }) => {
            admit(env, &caller.principal, &rig_id, &agent_id).await?;
            SessionView::Agent { town_id, rig_id, agent_id }
        }
    };
    Ok(http::success_with(200, &view, stays_https(address).as_slice()))
}

/// The header that tells a browser to use TLS only, for a year; `None` where this request came without TLS. It is sent
/// with the page's first request and not with its files, because those do not know how they were requested.
fn stays_https<'a>(address: Address<'_>) -> Option<(&'a str, &'a str)> {
    address.is_https().then_some(("strict-transport-security", "max-age=31536000"))
}

/// `DELETE /api/session`. Without a session nothing happens.
pub(crate) async fn sign_out(env: &Env, caller: Option<Caller>, address: Address<'_>) -> Result<Response> {
    if let Some(session_id) = caller.and_then(|caller| caller.session_id) {
        objects::call(env, &AccountId, &SignOut { session_id }).await?;
        callers::forget_known();
    }
    Ok(http::nothing(&[("set-cookie", &cookie::clear(address.origin))]))
}

/// The town of an agent, as the agent's rig knows it.
///
/// # Errors
///
/// 404 where the agent is not registered there; 401 where the caller's token was revoked; 403 for the token of another
/// agent.
pub(crate) async fn admit(env: &Env, principal: &Principal, rig_id: &RigId, agent_id: &AgentId) -> Result<TownId> {
    let right = match principal {
        Principal::Operator => None,
        Principal::Agent(right) => Some(right.clone()),
    };
    let admit = AdmitCaller { agent_id: agent_id.clone(), right };
    let AdmittedCaller { town_id } = objects::call(env, rig_id, &admit).await?;
    Ok(town_id)
}

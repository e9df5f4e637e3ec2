//! Requests from outside: the caller, the caller's rights, and the object that answers.

use ::worker::{Context, Env, console_error, web_sys};
use townwatch_protocol::agent_right::AGENT_HEADER;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::query::Address;
use townwatch_protocol::wire::HealthView;
use townwatch_town::access::auth::{self, Caller, CredentialKind, Principal};
use townwatch_town::access::origin;
use townwatch_town::route::{Responder, Route};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, Request, RequestInit, Response};
use worker_macros::event;

use crate::callers::{self, SessionCheck};
use crate::config::{self, WorkerConfig};
use crate::{http, js, objects, session, streams};

/// Writes a panic to the log. A panic ends this WASM instance with all its memory. The request that caused it, and all
/// others that run in the isolate, get no answer from here (`entrance.mjs` answers their callers), and its event
/// streams say nothing more. The next request gets a new instance, which knows the tables and, by their notes, the
/// WebSockets, which stay open.
#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Answers every request. A refusal is an answer, too.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> ::worker::Result<Response> {
    let url = request.url();
    let address = Address::split(&url);
    let method = request.method();
    Ok(match handle(&request, &env, address, &method).await {
        Ok(response) => response,
        Err(refusal) if refusal.code == Code::MethodNotAllowed => {
            let allowed = Route::allowed(address.path).unwrap_or_default();
            http::not_allowed(&refusal, &allowed).into()
        }
        Err(refusal) => http::failure(&refusal).into(),
    })
}

async fn handle(request: &Request, env: &Env, address: Address<'_>, method: &str) -> Result<Response> {
    if !address.path.starts_with("/api/") && address.path != "/api" && address.path != "/health" {
        return assets(request, env, address).await;
    }
    // Health is asked before the settings are: it says whether the Worker is there, not whether it is set up.
    if address.path == "/health" {
        Route::parse(method, address.path)?;
        let health = HealthView { status: "ok", version: env!("CARGO_PKG_VERSION"), build: config::build(env) };
        return Ok(http::answer(200, serde_json::to_string(&health).map_err(Error::internal)?, &[]).into());
    }
    let config = config::read(env)?;
    if let Some(allowed) = streams::preflight(request, &config, address)? {
        return Ok(allowed);
    }
    let route = Route::parse(method, address.path)?;
    if route.is_stream() {
        return streams::open(request, env, &config, address, &route).await;
    }
    if route == Route::SignIn {
        return Ok(session::sign_in(request, env, address, &config).await?.into());
    }
    let headers = request.headers();
    let header = |name| headers.get(name).ok().flatten();
    if route == Route::SignOut {
        // Whoever is not signed in is signed out: there is nothing to refuse but another site's page.
        origin::check_origin(
            header("origin").as_deref(),
            address.origin,
            &config.settings.allowed_origins,
            CredentialKind::Bearer,
        )?;
        let caller = callers::by_headers(request, &config, address).ok().flatten();
        return Ok(session::sign_out(env, caller, address).await?.into());
    }
    let asked = if route.passes_on() { SessionCheck::Now } else { SessionCheck::Lately };
    let caller = auth::require(callers::identify(request, env, &config, address, asked).await?)?;
    if caller.credential == CredentialKind::Cookie && method != "GET" {
        let origin = header("origin");
        origin::check_origin(
            origin.as_deref(),
            address.origin,
            &config.settings.allowed_origins,
            CredentialKind::Cookie,
        )?;
    }
    answer(request, env, &config, &caller, address, &route).await
}

/// Answers a valid request, here or by its object.
async fn answer(
    request: &Request,
    env: &Env,
    config: &WorkerConfig,
    caller: &Caller,
    address: Address<'_>,
    route: &Route,
) -> Result<Response> {
    if *route == Route::WhoAmI {
        return Ok(session::who_am_i(env, caller, address).await?.into());
    }
    auth::check_right(&caller.principal, route)?;
    auth::check_credential(caller.credential, route)?;
    if *route == Route::ReadSettings {
        return Ok(http::success(200, &config.settings.view()).into());
    }
    if route.is_stream_ticket() && !config.settings.stream_enabled {
        return Err(streams::disabled());
    }
    http::check_length(request)?;
    if let Route::PutImage(rig_id, agent_id, _) = route {
        let town_id = session::admit(env, &caller.principal, rig_id, agent_id).await?;
        return objects::forward(env, &Responder::Town(town_id), &attributed(request, &caller.principal)?).await;
    }
    if matches!(route, Route::EndSession(_) | Route::EndSessions) {
        let answer = objects::forward(env, &route.responder(), &attributed(request, &caller.principal)?).await;
        callers::forget_known();
        return answer;
    }
    match route.responder() {
        Responder::Worker => Err(Error::internal(format!("nobody answers {route:?}"))),
        responder => objects::forward(env, &responder, &attributed(request, &caller.principal)?).await,
    }
}

/// The request with the header of the agent that asks, and without such a header from outside. The operator's request
/// is passed on unchanged, because building a new one costs more than all else here.
fn attributed(request: &Request, principal: &Principal) -> Result<Request> {
    let claimed = request.headers().has(AGENT_HEADER).map_err(|thrown| js::fault(&thrown))?;
    let agent = match principal {
        Principal::Operator if !claimed => return Ok(handle_of(request)),
        Principal::Operator => None,
        Principal::Agent(right) => Some(right.header()?),
    };
    let build = || {
        let headers = Headers::new_with_headers(&request.headers())?;
        headers.delete(AGENT_HEADER)?;
        if let Some(agent) = &agent {
            headers.set(AGENT_HEADER, agent)?;
        }
        let init = RequestInit::new();
        init.set_headers(&headers);
        Request::new_with_request_and_init(request, &init)
    };
    build().map_err(|thrown: JsValue| js::fault(&thrown))
}

/// The method and headers of a request, without its body.
fn of(request: &Request) -> RequestInit {
    let init = RequestInit::new();
    init.set_method(&request.method());
    init.set_headers(&request.headers());
    init
}

/// A second handle on the same request. `Request::clone` would be the clone of JavaScript, which splits the body.
fn handle_of(request: &Request) -> Request {
    let raw: &JsValue = request.as_ref();
    raw.clone().unchecked_into()
}

/// The dashboard's files. The runtime serves existing files before it calls the Worker. So a request here is for a
/// page's address, which the page itself reads, or for a missing file. A missing script must not get HTML, or an older
/// page would take it for code.
async fn assets(request: &Request, env: &Env, address: Address<'_>) -> Result<Response> {
    if !address.is_page() {
        return Err(Error::not_found("file"));
    }
    let missing = |error: ::worker::Error| {
        console_error!("ASSETS: {error}");
        Error::not_found("path")
    };
    let fetcher = env.assets("ASSETS").map_err(|_| Error::not_found("path"))?;
    let page = Request::new_with_str_and_init(&format!("{}/", address.origin), &of(request))
        .map_err(|thrown| js::fault(&thrown))?;
    fetcher.fetch_request(::worker::Request::from(page)).await.map(Into::into).map_err(missing)
}

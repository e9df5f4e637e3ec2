//! Opening a stream, in the Worker: the refusals that need no Town, in the contract's order.

use ::worker::{Env, console_log, web_sys};
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::query::{Address, Query};
use townwatch_town::access::auth::{self, CredentialKind};
use townwatch_town::access::origin;
use townwatch_town::reading::stream_query::{StreamKind, StreamQuery};
use townwatch_town::route::Route;

use crate::callers::{self, SessionCheck};
use crate::config::WorkerConfig;
use crate::{http, objects};

/// Opens a stream. The request goes to the Town unchanged; the Town still has to check the ticket, if there is one.
pub(crate) async fn open(
    request: &web_sys::Request,
    env: &Env,
    config: &WorkerConfig,
    address: Address<'_>,
    route: &Route,
) -> Result<web_sys::Response> {
    let outcome = match check(request, env, config, address).await {
        Ok(()) => objects::forward(env, &route.responder(), request).await,
        Err(refusal) => Err(refusal),
    };
    let (status, code) = match &outcome {
        Ok(response) if response.status() < 400 => return outcome,
        Ok(response) => (response.status(), None),
        Err(refusal) => (refusal.code.status(), Some(refusal.code.name())),
    };
    // The path without the query: a ticket is in that.
    let line = serde_json::json!({"event": "stream_refused", "path": address.path, "status": status, "code": code});
    console_log!("{line}");
    outcome
}

async fn check(request: &web_sys::Request, env: &Env, config: &WorkerConfig, address: Address<'_>) -> Result<()> {
    let headers = request.headers();
    let header = |name| headers.get(name).ok().flatten();
    if !config.settings.stream_enabled {
        return Err(disabled());
    }
    let kind = StreamKind::of(header("upgrade").as_deref(), header("accept").as_deref())?;
    let query = StreamQuery::parse(&Query::parse(address.query), header("last-event-id").as_deref())?;
    let origin = header("origin");
    let check_origin = |credential| {
        origin::check_origin(origin.as_deref(), address.origin, &config.settings.allowed_origins, credential)
    };
    check_origin(CredentialKind::Ticket)?;
    // Beside a ticket a cookie does not count.
    let asked = if query.ticket.is_some() { SessionCheck::Lately } else { SessionCheck::Now };
    let caller = callers::identify(request, env, config, address, asked).await?;
    let credential = auth::stream_credential(caller.as_ref(), query.ticket.as_deref())?;
    // A browser names its origin on every upgrade; on an event source's GET to its own origin it does not.
    if kind == StreamKind::WebSocket { check_origin(credential.kind()) } else { Ok(()) }
}

/// The answer to a browser's CORS preflight for an event stream: whether a page of another origin may send its headers.
/// `None` where the request is no preflight.
pub(crate) fn preflight(
    request: &web_sys::Request,
    config: &WorkerConfig,
    address: Address<'_>,
) -> Result<Option<web_sys::Response>> {
    let headers = request.headers();
    let header = |name| headers.get(name).ok().flatten();
    let (origin, method) = (header("origin"), header("access-control-request-method"));
    let is_stream = Route::parse("GET", address.path).is_ok_and(|route| route.is_stream());
    if request.method() != "OPTIONS" || !is_stream || origin.is_none() || method.as_deref() != Some("GET") {
        return Ok(None);
    }
    origin::check_origin(origin.as_deref(), address.origin, &config.settings.allowed_origins, CredentialKind::Ticket)?;
    let fixed = [
        ("access-control-allow-methods", "GET"),
        ("access-control-allow-headers", "Accept, Authorization, Cache-Control, Last-Event-ID"),
        ("access-control-max-age", "600"),
    ];
    let headers: Vec<_> = fixed.into_iter().chain(readable_from(origin.as_deref())).collect();
    Ok(Some(http::nothing(&headers).into()))
}

/// The headers that let a page of `origin`, which was checked before, read an answer, even to a request with the
/// dashboard's cookie. The headers never allow every origin.
pub(crate) fn readable_from(origin: Option<&str>) -> impl Iterator<Item = (&'static str, &str)> {
    let allowed =
        origin.map(|origin| [("access-control-allow-origin", origin), ("access-control-allow-credentials", "true")]);
    [("vary", "Origin")].into_iter().chain(allowed.into_iter().flatten())
}

/// The refusal while streams are switched off: 503.
pub(crate) fn disabled() -> Error {
    Error::new(Code::StreamingDisabled, "streams are switched off: STREAM_ENABLED is false")
}

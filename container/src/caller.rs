//! The callers of this server. Only the town's Worker may call, and it signs every call. A refusal is sent to the
//! caller, and logged with the user of this machine from whom the call came.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use townwatch_host::now;
use townwatch_protocol::control_key::PublicControlKey;
use townwatch_protocol::error::Error;
use townwatch_protocol::replays::Replays;
use townwatch_protocol::signed_call::{Call, Claims, Refusal, SCHEME};
use townwatch_protocol::time::Timestamp;

use crate::response::ErrorResponse;
use crate::users::Users;
use crate::{peer, request};

/// Refusals that are logged within [`LOGGED_MS`], 50, so that a caller that tries again and again cannot fill the disk.
/// The others are counted, and the next line has their number.
const LOGGED_MAX: u64 = 50;
/// The time over which [`LOGGED_MAX`] counts, 10 s.
const LOGGED_MS: u64 = 10_000;

/// The check of callers: the key that verifies them, and the memory of their calls.
#[derive(Debug)]
pub(crate) struct Callers {
    public_key: PublicControlKey,
    /// The users of this machine as which agents run.
    users: Option<Arc<Users>>,
    replays: Mutex<Replays>,
    refused: Mutex<RefusalLog>,
}

#[derive(Debug)]
struct RefusalLog {
    since: Timestamp,
    logged: u64,
    silent: u64,
}

impl Callers {
    /// Makes a check with no calls yet.
    pub(crate) fn new(public_key: PublicControlKey, users: Option<Arc<Users>>) -> Self {
        let refused = Mutex::new(RefusalLog { since: now(), logged: 0, silent: 0 });
        Self { public_key, users, replays: Mutex::new(Replays::new(now())), refused }
    }

    fn check(&self, call: &Call<'_>, authorization: Option<&str>) -> Result<Claims, Refusal> {
        let claims = call.verify(authorization, &self.public_key, now())?;
        let mut replays = self.replays.lock().unwrap_or_else(PoisonError::into_inner);
        replays.take(&claims, now()).map(|()| claims)
    }

    /// Logs a refusal in one line: the call, the reason, and the caller, as far as the system tells.
    fn log_refusal(&self, refusal: Refusal, call: &Call<'_>, peer: Option<SocketAddr>) {
        let silent = {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            if now().millis_since(refused.since) >= LOGGED_MS {
                (refused.since, refused.logged) = (now(), 0);
            }
            if refused.logged >= LOGGED_MAX {
                refused.silent += 1;
                return;
            }
            refused.logged += 1;
            std::mem::take(&mut refused.silent)
        };
        let path = call.target.split('?').next().unwrap_or_default();
        let user = peer.and_then(peer::user_of);
        let run_id = user.and_then(|user| self.users.as_ref()?.run_of(user));
        crate::log::write(
            "call_refused",
            serde_json::json!({
                "why": refusal.name(), "method": call.method, "path": townwatch_agents::cut::text(path, 200), "town_id": call.town_id,
                "from": peer.map(|peer| peer.to_string()), "user": user, "run_id": run_id, "not_logged": silent,
            }),
        );
    }
}

/// Passes a call on whose signature is correct, whose body is complete, and which is new.
pub(crate) async fn guard(State(callers): State<Arc<Callers>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let outcome = async {
        let town_id = request::town_id(&parts.headers)?;
        let call = Call { town_id: &town_id, method: parts.method.as_str(), target };
        let authorization = parts.headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
        let refused = |refusal: Refusal| {
            let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
            callers.log_refusal(refusal, &call, peer);
            refusal.error()
        };
        let claims = callers.check(&call, authorization).map_err(refused)?;
        // The body is read only now, so that nobody else can make this server hold megabytes.
        let bytes = request::bytes(body).await?;
        claims.check_body(&bytes).map_err(refused)?;
        Ok::<_, Error>(bytes)
    };
    match outcome.await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(error) => {
            let is_unsigned = error.code.status() == 401;
            let mut response = ErrorResponse::from(error).into_response();
            // The body was not read, so no other request can follow on this connection.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            if is_unsigned {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(SCHEME));
            }
            response
        }
    }
}

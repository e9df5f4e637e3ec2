//! The control server, wherever it is: at `CONTAINER_URL`, or in the container that is bound to the Town.
//!
//! Invariants: every call has a time limit and a bound on its answer; nothing but [`Upstream::start`] starts a
//! container; after a call nothing is pending that would keep the Town in memory.

use std::pin::pin;
use std::rc::Rc;

use ::worker::State;
use ::worker::web_sys::{self, AbortController, Headers, RequestInit, Response, WorkerGlobalScope};
use futures_util::future::{Either, select};
use js_sys::Promise;
use js_sys::futures::JsFuture;
use townwatch_protocol::control_key::SigningKey;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::{AgentId, TownId};
use townwatch_protocol::limits::BATCH_EVENTS_MAX;
use townwatch_protocol::signed_call::{Call, Purpose};
use townwatch_protocol::wire::TOWN_HEADER;
use townwatch_town::relay::control_answer::{ControlAnswer, StopAnswer};
use townwatch_town::settings::ControlRight;
use wasm_bindgen::prelude::*;

use crate::config::Config;
use crate::container::Container;
use crate::timer::Sleep;
use crate::{http, js, platform};

/// The largest answer that is read, 32 MiB of the isolate's 128: a page of [`BATCH_EVENTS_MAX`] events at 64 KiB each.
/// A page of larger events is made shorter by the control server.
const ANSWER_BYTES_MAX: usize = BATCH_EVENTS_MAX * (64 << 10) + (1 << 20);

/// The control server of a Town.
#[derive(Debug)]
pub struct Upstream {
    town_id: TownId,
    place: Endpoint,
    idle_seconds: u64,
}

#[derive(Debug)]
enum Endpoint {
    /// Our own control server, at a URL or in the town's container; each call is signed.
    Url(String, Rc<SigningKey>),
    Binding(Container, Rc<SigningKey>),
    /// A container of another make, at a URL, which is shown a token.
    Foreign(String, String),
}

impl Upstream {
    /// Where the Town's control server is; `None` where the installation has none. `CONTAINER_URL` beats the binding.
    /// `own_key` gives the town's own key, for a container of its own.
    pub fn of(
        state: &State,
        config: &Config,
        town_id: impl FnOnce() -> Result<TownId>,
        own_key: impl FnOnce() -> Result<Rc<SigningKey>>,
    ) -> Result<Option<Self>> {
        let place = match (&config.settings.container_url, &config.secrets.control) {
            (Some(url), Some(ControlRight::Key(key))) => Endpoint::Url(url.clone(), Rc::clone(key)),
            (Some(url), Some(ControlRight::Token(token))) => Endpoint::Foreign(url.clone(), token.clone()),
            _ => match Container::of(state) {
                Some(container) => Endpoint::Binding(container, own_key()?),
                None => return Ok(None),
            },
        };
        Ok(Some(Self { town_id: town_id()?, place, idle_seconds: config.settings.container_idle_seconds }))
    }

    /// Whether it can be asked without starting anything. One at a URL is its operator's to start.
    pub fn is_running(&self) -> bool {
        match &self.place {
            Endpoint::Url(..) | Endpoint::Foreign(..) => true,
            Endpoint::Binding(container, _) => container.is_running(),
        }
    }

    /// Starts the container if it sleeps, and waits until it answers; for an agent's start only.
    pub async fn start(&self) -> Result<()> {
        let Endpoint::Binding(container, key) = &self.place else { return Ok(()) };
        container.start(&key.public(), self.idle_seconds).await?;
        // Not its health, for which it asks each program for its version.
        container.ready(|limit_ms| self.request(Purpose::Relay, "GET", "/events?limit=1", None, limit_ms)).await
    }

    /// Lets a running container live on while the Town sleeps; at every wake.
    pub async fn keep(&self) -> Result<()> {
        match &self.place {
            Endpoint::Url(..) | Endpoint::Foreign(..) => Ok(()),
            Endpoint::Binding(container, _) => container.keep(self.idle_seconds).await,
        }
    }

    /// Whether it is more than this Town's: it goes on when the Town is deleted.
    pub fn outlives_town(&self) -> bool {
        matches!(self.place, Endpoint::Url(..) | Endpoint::Foreign(..))
    }

    /// Ends a bound container and all that runs in it.
    pub async fn stop(&self) -> Result<()> {
        match &self.place {
            Endpoint::Binding(container, _) if container.is_running() => container.stop().await,
            Endpoint::Url(..) | Endpoint::Foreign(..) | Endpoint::Binding(..) => Ok(()),
        }
    }

    /// Calls the control server for a purpose: the status and text of its success. `limit_ms` covers the whole answer.
    ///
    /// It cannot be reached: `container_unavailable`. It does not answer in time: `container_timeout`. It refuses:
    /// [`ControlAnswer::refusal`].
    pub async fn request(
        &self,
        purpose: Purpose,
        method: &str,
        path_and_query: &str,
        body: Option<String>,
        limit_ms: u64,
    ) -> Result<(u16, String)> {
        let (status, bytes) =
            self.request_bytes(purpose, method, path_and_query, body, limit_ms, ANSWER_BYTES_MAX).await?;
        Ok((status, String::from_utf8(bytes).map_err(|_| broken("is not UTF-8"))?))
    }

    /// [`Upstream::request`] for an answer of any bytes, at most `bytes_max` of them.
    pub async fn request_bytes(
        &self,
        purpose: Purpose,
        method: &str,
        path_and_query: &str,
        body: Option<String>,
        limit_ms: u64,
        bytes_max: usize,
    ) -> Result<(u16, Vec<u8>)> {
        let answer = self.call(purpose, method, path_and_query, body, limit_ms, bytes_max).await?;
        if answer.is_success() { Ok((answer.status, answer.bytes)) } else { Err(answer.refusal()) }
    }

    /// Asks for the stop of an agent, or of one run of it, and says what became of that.
    pub async fn stop_agent(&self, agent_id: &AgentId, wish: String, limit_ms: u64) -> StopAnswer {
        let path = format!("/agents/{agent_id}/stop");
        match self.call(Purpose::Stop, "POST", &path, Some(wish), limit_ms, ANSWER_BYTES_MAX).await {
            Ok(answer) => answer.of_stop(matches!(self.place, Endpoint::Foreign(..))),
            Err(error) => StopAnswer::Unheard(error),
        }
    }

    async fn call(
        &self,
        purpose: Purpose,
        method: &str,
        path_and_query: &str,
        body: Option<String>,
        limit_ms: u64,
        bytes_max: usize,
    ) -> Result<ControlAnswer> {
        if !self.is_running() {
            return Err(Error::new(Code::ContainerUnavailable, "the container sleeps; starting an agent starts it"));
        }
        let call = Call { town_id: &self.town_id, method, target: path_and_query };
        let init = self.init(&call, purpose, body).map_err(|thrown| js::fault(&thrown))?;
        let answer = async {
            let response = settle(self.fetch(path_and_query, &init)).await?;
            read(&response, bytes_max).await
        };
        limited(limit_ms, &init, answer).await
    }

    fn fetch(&self, path_and_query: &str, init: &RequestInit) -> std::result::Result<Promise, JsValue> {
        match &self.place {
            Endpoint::Url(url, _) | Endpoint::Foreign(url, _) => {
                let global: WorkerGlobalScope = js_sys::global().unchecked_into();
                Ok(global.fetch_with_str_and_init(&format!("{url}{path_and_query}"), init))
            }
            Endpoint::Binding(container, _) => container.fetch(path_and_query, init),
        }
    }

    fn init(
        &self,
        call: &Call<'_>,
        purpose: Purpose,
        body: Option<String>,
    ) -> std::result::Result<RequestInit, JsValue> {
        let authorization = match &self.place {
            Endpoint::Url(_, key) | Endpoint::Binding(_, key) => {
                let body = body.as_deref().unwrap_or_default();
                call.sign(key, purpose, body.as_bytes(), platform::now(), platform::nonce())
            }
            Endpoint::Foreign(_, token) => format!("Bearer {token}"),
        };
        let headers = Headers::new()?;
        headers.set("authorization", &authorization)?;
        headers.set(TOWN_HEADER, self.town_id.as_str())?;
        let init = RequestInit::new();
        init.set_method(call.method);
        // A redirect would carry a token to wherever it points.
        init.set_redirect(web_sys::RequestRedirect::Manual);
        if let Some(text) = body {
            headers.set("content-type", "application/json")?;
            init.set_body(&JsValue::from_str(&text));
        }
        init.set_headers(&headers);
        Ok(init)
    }
}

/// Runs a call against a clock of its own, which is put away with it. When it is late the call is aborted.
async fn limited<T>(limit_ms: u64, init: &RequestInit, call: impl Future<Output = Result<T>>) -> Result<T> {
    let controller = AbortController::new().map_err(|thrown| js::fault(&thrown))?;
    init.set_signal(Some(&controller.signal()));
    match select(pin!(call), pin!(Sleep::new(limit_ms))).await {
        Either::Left((outcome, _clock)) => outcome,
        Either::Right(((), _call)) => {
            controller.abort();
            Err(Error::new(Code::ContainerTimeout, format!("the control server did not answer within {limit_ms} ms")))
        }
    }
}

async fn settle(promise: std::result::Result<Promise, JsValue>) -> Result<Response> {
    let unreachable = |thrown: JsValue| {
        Error::new(
            Code::ContainerUnavailable,
            format!("the control server cannot be reached: {}", js::describe(&thrown)),
        )
    };
    let response = JsFuture::from(promise.map_err(unreachable)?).await.map_err(unreachable)?;
    Ok(response.unchecked_into())
}

async fn read(response: &Response, bytes_max: usize) -> Result<ControlAnswer> {
    let bytes = match response.body() {
        Some(stream) => http::read_stream(&stream, bytes_max).await.map_err(|_| broken("broke off"))?,
        None => Some(Vec::new()),
    };
    Ok(ControlAnswer {
        status: response.status(),
        retry_after: response.headers().get("retry-after").ok().flatten(),
        bytes: bytes.ok_or_else(|| broken("is too large"))?,
    })
}

fn broken(what: &str) -> Error {
    Error::new(Code::ContainerError, format!("the control server's answer {what}"))
}

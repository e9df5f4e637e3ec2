//! The control server, at `CONTAINER_URL` or in the container that is bound to the Town.
//!
//! Invariants: every call has a time limit and a bound on its answer; only [`Upstream::start`] starts a container;
//! after a call no timer or promise is left that would keep the Town in memory.

use std::pin::pin;
use std::rc::Rc;

use ::worker::State;
use ::worker::web_sys::{self, AbortController, Headers, RequestInit, Response, WorkerGlobalScope};
use futures_util::future::{Either, select};
use js_sys::Promise;
use js_sys::futures::JsFuture;
use serde::de::DeserializeOwned;
use townwatch_protocol::control_key::SigningKey;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::TownId;
use townwatch_protocol::signed_call::{Call, Purpose};
use townwatch_protocol::wire::TOWN_HEADER;
use townwatch_town::relay::control_response::{ControlResponse, StopAnswer};
use townwatch_town::settings::ControlRight;
use wasm_bindgen::prelude::*;

use crate::config::WorkerConfig;
use crate::container::Container;
use crate::control_request::ControlRequest;
use crate::timer::Sleep;
use crate::{http, js, platform};

/// The control server of a Town.
#[derive(Debug)]
pub struct Upstream {
    town_id: TownId,
    endpoint: Endpoint,
    idle_seconds: u64,
}

#[derive(Debug)]
enum Endpoint {
    /// Our own control server, at a URL or in the town's container; each call is signed.
    Url(String, Rc<SigningKey>),
    Binding(Container, Rc<SigningKey>),
    /// A container of another make, at a URL, with the token that it expects.
    Foreign(String, String),
}

impl Upstream {
    /// The control server of the Town; `None` where the installation has none. `CONTAINER_URL` has priority over the
    /// binding. `own_key` gives the town's own key, for its own container.
    pub fn of(
        state: &State,
        config: &WorkerConfig,
        town_id: impl FnOnce() -> Result<TownId>,
        own_key: impl FnOnce() -> Result<Rc<SigningKey>>,
    ) -> Result<Option<Self>> {
        let endpoint = match (&config.settings.container_url, &config.secrets.control) {
            (Some(url), Some(ControlRight::Key(key))) => Endpoint::Url(url.clone(), Rc::clone(key)),
            (Some(url), Some(ControlRight::Token(token))) => Endpoint::Foreign(url.clone(), token.clone()),
            _ => match Container::of(state) {
                Some(container) => Endpoint::Binding(container, own_key()?),
                None => return Ok(None),
            },
        };
        Ok(Some(Self { town_id: town_id()?, endpoint, idle_seconds: config.settings.container_idle_seconds }))
    }

    /// Whether the control server can be asked without a start. Its operator starts one at a URL, so that one counts as
    /// running.
    pub fn is_running(&self) -> bool {
        match &self.endpoint {
            Endpoint::Url(..) | Endpoint::Foreign(..) => true,
            Endpoint::Binding(container, _) => container.is_running(),
        }
    }

    /// Starts the container if it sleeps, and waits until it answers. Only the start of an agent calls this.
    pub async fn start(&self) -> Result<()> {
        let Endpoint::Binding(container, key) = &self.endpoint else { return Ok(()) };
        container.start(&key.public(), self.idle_seconds).await?;
        // Not its health, for which it asks each program for its version.
        let ask = |limit_ms| self.text(ControlRequest::get(Purpose::Relay, "/events?limit=1", limit_ms));
        container.ready(ask).await
    }

    /// Keeps a running container alive while the Town sleeps. Called at every wake.
    pub async fn keep(&self) -> Result<()> {
        match &self.endpoint {
            Endpoint::Url(..) | Endpoint::Foreign(..) => Ok(()),
            Endpoint::Binding(container, _) => container.keep(self.idle_seconds).await,
        }
    }

    /// Whether the control server serves others, too, so that it lives on after the Town's deletion.
    pub fn outlives_town(&self) -> bool {
        matches!(self.endpoint, Endpoint::Url(..) | Endpoint::Foreign(..))
    }

    /// Ends a bound container and all that runs in it.
    pub async fn stop(&self) -> Result<()> {
        match &self.endpoint {
            Endpoint::Binding(container, _) if container.is_running() => container.stop().await,
            Endpoint::Url(..) | Endpoint::Foreign(..) | Endpoint::Binding(..) => Ok(()),
        }
    }

    /// Sends a request to the control server, and gives the bytes of a successful answer.
    ///
    /// # Errors
    ///
    /// `container_unavailable` where it cannot be reached, `container_timeout` where it does not answer in time,
    /// [`ControlResponse::refusal`] where it refuses.
    pub async fn bytes(&self, request: ControlRequest) -> Result<Vec<u8>> {
        let answer = self.call(request).await?;
        if answer.is_success() { Ok(answer.bytes) } else { Err(answer.refusal()) }
    }

    /// [`Upstream::bytes`] of an answer that is text.
    pub async fn text(&self, request: ControlRequest) -> Result<String> {
        String::from_utf8(self.bytes(request).await?).map_err(|_| broken("is not UTF-8"))
    }

    /// [`Upstream::text`] of an answer that is JSON, read.
    pub async fn read<T: DeserializeOwned>(&self, request: ControlRequest) -> Result<T> {
        let target = request.target.clone();
        let text = self.text(request).await?;
        serde_json::from_str(&text).map_err(|error| Error::new(Code::ContainerError, format!("{target}: {error}")))
    }

    /// Asks for a stop, and gives the result.
    pub async fn stop_agent(&self, request: ControlRequest) -> StopAnswer {
        match self.call(request).await {
            Ok(answer) => answer.of_stop(matches!(self.endpoint, Endpoint::Foreign(..))),
            Err(error) => StopAnswer::Unheard(error),
        }
    }

    async fn call(&self, request: ControlRequest) -> Result<ControlResponse> {
        if !self.is_running() {
            return Err(Error::new(Code::ContainerUnavailable, "the container sleeps; starting an agent starts it"));
        }
        let init = self.init(&request).map_err(|thrown| js::fault(&thrown))?;
        let answer = async {
            let response = settle(self.fetch(&request.target, &init)).await?;
            read(&response, request.bytes_max).await
        };
        limited(request.limit_ms, &init, answer).await
    }

    fn fetch(&self, path_and_query: &str, init: &RequestInit) -> std::result::Result<Promise, JsValue> {
        match &self.endpoint {
            Endpoint::Url(url, _) | Endpoint::Foreign(url, _) => {
                let global: WorkerGlobalScope = js_sys::global().unchecked_into();
                Ok(global.fetch_with_str_and_init(&format!("{url}{path_and_query}"), init))
            }
            Endpoint::Binding(container, _) => container.fetch(path_and_query, init),
        }
    }

    fn init(&self, request: &ControlRequest) -> std::result::Result<RequestInit, JsValue> {
        let authorization = match &self.endpoint {
            Endpoint::Url(_, key) | Endpoint::Binding(_, key) => {
                let call = Call { town_id: &self.town_id, method: request.method, target: &request.target };
                let body = request.body.as_deref().unwrap_or_default();
                call.sign(key, request.purpose, body.as_bytes(), platform::now(), platform::nonce())
            }
            Endpoint::Foreign(_, token) => format!("Bearer {token}"),
        };
        let headers = Headers::new()?;
        headers.set("authorization", &authorization)?;
        headers.set(TOWN_HEADER, self.town_id.as_str())?;
        let init = RequestInit::new();
        init.set_method(request.method);
        // A redirect would carry a token to wherever it points.
        init.set_redirect(web_sys::RequestRedirect::Manual);
        if let Some(text) = &request.body {
            headers.set("content-type", "application/json")?;
            init.set_body(&JsValue::from_str(text));
        }
        init.set_headers(&headers);
        Ok(init)
    }
}

/// Runs a call with a time limit. After the limit the call is aborted; the timer is cancelled in any case.
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

async fn read(response: &Response, bytes_max: usize) -> Result<ControlResponse> {
    let bytes = match response.body() {
        Some(stream) => http::read_stream(&stream, bytes_max).await.map_err(|_| broken("broke off"))?,
        None => Some(Vec::new()),
    };
    Ok(ControlResponse {
        status: response.status(),
        retry_after: response.headers().get("retry-after").ok().flatten(),
        bytes: bytes.ok_or_else(|| broken("is too large"))?,
    })
}

fn broken(what: &str) -> Error {
    Error::new(Code::ContainerError, format!("the control server's answer {what}"))
}

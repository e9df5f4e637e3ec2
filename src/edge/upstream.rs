//! The control server, wherever it is: at `CONTAINER_URL`, or in the container that is bound to the Town.
//!
//! Invariants: every call has a time limit and a bound on its answer; nothing but [`Upstream::start`] starts a
//! container; after a call nothing is pending that would keep the Town in memory.

use std::collections::BTreeMap;
use std::pin::pin;

use ::worker::State;
use ::worker::web_sys::{self, AbortController, Headers, RequestInit, Response, WorkerGlobalScope};
use futures_util::future::{Either, select};
use js_sys::Promise;
use js_sys::futures::JsFuture;
use wasm_bindgen::prelude::*;

use crate::core::envelope;
use crate::edge::config::Config;
use crate::edge::container::Container;
use crate::edge::timer::Sleep;
use crate::edge::{http, js};
use crate::error::{Code, Error, Result};
use crate::id::TownId;
use crate::limits::BATCH_EVENTS_MAX;
use crate::protocol::TOWN_HEADER;

/// The largest answer that is read, 32 MiB of the isolate's 128: a page of [`BATCH_EVENTS_MAX`] events at 64 KiB each.
/// A page of larger events is made shorter by the control server.
const ANSWER_BYTES_MAX: usize = BATCH_EVENTS_MAX * (64 << 10) + (1 << 20);

/// The control server of a Town.
#[derive(Debug)]
pub struct Upstream {
    place: Place,
    token: String,
    idle_seconds: u64,
}

#[derive(Debug)]
enum Place {
    Url(String),
    Binding(Container),
}

impl Upstream {
    /// Where the Town's control server is; `None` where the installation has none. `CONTAINER_URL` beats the binding.
    pub fn of(state: &State, config: &Config) -> Option<Self> {
        let place = match &config.settings.container_url {
            Some(url) => Place::Url(url.clone()),
            None => Place::Binding(Container::of(state)?),
        };
        let token = config.secrets.container_token.clone()?;
        Some(Self { place, token, idle_seconds: config.settings.container_idle_seconds })
    }

    /// Whether it can be asked without starting anything. One at a URL is its operator's to start.
    pub fn is_running(&self) -> bool {
        match &self.place {
            Place::Url(_) => true,
            Place::Binding(container) => container.is_running(),
        }
    }

    /// Starts the container if it sleeps, and waits until it answers; for an agent's start only. `environment` is
    /// added to what the control server needs itself.
    pub async fn start(&self, environment: BTreeMap<String, String>) -> Result<()> {
        let Place::Binding(container) = &self.place else { return Ok(()) };
        let mut environment = environment;
        environment.insert("CONTAINER_TOKEN".to_owned(), self.token.clone());
        container.start(&environment, self.idle_seconds).await
    }

    /// Lets a running container live on while the Town sleeps; at every wake.
    pub async fn keep(&self) -> Result<()> {
        match &self.place {
            Place::Url(_) => Ok(()),
            Place::Binding(container) => container.keep(self.idle_seconds).await,
        }
    }

    /// Ends a bound container and all that runs in it.
    pub async fn stop(&self) -> Result<()> {
        match &self.place {
            Place::Binding(container) if container.is_running() => container.stop().await,
            Place::Url(_) | Place::Binding(_) => Ok(()),
        }
    }

    /// Calls the control server: the status and text of its success. `limit_ms` covers the whole answer.
    ///
    /// It cannot be reached: `container_unavailable`. It does not answer in time: `container_timeout`. It refuses with
    /// 400, 404 or 409 and one of the contract's codes: that code with its message. Anything else: `container_error`.
    pub async fn request(
        &self,
        method: &str,
        path_and_query: &str,
        town_id: &TownId,
        body: Option<String>,
        limit_ms: u64,
    ) -> Result<(u16, String)> {
        let (status, bytes) =
            self.request_bytes(method, path_and_query, town_id, body, limit_ms, ANSWER_BYTES_MAX).await?;
        Ok((status, String::from_utf8(bytes).map_err(|_| broken("is not UTF-8"))?))
    }

    /// [`Upstream::request`] for an answer of any bytes, at most `bytes_max` of them.
    pub async fn request_bytes(
        &self,
        method: &str,
        path_and_query: &str,
        town_id: &TownId,
        body: Option<String>,
        limit_ms: u64,
        bytes_max: usize,
    ) -> Result<(u16, Vec<u8>)> {
        if !self.is_running() {
            return Err(Error::new(Code::ContainerUnavailable, "the container sleeps; starting an agent starts it"));
        }
        let init = self.init(method, town_id, body).map_err(|thrown| js::fault(&thrown))?;
        let answer = async {
            let response = settle(self.fetch(path_and_query, &init)).await?;
            read(&response, bytes_max).await
        };
        let (status, bytes) = limited(limit_ms, &init, answer).await?;
        let refused = || refusal(status, &String::from_utf8_lossy(&bytes));
        if (200..300).contains(&status) { Ok((status, bytes)) } else { Err(refused()) }
    }

    fn fetch(&self, path_and_query: &str, init: &RequestInit) -> std::result::Result<Promise, JsValue> {
        match &self.place {
            Place::Url(url) => {
                let global: WorkerGlobalScope = js_sys::global().unchecked_into();
                Ok(global.fetch_with_str_and_init(&format!("{url}{path_and_query}"), init))
            }
            Place::Binding(container) => container.fetch(path_and_query, init),
        }
    }

    fn init(&self, method: &str, town_id: &TownId, body: Option<String>) -> std::result::Result<RequestInit, JsValue> {
        let headers = Headers::new()?;
        headers.set("authorization", &format!("Bearer {}", self.token))?;
        headers.set(TOWN_HEADER, town_id.as_str())?;
        let init = RequestInit::new();
        init.set_method(method);
        // A redirect would carry the token to wherever it points.
        init.set_redirect(web_sys::RequestRedirect::Manual);
        if let Some(text) = body {
            headers.set("content-type", "application/json")?;
            init.set_body(&JsValue::from_str(&text));
        }
        init.set_headers(&headers);
        Ok(init)
    }
}

/// One fetch within a time limit, of which only the status counts.
pub(crate) async fn within(
    limit_ms: u64,
    init: &RequestInit,
    fetch: impl FnOnce() -> std::result::Result<Promise, JsValue>,
) -> Result<Response> {
    limited(limit_ms, init, async { settle(fetch()).await }).await
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

async fn read(response: &Response, bytes_max: usize) -> Result<(u16, Vec<u8>)> {
    let Some(stream) = response.body() else { return Ok((response.status(), Vec::new())) };
    let bytes = http::read_stream(&stream, bytes_max).await.map_err(|_| broken("broke off"))?;
    Ok((response.status(), bytes.ok_or_else(|| broken("is too large"))?))
}

fn broken(what: &str) -> Error {
    Error::new(Code::ContainerError, format!("the control server's answer {what}"))
}

fn refusal(status: u16, text: &str) -> Error {
    let named = envelope::failure(text);
    match named {
        Some(error) if matches!(status, 400 | 404 | 409) && error.code.status() == status => error,
        Some(error) => {
            Error::new(Code::ContainerError, format!("the control server answered {status}: {}", error.message))
        }
        None => Error::new(Code::ContainerError, format!("the control server answered {status}")),
    }
}

//! Calls from the Worker to an object, and from one object to another.

use std::pin::pin;

use ::worker::Env;
use ::worker::web_sys::{Headers, Request, RequestInit, Response};
use futures_util::future::{Either, select};
use js_sys::Promise;
use townwatch_protocol::calls::ObjectCall;
use townwatch_protocol::envelope;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::limits::OBJECT_ANSWER_MS;
use townwatch_town::route::Responder;
use wasm_bindgen::prelude::*;

use crate::js;
use crate::timer::Sleep;

/// The name of the only account object.
const ACCOUNT: &str = "default";

/// The platform's stub without the crate's wrapper, which would take an answer apart and build it again.
#[allow(unsafe_code)] // wasm-bindgen's macro expands to it
mod glue {
    use super::{JsValue, Promise, Request, RequestInit, wasm_bindgen};

    #[wasm_bindgen]
    extern "C" {
        pub(super) type Stub;

        #[wasm_bindgen(method, catch)]
        pub(super) fn fetch(this: &Stub, request: &Request) -> Result<Promise, JsValue>;

        #[wasm_bindgen(method, catch, js_name = fetch)]
        pub(super) fn ask(this: &Stub, url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
    }
}

/// Passes a request to an object and its answer back, both unchanged. So a WebSocket upgrade passes, too.
pub async fn forward(env: &Env, responder: &Responder, request: &Request) -> Result<Response> {
    settle(stub(env, responder)?.fetch(request)).await
}

/// Calls an object.
///
/// # Errors
///
/// The object's own refusal, with its code; `town_unavailable` where the object does not answer.
pub async fn call<C: ObjectCall>(env: &Env, object: &C::Object, call: &C) -> Result<C::Answer>
where
    C::Object: Clone + Into<Responder>,
{
    let body = serde_json::to_string(call).map_err(Error::internal)?;
    let (stub, init) = (stub(env, &object.clone().into())?, init(&body)?);
    let answer = async {
        let response = settle(stub.ask(&format!("https://object{}", C::PATH), &init)).await?;
        js::settle(response.text().map_err(|thrown| js::fault(&thrown))?).await
    };
    let text = in_time(answer).await?;
    envelope::read(&text.as_string().unwrap_or_default())
}

/// Waits for an object, at most [`OBJECT_ANSWER_MS`], because an object that panics never answers. If the object is in
/// another isolate, this limit works. If it is in ours, the panic ends this timer, too, and only `entrance.mjs` can
/// answer. After the limit the object may still have done, or do, what was asked.
async fn in_time<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    match select(pin!(answer), pin!(Sleep::new(OBJECT_ANSWER_MS))).await {
        Either::Left((outcome, _clock)) => outcome,
        Either::Right(((), _answer)) => {
            let message = format!("an object did not answer within {} s; try again", OBJECT_ANSWER_MS / 1_000);
            Err(Error::new(Code::TownUnavailable, message))
        }
    }
}

fn init(body: &str) -> Result<RequestInit> {
    let headers = Headers::new().map_err(|thrown| js::fault(&thrown))?;
    headers.set("content-type", "application/json").map_err(|thrown| js::fault(&thrown))?;
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers);
    init.set_body(&JsValue::from_str(body));
    Ok(init)
}

fn stub(env: &Env, responder: &Responder) -> Result<glue::Stub> {
    let (binding, name) = match responder {
        Responder::Town(town_id) => ("TOWN", town_id.as_str()),
        Responder::Rig(rig_id) => ("RIG", rig_id.as_str()),
        Responder::Account => ("ACCOUNT", ACCOUNT),
        Responder::Worker => return Err(Error::internal("the Worker is no object")),
    };
    let failed = |error: ::worker::Error| Error::internal(format!("{binding}: {error}"));
    let namespace = env.durable_object(binding).map_err(failed)?;
    Ok(namespace.get_by_name(name).map_err(failed)?.into_rpc())
}

/// The answer of a stub. An error that the object throws is `internal`. An error of the runtime (a deployment, a move,
/// overload) passes by itself, so the caller may try again.
async fn settle(promise: std::result::Result<Promise, JsValue>) -> Result<Response> {
    let failed = |thrown: JsValue| {
        // An object whose writes did not reach the disk is begun anew: its store is full, which does not pass by itself.
        if let Some(full) = Error::of_full_store(&js::describe(&thrown)) {
            return full;
        }
        if ["retryable", "overloaded", "durableObjectReset"].iter().any(|name| js::is_true(&thrown, name)) {
            return Error::new(Code::TownUnavailable, "the town is moving or has too much to do at present; try again");
        }
        js::fault(&thrown)
    };
    let response = js_sys::futures::JsFuture::from(promise.map_err(failed)?).await.map_err(failed)?;
    Ok(response.unchecked_into())
}

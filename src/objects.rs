//! From the Worker to an object, and from one object to another.

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

/// The account's name; there is one.
const ACCOUNT: &str = "default";

/// The stub as it is: the crate's takes an answer apart and builds it anew.
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

/// Hands a request over and its answer back, both untouched: so also an upgrade gets through.
pub async fn forward(env: &Env, place: &Responder, request: &Request) -> Result<Response> {
    settle(stub(env, place)?.fetch(request)).await
}

/// Calls an object and gives its answer. A refusal of the object comes back as the failure that it is.
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

/// Waits for an object no longer than [`OBJECT_ANSWER_MS`]: one that panics never answers. That holds where it lives in
/// another isolate; where it shares ours this clock ends with it, and only `entrance.mjs` is left. What was asked
/// may have been done all the same, and may still be.
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

fn stub(env: &Env, place: &Responder) -> Result<glue::Stub> {
    let (binding, name) = match place {
        Responder::Town(town_id) => ("TOWN", town_id.as_str()),
        Responder::Rig(rig_id) => ("RIG", rig_id.as_str()),
        Responder::Account => ("ACCOUNT", ACCOUNT),
        Responder::Worker => return Err(Error::internal("the Worker is no object")),
    };
    let failed = |error: ::worker::Error| Error::internal(format!("{binding}: {error}"));
    let namespace = env.durable_object(binding).map_err(failed)?;
    Ok(namespace.get_by_name(name).map_err(failed)?.into_rpc())
}

/// What an object throws is an accident of ours; what the runtime throws for it (a deploy, a move, too much at once)
/// passes by itself.
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

//! Small things between Rust and JavaScript.

use js_sys::futures::JsFuture;
use js_sys::{Promise, Reflect};
use townwatch_protocol::error::{Error, Result};
use wasm_bindgen::{JsCast, JsValue};

/// The error that JavaScript threw, as a failure of ours.
pub(crate) fn fault(thrown: &JsValue) -> Error {
    let words = describe(thrown);
    Error::of_full_store(&words).unwrap_or_else(|| Error::internal(words))
}

/// The error that JavaScript threw, as text for the log.
pub(crate) fn describe(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.to_string()),
        None => thrown.as_string().unwrap_or_else(|| format!("{thrown:?}")),
    }
}

/// Waits for a promise.
pub(crate) async fn settle(promise: Promise) -> Result<JsValue> {
    JsFuture::from(promise).await.map_err(|thrown| fault(&thrown))
}

/// Whether a property is `true`.
pub(crate) fn is_true(object: &JsValue, name: &str) -> bool {
    Reflect::get(object, &JsValue::from_str(name)).is_ok_and(|value| value.is_truthy())
}

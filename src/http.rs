//! Answers in the envelope, and bodies within their bound.

use std::pin::pin;

use ::worker::wasm_bindgen_futures::spawn_local;
use ::worker::web_sys::{self, ReadableStream, ReadableStreamDefaultReader};
use ::worker::{Headers, Response, ResponseBuilder, console_error};
use futures_util::future::{Either, select};
use js_sys::{Reflect, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use townwatch_protocol::error::{Code, Error, Result};
use townwatch_protocol::id::ImageId;
use townwatch_protocol::image::ImageType;
use townwatch_protocol::limits::{BODY_ARRIVAL_MS, BODY_BYTES_MAX};
use townwatch_protocol::{body, envelope};
use townwatch_town::metrics::CONTENT_TYPE;
use wasm_bindgen::{JsCast, JsValue};

use crate::js;
use crate::timer::Sleep;

/// An answer of any kind: JSON that no cache may store.
pub fn answer(status: u16, text: String, extra: &[(&str, &str)]) -> Response {
    let headers = Headers::new();
    let fixed = [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in fixed.iter().chain(extra) {
        if headers.set(name, value).is_err() {
            console_error!("the header {name} could not be set");
        }
    }
    ResponseBuilder::new().with_status(status).with_headers(headers).fixed(text.into_bytes())
}

/// A success around any value that serialises.
pub fn success(status: u16, data: &impl Serialize) -> Response {
    success_with(status, data, &[])
}

/// A success with headers of its own.
pub fn success_with(status: u16, data: &impl Serialize, extra: &[(&str, &str)]) -> Response {
    match serde_json::to_string(data) {
        Ok(text) => answer(status, envelope::success(&text), extra),
        Err(failed) => failure(&Error::internal(failed)),
    }
}

/// A success around JSON text.
pub fn success_text(status: u16, data: &str) -> Response {
    answer(status, envelope::success(data), &[])
}

/// A page of metrics, without the envelope.
pub fn metrics(page: String) -> Response {
    answer(200, page, &[("content-type", CONTENT_TYPE)])
}

/// A success without a body: 204.
pub fn nothing(extra: &[(&str, &str)]) -> Response {
    let headers = Headers::new();
    for (name, value) in [("cache-control", "no-store")].iter().chain(extra) {
        if headers.set(name, value).is_err() {
            console_error!("the header {name} could not be set");
        }
    }
    ResponseBuilder::new().with_status(204).with_headers(headers).empty()
}

/// A picture. Its type is that of its bytes. If a browser ever took it for a page, the headers would stop it from
/// running or loading anything. A cache may keep it for ever, because its name is the hash of its bytes.
pub fn image(kind: ImageType, bytes: Vec<u8>, image_id: &ImageId) -> Response {
    let headers = Headers::new();
    let name = image_id.as_str().get(..12).unwrap_or(image_id.as_str());
    let disposition = format!("inline; filename=\"{name}.{}\"", kind.extension());
    for (name, value) in [
        ("content-type", kind.media_type()),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "private, max-age=31536000, immutable"),
        ("content-disposition", &disposition),
    ] {
        if headers.set(name, value).is_err() {
            console_error!("the header {name} could not be set");
        }
    }
    ResponseBuilder::new().with_status(200).with_headers(headers).fixed(bytes)
}

/// A failure that will pass in a moment.
pub fn not_yet(error: &Error) -> Response {
    failure_with(error, &[("retry-after", "1")])
}

/// A failure. The text of an `internal` one goes to the log and not to the caller.
pub fn failure(error: &Error) -> Response {
    failure_with(error, &[])
}

/// 405 with the methods that the path takes.
pub fn not_allowed(error: &Error, allowed: &str) -> Response {
    failure_with(error, &[("allow", allowed)])
}

/// An object's answer, a success or a failure. An unread body is read first, up to its bound: if the Worker were still
/// sending a large body, an early answer would break the connection and be lost.
pub async fn respond(request: &web_sys::Request, outcome: Result<Response>) -> Response {
    if !request.body_used()
        && let Some(stream) = request.body()
    {
        // What cannot be read any more is not under way either.
        let _ = drain(request, &stream).await;
    }
    outcome.unwrap_or_else(|error| failure(&error))
}

/// Refuses by the announced length with 413, so that the Worker does not pass on a body that the object would refuse.
pub fn check_length(request: &web_sys::Request) -> Result<()> {
    match content_length(request) {
        Some(length) if length > BODY_BYTES_MAX => Err(body::too_large()),
        _ => Ok(()),
    }
}

fn failure_with(error: &Error, extra: &[(&str, &str)]) -> Response {
    if error.code == Code::Internal {
        let line = serde_json::json!({"level": "error", "event": "internal", "message": error.message});
        console_error!("{line}");
    }
    let after = error.retry_after_s.map(|seconds| seconds.to_string());
    let remedy = after.as_deref().map(|seconds| ("retry-after", seconds)).or_else(|| remedy(error.code));
    let extra: Vec<(&str, &str)> = extra.iter().copied().chain(remedy).collect();
    answer(error.code.status(), error.to_body(), &extra)
}

/// The header with the remedy, for statuses that have one.
fn remedy(code: Code) -> Option<(&'static str, &'static str)> {
    match code {
        Code::RateLimited | Code::TooManyViewers => Some(("retry-after", "30")),
        Code::TownUnavailable => Some(("retry-after", "1")),
        Code::Unauthorized | Code::TokenExpired | Code::TicketInvalid => Some(("www-authenticate", "Bearer")),
        _ => None,
    }
}

/// Reads a body that is required.
pub async fn read_json<T: DeserializeOwned>(request: &web_sys::Request) -> Result<T> {
    body::parse_body(&read_body(request).await?)
}

/// Reads a body that is optional; an absent one reads as `{}`.
pub async fn read_optional_json<T: DeserializeOwned>(request: &web_sys::Request) -> Result<T> {
    body::parse_optional_body(&read_body(request).await?)
}

/// The bytes of a body.
///
/// # Errors
///
/// 413 beyond the bound (the rest is not read); 415 for a media type other than JSON, and for a compressed body.
pub async fn read_body(request: &web_sys::Request) -> Result<Vec<u8>> {
    check_coding(request)?;
    let content_type = request.headers().get("content-type").ok().flatten();
    if content_type.as_deref().is_some_and(|given| !is_json(given)) {
        return Err(not_json());
    }
    let Some(stream) = request.body() else { return Ok(Vec::new()) };
    let bytes = drain(request, &stream).await?;
    if content_type.is_none() && !bytes.is_empty() {
        return Err(not_json());
    }
    Ok(bytes)
}

/// The body of a call by one of our own objects. There is no time limit here: the body arrives as a whole, and the
/// caller has a time limit of its own. A limit would set and clear a timer for each batch.
pub async fn read_own_body(request: &web_sys::Request) -> Result<Vec<u8>> {
    match request.body() {
        Some(stream) => read_whole(request, &stream).await,
        None => Ok(Vec::new()),
    }
}

/// The body of a picture.
///
/// # Errors
///
/// 415 for another media type, and the failures of [`read_body`].
pub async fn read_image(request: &web_sys::Request) -> Result<(ImageType, Vec<u8>)> {
    check_coding(request)?;
    let content_type = request.headers().get("content-type").ok().flatten();
    let kind = content_type.as_deref().and_then(ImageType::of_media_type).ok_or_else(|| {
        let message = "send a picture, with `Content-Type` image/png, image/jpeg, image/webp or image/gif";
        Error::new(Code::UnsupportedMediaType, message)
    })?;
    match request.body() {
        Some(stream) => Ok((kind, drain(request, &stream).await?)),
        None => Ok((kind, Vec::new())),
    }
}

fn check_coding(request: &web_sys::Request) -> Result<()> {
    let coding = request.headers().get("content-encoding").ok().flatten();
    if coding.is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("identity")) {
        return Err(Error::new(Code::UnsupportedMediaType, "send the body as it is, without `Content-Encoding`"));
    }
    Ok(())
}

/// Reads a body to its end, within a time limit. Without the limit a slow sender could hold it as long as it likes.
async fn drain(request: &web_sys::Request, stream: &ReadableStream) -> Result<Vec<u8>> {
    check_length(request)?;
    match select(pin!(read_whole(request, stream)), pin!(Sleep::new(BODY_ARRIVAL_MS))).await {
        Either::Left((outcome, _clock)) => outcome,
        Either::Right(((), _reading)) => Err(body::too_slow()),
    }
}

async fn read_whole(request: &web_sys::Request, stream: &ReadableStream) -> Result<Vec<u8>> {
    if content_length(request).is_none() {
        return read_stream(stream, BODY_BYTES_MAX).await?.ok_or_else(body::too_large);
    }
    // The runtime holds the sender to its word, so one await is enough.
    let buffer = js::settle(request.array_buffer().map_err(|thrown| js::fault(&thrown))?).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// Reads a stream to its end; `None` where it has more than `max` bytes, and then the rest is not read.
pub(crate) async fn read_stream(stream: &ReadableStream, max: usize) -> Result<Option<Vec<u8>>> {
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut bytes = Vec::new();
    loop {
        let step = js::settle(reader.read().unchecked_into()).await?;
        if js::is_true(&step, "done") {
            return Ok(Some(bytes));
        }
        let chunk = Reflect::get(&step, &JsValue::from_str("value")).map_err(|thrown| js::fault(&thrown))?;
        let chunk = Uint8Array::new(&chunk);
        if bytes.len() + chunk.length() as usize > max {
            let cancelled = js::settle(reader.cancel().unchecked_into());
            // Whatever comes of it, nobody waits for it.
            spawn_local(async {
                let _ = cancelled.await;
            });
            return Ok(None);
        }
        let end = bytes.len();
        bytes.resize(end + chunk.length() as usize, 0);
        chunk.copy_to(&mut bytes[end..]);
    }
}

fn content_length(request: &web_sys::Request) -> Option<usize> {
    request.headers().get("content-length").ok().flatten()?.parse().ok()
}

fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn not_json() -> Error {
    Error::new(Code::UnsupportedMediaType, "send the body as JSON, with `Content-Type: application/json`")
}

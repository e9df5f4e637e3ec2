//! Readers of a request's body. A refusal names the field that is wrong.

use serde::de::DeserializeOwned;

use crate::error::{Code, Error, Result};
use crate::limits::{BODY_ARRIVAL_MS, BODY_BYTES_MAX, JSON_DEPTH_MAX};
use crate::wire::FromObject;

/// The field that a refusal names where the whole body is wrong.
const WHOLE: &str = "body";

/// The JSON levels of a posted batch above an event's data: the body, its list, the event.
const LEVELS_AROUND_DATA: usize = 3;

/// Reads a JSON body.
///
/// The depth is bounded so that data of [`JSON_DEPTH_MAX`] levels passes within a batch. A caller that stores the data
/// checks the data alone with [`is_deeper_than`]. Fields of type `RawValue` keep their text byte for byte, even text
/// that no `serde_json::Value` could hold: long integers, lone surrogates, numbers beyond f64.
///
/// # Errors
///
/// `too_large` (413) for too many bytes; `invalid_request` (400) for all else. The message names the field as a path:
/// `events[3].event_type`.
pub fn parse_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    if bytes.len() > BODY_BYTES_MAX {
        return Err(too_large());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Error::invalid(WHOLE, "is not UTF-8"))?;
    parse_text(text)
}

/// [`parse_body`] for a body that may be absent. An empty body reads as `{}`.
pub fn parse_optional_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    if bytes.trim_ascii().is_empty() { parse_text("{}") } else { parse_body(bytes) }
}

/// The refusal of a request's body that is too large: 413.
pub fn too_large() -> Error {
    Error::new(Code::TooLarge, format!("the body is larger than {BODY_BYTES_MAX} bytes; send less at a time"))
}

/// The refusal of a request's body that does not arrive in time: 408.
pub fn too_slow() -> Error {
    let message = format!(
        "the body did not arrive within {} s, and nothing of it was taken; send less at a time",
        BODY_ARRIVAL_MS / 1_000
    );
    Error::new(Code::RequestTimeout, message)
}

fn parse_text<T: DeserializeOwned>(text: &str) -> Result<T> {
    if text.trim_ascii().is_empty() {
        return Err(Error::invalid(WHOLE, "is empty; send a JSON object"));
    }
    if is_deeper_than(text.as_bytes(), JSON_DEPTH_MAX + LEVELS_AROUND_DATA) {
        return Err(Error::invalid(WHOLE, format!("nests deeper than {JSON_DEPTH_MAX} levels")));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let FromObject(value) = serde_path_to_error::deserialize(&mut reader).map_err(|failure| named(&failure))?;
    reader.end().map_err(|failure| Error::invalid(WHOLE, format!("is not one JSON value: {failure}")))?;
    Ok(value)
}

/// Whether JSON text nests deeper than `max`; a scalar has depth 0. The function is a loop, not a recursion, so that
/// deep text cannot overflow the stack. For text that is not JSON the result has no meaning: the parser refuses such
/// text afterwards.
pub fn is_deeper_than(text: &[u8], max: usize) -> bool {
    // Nearly every text has fewer brackets, and to count them is much faster than to follow them.
    let opening = text.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if opening <= max {
        return false;
    }
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for byte in text {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => in_string = false,
            (false, b'"') => in_string = true,
            (false, b'[' | b'{') => {
                depth += 1;
                if depth > max {
                    return true;
                }
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// The message of serde as ours: the path first, and no line number, since a body is one line.
fn named(failure: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let inner = failure.inner();
    let message = inner.to_string();
    if !inner.is_data() {
        return Error::invalid(WHOLE, format!("is not JSON: {message}"));
    }
    let problem = match message.rsplit_once(" at line ") {
        Some((problem, _)) => problem,
        None => &message,
    };
    let path = failure.path().to_string();
    let inside = if path == "." { "" } else { path.as_str() };
    for (start, what) in [("missing field `", "is missing"), ("duplicate field `", "is given twice")] {
        if let Some(field) = problem.strip_prefix(start).and_then(|rest| rest.strip_suffix('`')) {
            let dot = if inside.is_empty() { "" } else { "." };
            return Error::invalid(&format!("{inside}{dot}{field}"), what);
        }
    }
    Error::invalid(if inside.is_empty() { WHOLE } else { inside }, problem)
}

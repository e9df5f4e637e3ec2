//! The envelope around every answer, as one side writes it and the other reads it.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::{Code, Details, Error, Result};

#[derive(Deserialize)]
struct Envelope<'a> {
    success: bool,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<ErrorFields>,
}

#[derive(Deserialize)]
struct ErrorFields {
    code: String,
    message: String,
    #[serde(default)]
    details: Option<Details>,
}

/// The body of a success around `data`, which is JSON text. A failure's is [`Error::to_body`].
pub fn success(data: &str) -> String {
    format!(r#"{{"success":true,"data":{data}}}"#)
}

/// Reads an answer of one of our own objects: its data, or the failure that it names. An answer that is neither is an
/// `internal` failure.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    let unreadable = || Error::internal(format!("no answer of ours: {}", text.chars().take(200).collect::<String>()));
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|_| unreadable())?;
    if envelope.success {
        let data = envelope.data.ok_or_else(unreadable)?;
        return serde_json::from_str(data.get()).map_err(|_| unreadable());
    }
    Err(failure(text).ok_or_else(unreadable)?)
}

/// The failure in an answer, if its code is one of the contract's.
pub fn failure(text: &str) -> Option<Error> {
    let failure = serde_json::from_str::<Envelope<'_>>(text).ok()?.error?;
    let code = *Code::ALL.iter().find(|code| code.name() == failure.code)?;
    Some(Error { details: failure.details, ..Error::new(code, failure.message) })
}

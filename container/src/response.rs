//! The writing of an answer: JSON, and for a failure the envelope of all errors.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use townwatch_protocol::error::{Code, Error};

/// A failure as an answer.
pub(crate) struct ErrorResponse(pub(crate) Error);

impl From<Error> for ErrorResponse {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        if self.0.code == Code::Internal {
            crate::log::write("internal", serde_json::json!({"message": self.0.message}));
        }
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/json")], self.0.to_body()).into_response()
    }
}

/// Makes an answer of a value, as JSON.
pub(crate) fn json(value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => json_text(text),
        Err(error) => ErrorResponse(Error::internal(error)).into_response(),
    }
}

/// Makes an answer of a text that is JSON already.
pub(crate) fn json_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

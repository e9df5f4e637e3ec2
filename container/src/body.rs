//! Reads a request's body, and names the field that is wrong.

use axum::body::Bytes;
use serde::de::DeserializeOwned;
use townwatch_protocol::error::{Error, Result};

/// Reads a JSON body.
pub fn read<T: DeserializeOwned>(bytes: &Bytes) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let problem = error.into_inner().to_string();
        // A field that is missing has no path of its own, but the message has its name.
        let missing =
            problem.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')).map(|(name, _)| name);
        let field = match (path.as_str(), missing) {
            ("." | "?", Some(name)) => name,
            ("." | "?", None) => "body",
            (path, _) => path,
        };
        Error::invalid(field, &problem)
    })
}

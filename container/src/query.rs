//! Reads what a request carries, and names the field that is wrong.

use std::borrow::Cow;

use axum::body::Bytes;
use serde::de::DeserializeOwned;
use townwatch::error::{Error, Result};

/// The parameters of a query string. Unknown ones are nobody's business.
#[derive(Debug)]
pub struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Splits a query string.
    pub fn new(query: Option<&'a str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect())
    }

    /// A parameter's text; the last one counts.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// A parameter's number, between the two bounds.
    pub fn number(&self, name: &str, least: u64, most: u64) -> Result<Option<u64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        let problem = || format!("expected an integer from {least} to {most}, not {:?}", crate::cut::text(text, 40));
        number.map(Some).ok_or_else(|| Error::invalid(name, problem()))
    }
}

/// Reads a JSON body.
pub fn body<T: DeserializeOwned>(bytes: &Bytes) -> Result<T> {
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

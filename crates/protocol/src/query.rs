//! Readers of a request's address and query. A refusal names the parameter.

use crate::error::{Error, Result};
use crate::id::{EventId, POSITION_MAX};

/// The parts of an absolute address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// `https://host[:port]`.
    pub origin: &'a str,
    /// The path from the first slash, without the query, still percent-encoded.
    pub path: &'a str,
    /// The text after the `?`; empty where there is none.
    pub query: &'a str,
}

impl<'a> Address<'a> {
    /// Splits an address as the runtime writes it: it has a scheme, and at least one slash after the host.
    pub fn split(url: &'a str) -> Self {
        let url = url.split_once('#').map_or(url, |(url, _)| url);
        let (url, query) = url.split_once('?').unwrap_or((url, ""));
        let host = url.find("://").map_or(0, |at| at + 3);
        let (origin, path) = url.split_at(url[host..].find('/').map_or(url.len(), |at| host + at));
        Self { origin, path, query }
    }

    /// Whether the path may be a page's, and not a file's.
    pub fn is_page(&self) -> bool {
        let mut parts = self.path.split('/').skip(1);
        parts.next() != Some("assets") && !self.path.rsplit('/').next().is_some_and(|last| last.contains('.'))
    }

    /// Whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
    }
}

/// A number of plain digits, with no sign and no space. A number that is too large for u64 reads as the largest u64.
pub fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().unwrap_or(u64::MAX))
}

/// A request's query. Unknown parameters are ignored. A parameter that may stand only once and stands twice is refused,
/// because two readers could each take another value.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the text after the `?`.
    pub fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// A query of one parameter, for a text from another place (a header, say) that follows the same rules.
    pub fn only(name: &str, value: &str) -> Self {
        Self(vec![(name.to_owned(), value.to_owned())])
    }

    /// All values of a parameter that may be repeated.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// A text; `None` where it is absent.
    pub fn text(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self.all(name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(Error::invalid(name, "is given twice")),
            None => Ok(first),
        }
    }

    /// An integer from `min` to `max`.
    pub fn number(&self, name: &str, min: u64, max: u64) -> Result<Option<u64>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match digits(text) {
            Some(value) if (min..=max).contains(&value) => Ok(Some(value)),
            _ => Err(Error::invalid(name, format!("expected an integer from {min} to {max}"))),
        }
    }

    /// A position in a log: an integer ≥ 0. An integer above 2^53 - 1 is above every head, so it reads as 2^53 - 1.
    pub fn position(&self, name: &str) -> Result<Option<EventId>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let value = digits(text).and_then(|value| EventId::new(value.min(POSITION_MAX)));
        value.map(Some).ok_or_else(|| Error::invalid(name, "expected an integer of at least 0"))
    }

    /// One word of the list `known`.
    pub fn word(&self, name: &str, known: &[&'static str]) -> Result<Option<&'static str>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let found = known.iter().find(|word| **word == text);
        found.copied().map(Some).ok_or_else(|| Error::invalid(name, format!("expected {}", known.join(" or "))))
    }

    /// An id, by the parser of its type: `query.id("run_id", RunId::parse, RunId::EXPECTED)`.
    pub fn id<T>(&self, name: &str, parse: fn(&str) -> Option<T>, expected: &str) -> Result<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        parse(text).map(Some).ok_or_else(|| Error::invalid(name, format!("expected {expected}")))
    }
}

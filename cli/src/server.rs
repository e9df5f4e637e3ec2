//! The server over HTTP: its address, the key, and the meaning of its failures.

use std::time::Duration;
use std::{env, fs};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use townwatch_protocol::error::Details;
use townwatch_protocol::event::ExitReason;
use townwatch_protocol::limits::BODY_BYTES_MAX;

use crate::arguments::ServerArguments;

/// The time limit of a request, from its first byte to the last byte of its answer.
const REQUEST_MAX: Duration = Duration::from_secs(30);
/// The longest wait that the server may order, two minutes. A longer order counts as this.
const AFTER_MAX: Duration = Duration::from_mins(2);
/// The time limit for a connection.
pub(crate) const CONNECT_MAX: Duration = Duration::from_secs(5);

/// A server with the right to ask it.
#[derive(Debug)]
pub(crate) struct Server {
    /// The server's address, without a slash at the end.
    pub(crate) base: String,
    authorization: String,
    http: ureq::Agent,
}

/// The reason for which a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No answer, or none from a server that works at present. A later try may succeed.
    Offline(String),
    /// The server is busy. A try after `after` may succeed.
    Busy { problem: String, after: Duration },
    /// The server refuses, and will until a person changes something.
    Refused(String),
    /// This content is not acceptable. Other content may be.
    Unacceptable(String),
    /// The run is over. The server takes nothing more of it.
    RunEnded { reason: ExitReason, problem: String },
    /// A proxy before the server takes no body of this size. A smaller one may pass.
    TooLargeOnTheWay(String),
    /// The body did not arrive in time. A smaller one may.
    TooSlow(String),
}

impl Server {
    /// The server of the arguments. The key is in the first of `variables` that is set.
    pub(crate) fn new(arguments: &ServerArguments, variables: &[&str]) -> Result<Self, String> {
        let base = arguments.url.trim_end_matches('/').to_owned();
        if !base.starts_with("http://") && !base.starts_with("https://") {
            return Err(format!("--url: {base:?} does not begin with http:// or https://"));
        }
        let key = match &arguments.key_file {
            Some(file) => {
                fs::read_to_string(file).map_err(|error| format!("--key-file {}: {error}", file.display()))?
            }
            None => variables.iter().find_map(|name| env::var(name).ok().filter(|key| !key.is_empty())).ok_or_else(
                || {
                    let names = variables.join(" or ");
                    format!(
                        "no key: set {names}, or name a file that holds it with --key-file. `npm run dev` keeps its key \
                         in .dev.vars as TOWNWATCH_API_KEY"
                    )
                },
            )?,
        };
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the key is empty, or has characters that no key has; is it the right file?".to_owned());
        }
        let http = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT_MAX))
            .timeout_global(Some(REQUEST_MAX))
            .build()
            .into();
        Ok(Self { base, authorization: format!("Bearer {key}"), http })
    }

    /// The text of a successful answer.
    pub(crate) fn get(&self, path: &str) -> Result<String, Failure> {
        let request = self.http.get(format!("{}{path}", self.base)).header("authorization", &self.authorization);
        self.answer(request.call())
    }

    /// The data of a successful answer.
    pub(crate) fn data<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        #[derive(Deserialize)]
        struct SuccessBody<T> {
            data: T,
        }
        let text = self.get(path)?;
        let unreadable = |error| Failure::Refused(format!("{}{path} answers what is none of it: {error}", self.base));
        serde_json::from_str::<SuccessBody<T>>(&text).map(|answer| answer.data).map_err(unreadable)
    }

    /// The text of a successful answer.
    pub(crate) fn post(&self, path: &str, json: &str) -> Result<String, Failure> {
        let request = self.http.post(format!("{}{path}", self.base)).header("authorization", &self.authorization);
        self.answer(request.header("content-type", "application/json").send(json))
    }

    /// The text of a successful answer.
    pub(crate) fn put(&self, path: &str, media_type: &str, bytes: &[u8]) -> Result<String, Failure> {
        let request = self.http.put(format!("{}{path}", self.base)).header("authorization", &self.authorization);
        self.answer(request.header("content-type", media_type).send(bytes))
    }

    fn answer(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<String, Failure> {
        let unreachable = |error: ureq::Error| Failure::Offline(format!("cannot reach {} ({error})", self.base));
        let mut answer = answer.map_err(unreachable)?;
        let text = answer.body_mut().read_to_string().map_err(unreachable)?;
        let (status, after) = (answer.status(), answer.headers().get("retry-after"));
        let after = after.and_then(|after| after.to_str().ok()).and_then(|after| after.trim().parse().ok());
        if status.is_success() { Ok(text) } else { Err(self.failure(status.as_u16(), after, &text)) }
    }

    /// The meaning of an answer that is no success. `after`: the seconds of its `Retry-After` header.
    pub(crate) fn failure(&self, status: u16, after: Option<u64>, body: &str) -> Failure {
        #[derive(Deserialize)]
        struct FailureBody {
            error: ReportedError,
        }
        #[derive(Deserialize)]
        struct ReportedError {
            code: String,
            message: String,
            #[serde(default)]
            details: Details,
        }
        let base = &self.base;
        let busy = |problem| Failure::Busy { problem, after: Duration::from_secs(after.unwrap_or(0)).min(AFTER_MAX) };
        let Ok(FailureBody { error: ReportedError { code, message, details } }) = serde_json::from_str(body) else {
            return match status {
                429 => busy(format!("{base} answers {status}")),
                408 | 500.. => Failure::Offline(format!("{base} answers {status}")),
                413 => Failure::TooLargeOnTheWay(format!(
                    "a proxy before {base} takes no request that large (413); let it take {} MiB (nginx: \
                     client_max_body_size {}m)",
                    BODY_BYTES_MAX >> 20,
                    BODY_BYTES_MAX >> 20
                )),
                _ => Failure::Refused(format!(
                    "{base} answers {status} and nothing that Townwatch would say; is that the right address? Set it with \
                     --url or TOWNWATCH_URL"
                )),
            };
        };
        match (status, code.as_str()) {
            (_, "request_timeout") => Failure::TooSlow(format!("{base}: {message} ({code})")),
            (429, _) => busy(format!("{base}: {message} ({code})")),
            (_, "ticket_invalid") | (408 | 500.., _) => Failure::Offline(format!("{base}: {message} ({code})")),
            (_, "run_ended") => Failure::RunEnded {
                reason: details.reason.unwrap_or(ExitReason::Stopped),
                problem: format!("{message} ({code})"),
            },
            (_, "invalid_request" | "too_large") => Failure::Unacceptable(format!("{message} ({code})")),
            (_, "unauthorized") => Failure::Refused(format!(
                "{base}: {message}. Set TOWNWATCH_API_KEY to the key that this server has; for `npm run dev` it is in .dev.vars"
            )),
            _ => Failure::Refused(format!("{base}: {message} ({code})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        let http = ureq::Agent::new_with_defaults();
        Server { base: "http://town".to_owned(), authorization: String::new(), http }
    }

    #[test]
    fn a_failure_is_tried_again_only_where_that_can_help() {
        let told = |code: &str| format!(r#"{{"success":false,"error":{{"code":"{code}","message":"m"}}}}"#);
        let kind = |status, body: &str| match server().failure(status, None, body) {
            Failure::Offline(_) => "offline",
            Failure::Busy { .. } => "busy",
            Failure::Refused(_) => "refused",
            Failure::Unacceptable(_) => "unacceptable",
            Failure::RunEnded { .. } => "run ended",
            Failure::TooLargeOnTheWay(_) => "too large on the way",
            Failure::TooSlow(_) => "too slow",
        };
        let cases = [
            (503, told("town_unavailable"), "offline"),
            (429, told("too_many_viewers"), "busy"),
            (429, "<html>".to_owned(), "busy"),
            (401, told("ticket_invalid"), "offline"),
            (502, "<html>".to_owned(), "offline"),
            (401, told("unauthorized"), "refused"),
            (401, told("token_expired"), "refused"),
            (401, told("token_revoked"), "refused"),
            (403, told("forbidden"), "refused"),
            (404, told("not_found"), "refused"),
            (409, told("run_ended"), "run ended"),
            (409, told("conflict"), "refused"),
            (404, "<html>".to_owned(), "refused"),
            (400, "<html>".to_owned(), "refused"),
            (301, String::new(), "refused"),
            (400, told("invalid_request"), "unacceptable"),
            (413, told("too_large"), "unacceptable"),
            (408, told("request_timeout"), "too slow"),
            (413, "<html><h1>413 Request Entity Too Large</h1>".to_owned(), "too large on the way"),
            (413, String::new(), "too large on the way"),
            (413, r#"{"error":"body limit"}"#.to_owned(), "too large on the way"),
        ];
        for (status, body, expected) in cases {
            assert_eq!(kind(status, &body), expected, "{status} {body}");
        }
    }

    #[test]
    fn who_is_told_to_come_again_waits_as_long_as_it_is_told_and_no_longer_than_two_minutes() {
        let told = r#"{"success":false,"error":{"code":"rate_limited","message":"m"}}"#;
        for (after, waits_s) in [(Some(37), 37), (None, 0), (Some(100_000), 120)] {
            let problem = "http://town: m (rate_limited)".to_owned();
            let expected = Failure::Busy { problem, after: Duration::from_secs(waits_s) };
            assert_eq!(server().failure(429, after, told), expected);
        }
    }
}

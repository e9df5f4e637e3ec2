//! The origin of a page: which pages may ask, and what to tell those that may not.

use townwatch_protocol::error::{Code, Error, Result};

use crate::access::auth::CredentialKind;

/// The rule for `Origin` on upgrades and on writes with a cookie.
///
/// `own` is the origin of the request's own URL. On this machine `localhost` and `127.0.0.1` are one host. Where no
/// origin is sent nothing but a cookie needs one: a program sends none, a browser always does.
pub fn check_origin(origin: Option<&str>, own: &str, allowed: &[String], credential: CredentialKind) -> Result<()> {
    let refusal = |message: String| Err(Error::new(Code::OriginNotAllowed, message));
    match origin {
        None if credential == CredentialKind::Cookie => refusal(
            "a cookie needs an Origin header beside it; without a browser use `Authorization: Bearer`".to_owned(),
        ),
        None => Ok(()),
        Some(origin) if is_one_host(origin, own) || allowed.iter().any(|one| one == origin) => Ok(()),
        Some(origin) => refusal(foreign(&origin.chars().take(200).collect::<String>(), own)),
    }
}

/// The refusal of a page of `origin`. It also helps the person who runs a proxy between the page and this Worker.
fn foreign(origin: &str, own: &str) -> String {
    let list = format!("put {origin:?} into the setting ALLOWED_ORIGINS");
    match (origin.split_once("://"), own.split_once("://")) {
        (Some((scheme, _)), Some((own_scheme, _))) if scheme == own_scheme => format!(
            "pages of {origin:?} may not ask here: this server was called as {own:?}. If a proxy stands in between, let it \
             pass on the Host header as it came (nginx: `proxy_set_header Host $http_host;`), or {list}"
        ),
        (Some((_, host)), Some((own_scheme, own_host))) if host == own_host => format!(
            "pages of {origin:?} may not ask here: this server was called by {own_scheme}. If a proxy takes off the \
             encryption, {list}"
        ),
        (Some(_), _) => format!("pages of {origin:?} may not ask here: this server was called as {own:?}; {list}"),
        _ => format!("a page of {origin:?} has no address and may not ask here; open the page from this server"),
    }
}

fn is_one_host(origin: &str, own: &str) -> bool {
    origin == own || matches!((on_loopback(origin), on_loopback(own)), (Some(one), Some(other)) if one == other)
}

/// Scheme and port of an origin on this machine.
fn on_loopback(origin: &str) -> Option<(&str, &str)> {
    let (scheme, authority) = origin.split_once("://")?;
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    matches!(host, "localhost" | "127.0.0.1").then_some((scheme, port))
}

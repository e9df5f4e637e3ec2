//! The dashboard's cookie: its name, and the headers that set it.

use townwatch_protocol::limits::SESSION_LIFE_MS;

/// The cookie's name, but for what an origin adds to it.
pub const SESSION_COOKIE: &str = "townwatch_session";

/// The `Set-Cookie` header that signs a browser in at this origin.
pub fn set(token: &str, origin: &str) -> String {
    header(token, SESSION_LIFE_MS / 1_000, origin)
}

/// The `Set-Cookie` header that signs it out.
pub fn clear(origin: &str) -> String {
    header("", 0, origin)
}

fn header(value: &str, max_age_seconds: i64, origin: &str) -> String {
    let secure = if is_https(origin) { "; Secure" } else { "" };
    let name = name_at(origin);
    format!("{name}={value}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite=Strict{secure}")
}

/// The cookie's name at an origin. A browser sends a cookie to all ports of a host, so each port has its own; and it takes
/// one that begins with `__Host-` from nobody but this very host.
pub(crate) fn name_at(origin: &str) -> String {
    let prefix = if is_https(origin) { "__Host-" } else { "" };
    let port = origin.rsplit_once(':').map(|(_, port)| port);
    match port.filter(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())) {
        Some(port) => format!("{prefix}{SESSION_COOKIE}_{port}"),
        None => format!("{prefix}{SESSION_COOKIE}"),
    }
}

fn is_https(origin: &str) -> bool {
    origin.starts_with("https://")
}

/// The values of the cookies of this name.
pub(crate) fn values<'a>(header: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    header.split(';').filter_map(move |pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

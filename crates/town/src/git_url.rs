//! Addresses of repositories. One that holds a password or token would be stored, and shown to everyone who may see the
//! town: so it is refused, and of one that was stored before the user and password are never shown.

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::event::EventKind;

/// Refuses an address that holds credentials, and says where they belong.
pub fn check(field: &str, url: &str) -> Result<()> {
    if credentials(url).is_none() {
        return Ok(());
    }
    Err(Error::invalid(
        field,
        "holds a user or password, which would be stored and shown; leave it out, and give it to git where the agent runs: an \
         SSH key, a credential helper, or for a container the AGENT_ENV_GIT_CONFIG_* secrets (README, \"Deploy\")",
    ))
}

/// The address without credentials.
pub fn shown(url: &str) -> String {
    match credentials(url) {
        Some((before, after)) => format!("{before}{after}"),
        None => url.to_owned(),
    }
}

/// The text of a stored event of this name, a `git_origin` in it without credentials: earlier builds stored one with them, and an
/// agent may post one. All else of it stays as it came.
pub fn event_shown(name: &str, text: String) -> String {
    const FIELD: &str = "\"git_origin\"";
    if name != EventKind::Session.as_str() {
        return text;
    }
    let (mut shown_event, mut rest) = (String::with_capacity(text.len()), text.as_str());
    while let Some(at) = rest.find(FIELD) {
        let (before, after) = rest.split_at(at + FIELD.len());
        shown_event.push_str(before);
        rest = after;
        let Some(value) = after.trim_start().strip_prefix(':') else { continue };
        let mut texts = serde_json::Deserializer::from_str(value).into_iter::<String>();
        let Some(Ok(url)) = texts.next() else { continue };
        if credentials(&url).is_some() {
            shown_event.push(':');
            shown_event.push_str(&serde_json::Value::from(shown(&url)).to_string());
            rest = &value[texts.byte_offset()..];
        }
    }
    shown_event.push_str(rest);
    shown_event
}

/// The text before and after the credentials of an address; `None` without credentials. Over SSH a user alone is the
/// account's name, mostly `git`; over HTTP it may be a token.
fn credentials(url: &str) -> Option<(&str, &str)> {
    let authority_at = url.find("://")? + 3;
    let (scheme, rest) = url.split_at(authority_at);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    let (user, _) = authority.rsplit_once('@')?;
    let is_ssh = scheme.to_ascii_lowercase().contains("ssh://");
    (!is_ssh || user.contains(':')).then(|| (scheme, &rest[user.len() + 1..]))
}

//! The variables that an agent's process gets.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::wire::StartAgent;

/// The variables of the control server that its agents get, too. All others, secrets above all, stay with the server.
const ALLOWED: &[&str] = &["PATH", "HOME", "LANG", "TERM", "TMPDIR", "USER", "SHELL"];
/// The prefix of variables that the control server gives to its agents alone. An agent gets `AGENT_ENV_X` as `X`.
const AGENT_PREFIX: &str = "AGENT_ENV_";

/// The variables that an agent's process gets, beside those of its order.
pub fn inherited() -> Vec<(OsString, OsString)> {
    let allowed = ALLOWED.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)));
    allowed.chain(given()).collect() // the later one of a name counts
}

/// The variables that are meant for agents alone, without their prefix.
fn given() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.to_str()?.strip_prefix(AGENT_PREFIX).filter(|rest| !rest.is_empty())?;
        Some((OsString::from(name), value))
    })
}

/// The variables of [`inherited`] that are valid text.
pub fn inherited_texts() -> impl Iterator<Item = (String, String)> {
    inherited().into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The variables of an order.
pub fn ordered(order: &StartAgent) -> impl Iterator<Item = (String, String)> {
    order.env_vars.iter().flatten().map(|(name, value)| (name.clone(), value.clone()))
}

/// The HOME of a run, if it is one that others use, too. A run with a user of its own has a new, empty HOME.
pub fn home(order: &StartAgent, has_own_user: bool) -> Option<PathBuf> {
    let inherited = inherited_texts().filter(|_| !has_own_user);
    let homes = inherited.chain(ordered(order)).filter(|(name, _)| name == "HOME");
    homes.last().map(|(_, home)| PathBuf::from(home))
}

/// Refuses names of secrets that name no variable, because a person would trust that they are hidden.
pub fn check_declared(order: &StartAgent) -> Result<()> {
    let is_known = |name: &String| {
        order.env_vars.as_ref().is_some_and(|variables| variables.contains_key(name))
            || given().any(|(given, _)| given == **name)
    };
    let mut declared = order.secret_env.iter().flatten().enumerate();
    declared.find(|(_, name)| !is_known(name)).map_or(Ok(()), |(index, name)| {
        let problem = format!("no variable {name:?}; name one of env_vars, or of AGENT_ENV_* without this prefix");
        Err(Error::invalid(&format!("secret_env[{index}]"), problem))
    })
}

/// Refuses variables that no process can have.
pub fn check(variables: Option<&BTreeMap<String, String>>) -> Result<()> {
    for (name, value) in variables.into_iter().flatten() {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            let problem = "a name is not empty and has no `=`; neither name nor value has a NUL character";
            return Err(Error::invalid(&format!("env_vars.{name}"), problem));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_no_process_can_have_are_refused_by_name() {
        let one = |name: &str, value: &str| check(Some(&BTreeMap::from([(name.to_owned(), value.to_owned())])));
        assert!(one("A", "b=c").is_ok());
        for (name, value) in [("", "x"), ("A=B", "x"), ("A\0", "x"), ("A", "\0")] {
            assert!(one(name, value).unwrap_err().message.starts_with("env_vars"));
        }
    }
}

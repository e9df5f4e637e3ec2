//! What an agent's process finds around it: its variables, its directory, its machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use townwatch_protocol::error::{Error, Result};
use townwatch_protocol::wire::StartAgent;

use crate::normalise::Place;

/// Variables of the control server that its agents get too. Everything else, its secrets first, stays with it.
const ALLOWED: &[&str] = &["PATH", "HOME", "LANG", "TERM", "TMPDIR", "USER", "SHELL"];
/// Variables of the control server that agents get without this prefix.
const AGENT_PREFIX: &str = "AGENT_ENV_";

/// The variables that an agent's process gets, beside those of its order.
pub fn inherited() -> Vec<(OsString, OsString)> {
    let allowed = ALLOWED.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)));
    allowed.chain(given()).collect() // the later one of a name counts
}

/// Those that are there for agents alone.
fn given() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.to_str()?.strip_prefix(AGENT_PREFIX).filter(|rest| !rest.is_empty())?;
        Some((OsString::from(name), value))
    })
}

/// Those of [`inherited`] that are text.
pub fn inherited_texts() -> impl Iterator<Item = (String, String)> {
    inherited().into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The variables of an order.
pub fn ordered(order: &StartAgent) -> impl Iterator<Item = (String, String)> {
    order.env_vars.iter().flatten().map(|(name, value)| (name.clone(), value.clone()))
}

/// The HOME that a run will have and others have, too. One that has a user of its own has a new one, in which nothing lies.
pub fn home(order: &StartAgent, has_own_user: bool) -> Option<PathBuf> {
    let inherited = inherited_texts().filter(|_| !has_own_user);
    let homes = inherited.chain(ordered(order)).filter(|(name, _)| name == "HOME");
    homes.last().map(|(_, home)| PathBuf::from(home))
}

/// Refuses names of secrets that are no variables: somebody would trust that they are hidden.
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

/// What can be told of the machine and of the directory without asking another program.
pub fn place(working_dir: &Path) -> Place {
    let names = rustix::system::uname();
    let git = find_git_dir(working_dir);
    let head = git.as_ref().and_then(|git| read_trimmed(&git.join("HEAD")));
    let branch = head.as_deref().and_then(|head| head.strip_prefix("ref: refs/heads/")).map(str::to_owned);
    let commit = match (&git, &branch, head) {
        (Some(git), Some(branch), _) => read_trimmed(&git.join("refs/heads").join(branch)),
        (Some(_), None, head) => head.filter(|head| head.bytes().all(|byte| byte.is_ascii_hexdigit())),
        _ => None,
    };
    Place {
        working_dir: Some(working_dir.to_string_lossy().into_owned()),
        hostname: Some(names.nodename().to_string_lossy().into_owned()),
        os: Some(std::env::consts::OS.to_owned()),
        in_container: Some(Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists()),
        branch,
        commit,
        git_origin: git.and_then(|git| origin(&std::fs::read_to_string(git.join("config")).ok()?)),
        takes_messages: false,
    }
}

fn find_git_dir(dir: &Path) -> Option<PathBuf> {
    dir.ancestors().map(|dir| dir.join(".git")).find(|git| git.is_dir())
}

fn read_trimmed(path: &Path) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.trim().to_owned())
}

/// The address of `origin`, without a user and password that may stand in it.
fn origin(config: &str) -> Option<String> {
    let section = config.split_once("[remote \"origin\"]")?.1;
    let lines = section.lines().map(str::trim).take_while(|line| !line.starts_with('['));
    let url = lines.filter_map(|line| line.strip_prefix("url")).find_map(|rest| rest.trim().strip_prefix('='))?.trim();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            Some(format!("{scheme}://{host}/{path}"))
        }
        None => Some(url.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_told_without_its_password() {
        let config =
            "[core]\n[remote \"origin\"]\n\turl = https://me:key@example.org/a/b.git\n[branch \"x\"]\n\turl = no";
        assert_eq!(origin(config).as_deref(), Some("https://example.org/a/b.git"));
        assert_eq!(
            origin("[remote \"origin\"]\n url = git@example.org:a.git").as_deref(),
            Some("git@example.org:a.git")
        );
        assert_eq!(origin("[remote \"other\"]\n url = x"), None);
    }

    #[test]
    fn variables_that_no_process_can_have_are_refused_by_name() {
        let one = |name: &str, value: &str| check(Some(&BTreeMap::from([(name.to_owned(), value.to_owned())])));
        assert!(one("A", "b=c").is_ok());
        for (name, value) in [("", "x"), ("A=B", "x"), ("A\0", "x"), ("A", "\0")] {
            assert!(one(name, value).unwrap_err().message.starts_with("env_vars"));
        }
    }
}

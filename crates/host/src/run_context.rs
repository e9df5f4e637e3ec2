//! Facts about the machine and a directory that need no other program.

use std::path::{Path, PathBuf};

use townwatch_agents::normalise::RunContext;

/// The context of an agent that works in this directory.
pub fn run_context_of(working_dir: &Path) -> RunContext {
    let names = rustix::system::uname();
    let git = find_git_dir(working_dir);
    let head = git.as_ref().and_then(|git| read_trimmed(&git.join("HEAD")));
    let branch = head.as_deref().and_then(|head| head.strip_prefix("ref: refs/heads/")).map(str::to_owned);
    let commit = match (&git, &branch, head) {
        (Some(git), Some(branch), _) => read_trimmed(&git.join("refs/heads").join(branch)),
        (Some(_), None, head) => head.filter(|head| head.bytes().all(|byte| byte.is_ascii_hexdigit())),
        _ => None,
    };
    RunContext {
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

/// The address of `origin`, without user and password.
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
}

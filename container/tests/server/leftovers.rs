//! Whatever an agent starts ends with its run, and whatever a control server runs ends with it, however that ends.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::common::{Server, until};

/// Nothing is left after this.
const LEFT_MAX: Duration = Duration::from_secs(10);
/// The time that runs are given where they are to end by it: all have to be at work before.
const TIMEOUT_SECONDS: u64 = 12;

/// What agents do, each with a number in place of `T` by which its processes are found. npm is under a shell of its own.
const KINDS: [(&str, &str); 8] = [
    ("own-group", "exec bash -c 'set -m; sleep T & wait'"),
    ("own-session", "setsid sleep T & wait"),
    ("double-fork", "(setsid sh -c 'sleep T & exit' &); exec sleep T"),
    ("ignores-the-signal", "trap '' TERM; sleep T & while :; do sleep T; done"),
    ("prints", "sleep T & while :; do echo a line; sleep 0.05; done"),
    ("silent", "exec sleep T"),
    ("npm", r#"echo '{"scripts":{"hang":"sleep T"}}' > package.json; npm run --silent hang"#),
    ("shells", "sh -c 'sh -c \"sleep T; true\"; true'; true"),
];

/// The variables of servers without and with sandboxes; the latter where this machine has them.
fn worlds() -> Vec<&'static [(&'static str, &'static str)]> {
    const SHUT_IN: &[(&str, &str)] = &[("CONTROL_SANDBOX", "bubblewrap")];
    let trial = Command::new("bwrap").args(["--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "true"]).status();
    if trial.is_ok_and(|status| status.success()) {
        return vec![&[], SHUT_IN];
    }
    eprintln!("not tried in sandboxes: bubblewrap is not installed here, or may not make any");
    vec![&[]]
}

/// The runs of a test, and the numbers in their processes' words.
struct Runs(Vec<String>);

impl Runs {
    /// Starts a run of each kind, and waits until all are at work.
    fn start(server: &Server, timeout_seconds: Option<u64>) -> Self {
        let numbers = KINDS.map(|(kind, script)| {
            let number = number();
            let command = ["sh", "-c", &script.replace('T', &number)];
            let mut order = json!({"runtime": "process", "command": command});
            if let Some(seconds) = timeout_seconds {
                order["timeout_seconds"] = seconds.into();
            }
            assert_eq!(server.order(kind, &format!("run-of-{kind}"), order).0, 200);
            number
        });
        let runs = Self(numbers.into());
        until("all are at work", || runs.at_work().len() == KINDS.len());
        runs
    }

    /// The numbers for which a `sleep` lives.
    fn at_work(&self) -> BTreeSet<&str> {
        let living = commands();
        let sleeps =
            |number: &&String| living.iter().any(|words| words.starts_with(&["sleep".to_owned(), (*number).clone()]));
        self.0.iter().filter(sleeps).map(String::as_str).collect()
    }

    /// What lives of them, in its own words.
    fn left(&self) -> Vec<Vec<String>> {
        let is_theirs =
            |words: &Vec<String>| words.iter().any(|word| self.0.iter().any(|number| word.contains(number)));
        commands().into_iter().filter(is_theirs).collect()
    }

    fn are_gone_within(&self, limit: Duration) {
        let begun = Instant::now();
        while !self.left().is_empty() {
            assert!(begun.elapsed() < limit, "after {limit:?} there are left: {:#?}", self.left());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A number of seconds that stands in no other process's words.
fn number() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("3000.{:07}{:04}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The words of all processes that live; those that nobody has waited for yet have none.
fn commands() -> Vec<Vec<String>> {
    let read = |entry: std::fs::DirEntry| {
        let text = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
        Some(text.split_terminator('\0').map(str::to_owned).collect())
    };
    std::fs::read_dir("/proc").unwrap().flatten().filter_map(read).collect()
}

fn signal(signal: &str, process_id: u32) {
    assert!(Command::new("kill").args([signal, &process_id.to_string()]).status().unwrap().success());
}

/// The process that ends what a server leaves.
fn guard_of(server: &Server) -> u32 {
    let children = format!("/proc/{0}/task/{0}/children", server.child.id());
    let children = std::fs::read_to_string(children).unwrap();
    let is_guard = |id: &&str| std::fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap().contains("\0guard\0");
    children.split_whitespace().find(is_guard).unwrap().parse().unwrap()
}

#[test]
fn a_stop_leaves_nothing() {
    for variables in worlds() {
        let server = Server::start_with(variables);
        let runs = Runs::start(&server, None);
        for (kind, _) in KINDS {
            server.post(&format!("/agents/{kind}/stop"), "");
        }
        runs.are_gone_within(LEFT_MAX);
        for (kind, _) in KINDS {
            server.settled(kind);
            assert_eq!(server.get(&format!("/agents/{kind}/status")).1["exit"]["reason"], "stopped", "{kind}");
        }
    }
}

#[test]
fn a_timeout_leaves_nothing() {
    for variables in worlds() {
        let server = Server::start_with(variables);
        let runs = Runs::start(&server, Some(TIMEOUT_SECONDS));
        runs.are_gone_within(Duration::from_secs(TIMEOUT_SECONDS) + LEFT_MAX);
        for (kind, _) in KINDS {
            server.settled(kind);
            assert_eq!(server.get(&format!("/agents/{kind}/status")).1["exit"]["reason"], "timeout", "{kind}");
        }
    }
}

#[test]
fn a_server_that_is_asked_to_end_leaves_nothing() {
    for variables in worlds() {
        let mut server = Server::start_with(variables);
        let runs = Runs::start(&server, None);
        signal("-TERM", server.child.id());
        runs.are_gone_within(LEFT_MAX);
        assert!(server.child.wait().unwrap().success());
    }
}

#[test]
fn a_server_that_is_killed_leaves_nothing() {
    for variables in worlds() {
        let mut server = Server::start_with(variables);
        let runs = Runs::start(&server, None);
        server.child.kill().unwrap();
        runs.are_gone_within(LEFT_MAX);
    }
}

#[test]
fn what_a_killed_server_left_with_its_guard_gone_too_is_ended_before_the_next_one_can_be_asked() {
    let mut server = Server::start();
    let runs = Runs::start(&server, None);
    signal("-KILL", guard_of(&server));
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    // Who printed for it is gone with its pipe.
    assert!(runs.at_work().len() >= KINDS.len() - 1, "{:?}", runs.left());
    let (_next, log) = Server::start_logged(&[]);
    assert_eq!(runs.left(), Vec::<Vec<String>>::new());
    until("it is said", || !log("leftovers_ended").is_empty());
    let run_ids = log("leftovers_ended").remove(0)["run_ids"].clone();
    assert!(run_ids.as_array().unwrap().contains(&json!("run-of-silent")), "{run_ids}");
}

#[test]
fn a_server_leaves_what_another_living_one_runs() {
    let server = Server::start();
    let runs = Runs::start(&server, None);
    drop(Server::start());
    assert_eq!(runs.at_work().len(), KINDS.len());
}

/// A script that leaves a process with neither mark nor parent.
fn hides(number: &str) -> String {
    format!("env -i PATH=\"$PATH\" sh -c '(setsid sh -c \"sleep {number} & exit\" &)'; exec sleep {number}")
}

#[test]
fn what_has_neither_mark_nor_parent_goes_with_the_last_run_and_nobody_is_left_unburied() {
    let server = Server::start();
    let (hidden, other) = (number(), number());
    server.shell("hides", &hides(&hidden));
    server.shell("other", &format!("exec sleep {other}"));
    let runs = Runs(vec![hidden, other]);
    until("all are at work", || runs.at_work().len() == 2);
    for agent in ["hides", "other"] {
        server.post(&format!("/agents/{agent}/stop"), "");
        server.ended(agent);
    }
    runs.are_gone_within(Duration::ZERO);
    let unburied = || {
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", server.child.id())).unwrap();
        children.split_whitespace().count()
    };
    until("only its guard is a child of the server", || unburied() == 1);
}

/// Whether each run has a cgroup of its own; if not, that is said.
fn has_cgroups(server: &Server) -> bool {
    let has = server.get("/health").1["runs"]["cgroup"] == true;
    if !has {
        eprintln!("skipped: no cgroup v2 that may be written to");
    }
    has
}

#[test]
fn what_has_neither_mark_nor_parent_goes_with_its_own_run_where_that_has_a_cgroup() {
    let server = Server::start();
    if !has_cgroups(&server) {
        return;
    }
    let (hidden, other) = (number(), number());
    server.shell("hides", &format!("sleep 0.3; {}", hides(&hidden)));
    server.shell("other", &format!("exec sleep {other}"));
    let runs = Runs(vec![hidden, other.clone()]);
    until("all are at work", || runs.at_work().len() == 2);
    server.post("/agents/hides/stop", "");
    server.ended("hides");
    let left = runs.left();
    assert!(left.iter().all(|words| words.contains(&other)) && !left.is_empty(), "{left:?}");
}

#[test]
fn what_has_neither_mark_nor_parent_and_lost_its_server_is_ended_by_the_guard_or_the_next_server() {
    for kills_guard in [false, true] {
        let mut server = Server::start();
        if !has_cgroups(&server) {
            return;
        }
        let runs = Runs(vec![number()]);
        server.shell("hides", &format!("sleep 0.3; {}", hides(&runs.0[0])));
        until("it is at work", || commands().iter().filter(|words| words.contains(&runs.0[0])).count() >= 2);
        if kills_guard {
            signal("-KILL", guard_of(&server));
        }
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        if kills_guard {
            assert!(!runs.left().is_empty());
            drop(Server::start());
            runs.are_gone_within(Duration::ZERO);
        } else {
            runs.are_gone_within(LEFT_MAX);
        }
    }
}

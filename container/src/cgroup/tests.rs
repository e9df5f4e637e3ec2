//! On the real thing, where this machine has it.

use super::*;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A cgroup of a test's own, as the one that a server finds itself in.
struct Ground(PathBuf);

impl Ground {
    /// `None`, with words, where there is no cgroup v2 that may be written to.
    fn find(test: &str) -> Option<Self> {
        let made = own_dir().ok_or_else(|| "no cgroup v2 is mounted".to_owned()).and_then(|own| {
            let dir = own.join(format!("townwatch-test-{test}-{}", std::process::id()));
            fs::create_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
            Ok(Self(dir))
        });
        made.inspect_err(|problem| eprintln!("skipped: {problem}")).ok()
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        end(&self.0);
    }
}

fn limits() -> RunLimits {
    RunLimits::read(&|_| None).unwrap()
}

fn run(name: &str) -> RunId {
    RunId::parse(name).unwrap()
}

/// A process that has a child in a session of its own, without environment or parent.
fn hidden() -> (Child, i32) {
    let script = "env -i setsid sh -c 'sleep 300 & echo $!; exec >&-; wait' & exec sleep 300";
    let mut child = Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

fn lives(id: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

#[test]
fn all_of_a_run_ends_with_its_cgroup_and_nothing_else() {
    let Some(ground) = Ground::find("ends") else { return };
    let cgroups = Cgroups::below(&ground.0).unwrap();
    let (one, other) = (cgroups.make(&run("r"), &limits()).unwrap(), cgroups.make(&run("r"), &limits()).unwrap());
    let mut children = Vec::new();
    for cgroup in [&one, &other] {
        let mut child = Command::new("sh")
            .args(["-c", "read go; setsid sleep 300 & exec sleep 300"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        cgroup.take(i32::try_from(child.id()).unwrap()).unwrap();
        drop(child.stdin.take()); // from here on it starts others
        while fs::read_to_string(cgroup.dir.join("cgroup.procs")).unwrap().lines().count() < 2 {
            std::thread::sleep(Duration::from_millis(5));
        }
        children.push(child);
    }
    let dir = one.dir.clone();
    drop(one);
    assert!(!dir.exists(), "it is taken away");
    assert!(!children[0].wait().unwrap().success());
    assert!(children[1].try_wait().unwrap().is_none(), "the other run goes on");
    other.kill();
    assert!(!children[1].wait().unwrap().success());
    let server = cgroups.dir().to_owned();
    drop((other, cgroups));
    assert!(!server.exists());
}

#[test]
fn what_a_server_that_is_gone_left_is_ended_also_below_what_it_made_and_a_living_ones_is_not() {
    let Some(ground) = Ground::find("left") else { return };
    let mut ended = Command::new("true").spawn().unwrap();
    let gone =
        ServerMark::own().to_string().replacen(&format!(".{}.", std::process::id()), &format!(".{}.", ended.id()), 1);
    ended.wait().unwrap();
    let left = ground.0.join(format!("{NAME_PREFIX}{gone}"));
    let inner = left.join(format!("{RUN_PREFIX}r-1/of-an-agent"));
    fs::create_dir_all(&inner).unwrap();
    let (mut child, hidden) = hidden();
    for id in [i32::try_from(child.id()).unwrap(), hidden] {
        fs::write(inner.join("cgroup.procs"), id.to_string()).unwrap();
    }
    let living = Cgroups::below(&ground.0).unwrap();
    assert!(!left.exists());
    assert!(!child.wait().unwrap().success());
    assert!(!lives(hidden));
    sweep(&ground.0);
    assert!(living.dir().exists());
}

#[test]
fn a_cgroup_is_found_in_the_mounts() {
    let mounts = "22 1 0:20 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                  30 1 0:26 /outer /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw";
    assert_eq!(own_dir_of("/outer/unit", mounts), Some(PathBuf::from("/sys/fs/cgroup/unit")));
    for (path, mounts) in [("/other", mounts), ("/..", mounts), ("/outer", &mounts[..40])] {
        assert_eq!(own_dir_of(path, mounts), None, "{path}");
    }
}

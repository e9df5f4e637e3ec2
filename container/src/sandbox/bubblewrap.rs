//! A sandbox for each run, made by bubblewrap. Its processes see the system's programs, the run's own working directory
//! and HOME, only their own processes, and the network.
//!
//! Everything visible is named in a list, so everything else is hidden. But the system's folders may contain a person's
//! HOME, the project, or the other runs; these are covered.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use townwatch_protocol::runtime::Runtime;

use crate::search_path::find_on_path;
use crate::setting;

/// The folders that every program on this machine needs to see. A folder that does not exist is left out.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/nix",
    "/run/current-system",
    "/run/systemd/resolve",
    "/sys/fs/cgroup",
];
/// The options that take everything away except the network, without which no agent reaches its model.
const WALLS: &[&str] = &[
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-cgroup-try",
    // The sandbox ends with the control server, and its processes cannot type into the terminal in which the server was
    // started.
    "--die-with-parent",
    "--new-session",
    // If the server is root, the agents are root, too, but without root's rights.
    "--cap-drop",
    "ALL",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
];
/// The time limit of the trial sandbox at the start of the server, 10 s.
const TRIAL_LIMIT: Duration = Duration::from_secs(10);

/// The settings of the sandbox of each run.
#[derive(Debug, Clone)]
pub struct Bubblewrap {
    program: PathBuf,
    /// The HOME of the person whose control server this is. A run finds its own HOME under the same path.
    home: PathBuf,
    /// The folders that stay hidden even inside the system's folders: the folder in which the server was started (in
    /// development the project, with its keys), and the directories of all runs.
    covered: Vec<PathBuf>,
    /// The folders that agents may read: those of `PATH`, and those of the setting.
    readable: Vec<PathBuf>,
}

/// The folders that belong to one run.
#[derive(Debug)]
pub struct Places<'a> {
    /// The run's working directory.
    pub dir: &'a Path,
    /// The folder that the run sees as its HOME. The run's `/tmp` is `tmp` in this folder.
    pub home: &'a Path,
}

impl Bubblewrap {
    /// Reads `HOME`, `PATH` and `CONTROL_SANDBOX_READABLE`, and finds `bwrap`. The error is a sentence for a person.
    pub(super) fn read(variable: impl Fn(&str) -> Option<String>, work_dir: &Path) -> Result<Self, String> {
        let program = find_on_path("bwrap").ok_or(
            "CONTROL_SANDBOX: bubblewrap is not installed (there is no `bwrap` on PATH): sudo apt-get install bubblewrap, \
             sudo dnf install bubblewrap or sudo pacman -S bubblewrap; it is there for Linux only",
        )?;
        let home = variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute() && home.parent().is_some());
        let home = home.ok_or("HOME: has to name a folder where CONTROL_SANDBOX is bubblewrap")?;
        let here =
            std::env::current_dir().map_err(|error| format!("cannot tell where this program was started: {error}"))?;
        let covered = [here, work_dir.to_owned()].into_iter().filter(|folder| folder.parent().is_some()).collect();
        let mut this = Self { program, home, covered, readable: Vec::new() };
        let named = variable(setting::SANDBOX_READABLE.name).unwrap_or_default();
        let named: Vec<_> = std::env::split_paths(&named).filter(|path| !path.as_os_str().is_empty()).collect();
        if let Some(folder) = named.iter().find(|folder| !this.may_show(folder)) {
            return Err(format!(
                "CONTROL_SANDBOX_READABLE: expected whole paths of folders in which neither HOME nor the control server's \
                 own folders lie, not {}",
                folder.display()
            ));
        }
        let path = variable("PATH").unwrap_or_default();
        let searched = std::env::split_paths(&path).filter(|folder| this.may_show(folder));
        this.readable = searched.chain(named).collect();
        Ok(this)
    }

    /// Starts a sandbox in which nothing happens. The error is the reason why that is not possible, for a person.
    pub async fn try_out(&self) -> Result<(), String> {
        let mut command = Command::new(&self.program);
        command.args(WALLS).args(SYSTEM.iter().flat_map(|folder| ["--ro-bind-try", folder, folder]));
        command.args(["--", "/bin/sh", "-c", "exit 0"]).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(TRIAL_LIMIT, command.output()).await;
        let said = match output {
            Ok(Ok(output)) if output.status.success() => return Ok(()),
            Ok(Ok(output)) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("nothing within {} s", TRIAL_LIMIT.as_secs()),
        };
        Err(format!(
            "CONTROL_SANDBOX: bubblewrap is installed, but this system does not let it make a sandbox (it says: {said}); \
             allow user namespaces (sysctl user.max_user_namespaces; on Ubuntu 24.04 and newer also \
             kernel.apparmor_restrict_unprivileged_userns, or a profile for bwrap), or use the container's image"
        ))
    }

    /// Makes the command that runs a program in a sandbox of its own.
    pub fn command(&self, places: &Places<'_>, runtime: Runtime, program: &Path, arguments: &[String]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(WALLS).args(self.view(places, runtime, program));
        command.arg("--chdir").arg(places.dir).arg("--").arg(program).args(arguments);
        command
    }

    /// Sets the variables of a process in a sandbox. Its HOME has the same path as the person's.
    pub fn dress(&self, command: &mut Command) {
        command.env("HOME", &self.home).env("TMPDIR", "/tmp");
    }

    /// The mounts of a run, in their order: a later one covers an earlier one.
    fn view(&self, places: &Places<'_>, runtime: Runtime, program: &Path) -> Vec<OsString> {
        let mut view = FileSystemArguments::default();
        for folder in SYSTEM {
            view.mount("--ro-bind-try", folder, folder);
        }
        view.mount("--bind", places.home.join("tmp"), "/tmp");
        view.mount("--symlink", "/tmp", "/var/tmp");
        // The outer folder comes first, because a later mount covers everything below it.
        let covers = self.covered.iter().map(PathBuf::as_path).chain([self.home.as_path()]).collect::<BTreeSet<_>>();
        for folder in &covers {
            if *folder == self.home {
                view.mount("--bind", places.home, folder);
            } else {
                view.option("--tmpfs", folder);
            }
        }
        let shown = self.readable.iter().cloned().chain(self.around(runtime, program)).collect::<BTreeSet<_>>();
        for path in &shown {
            view.mount("--ro-bind-try", path, path);
        }
        if let Some(program) = runtime.program() {
            let files = program.home_files;
            for (mount, files) in [("--bind-try", files.login), ("--ro-bind-try", files.settings)] {
                files.iter().map(|file| self.home.join(file)).for_each(|file| view.mount(mount, &file, &file));
            }
        }
        view.mount("--bind", places.dir, places.dir);
        // A folder that only covers another takes no files.
        covers.iter().filter(|folder| **folder != self.home).for_each(|folder| view.option("--remount-ro", folder));
        view.option("--remount-ro", "/");
        view.0
    }

    /// The files around a program that it needs, for a program of ours or of a runtime: for a command from npm the
    /// packages beside it.
    fn around(&self, runtime: Runtime, program: &Path) -> Vec<PathBuf> {
        if runtime == Runtime::Process {
            return Vec::new();
        }
        let Ok(file) = program.canonicalize() else { return Vec::new() };
        let packages = file.ancestors().filter(|folder| folder.file_name() == Some(OsStr::new("node_modules"))).last();
        let folder = packages.or_else(|| file.parent().filter(|_| runtime != Runtime::Replay));
        let folder = folder.filter(|folder| self.may_show(folder)).map(Path::to_owned);
        folder.into_iter().chain([file.clone()]).collect()
    }

    /// Whether a folder can be shown without showing a hidden one.
    fn may_show(&self, folder: &Path) -> bool {
        let hides = |path: &Path| path.starts_with(folder);
        folder.is_absolute() && !hides(&self.home) && !self.covered.iter().any(|path| hides(path))
    }
}

/// The arguments of bubblewrap that make the visible file system.
#[derive(Default)]
struct FileSystemArguments(Vec<OsString>);

impl FileSystemArguments {
    fn option(&mut self, word: &str, path: impl AsRef<OsStr>) {
        self.0.extend([word.into(), path.as_ref().to_owned()]);
    }

    fn mount(&mut self, how: &str, from: impl AsRef<OsStr>, to: impl AsRef<OsStr>) {
        self.option(how, from);
        self.0.push(to.as_ref().to_owned());
    }
}

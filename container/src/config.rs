//! The configuration, read from the variables of the environment.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use townwatch_protocol::control_key::PublicControlKey;

use crate::buffer::Bounds;
use crate::capacity::Capacity;
use crate::run_limits::RunLimits;
use crate::sandbox::Sandbox;
use crate::setting::{self, NumberSetting};
use crate::users::Users;

const SECONDS_PER_DAY: u64 = 86_400;

/// The settings of a control server.
#[derive(Clone)]
pub struct Config {
    /// The address to listen on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The key that verifies the Worker's calls. Nothing can be signed with it.
    pub public_key: PublicControlKey,
    /// The users that agents run as; `None` where they run as this server's own user.
    pub users: Option<Arc<Users>>,
    /// The wall between agents and this machine.
    pub sandbox: Sandbox,
    /// The folder in which each run gets a working directory of its own.
    pub work_dir: PathBuf,
    /// The time for which a run's working directory stays after the run's end.
    pub work_dir_kept: Duration,
    /// The path of this program, which prints recordings as a child process.
    pub own_program: PathBuf,
    /// The time for which an agent waits for the next message. After it the run has completed.
    pub waiting_max: Duration,
    /// The lease: the time without a request after which the runs of a town are ended.
    pub lease: Duration,
    /// The bounds on open runs.
    pub capacity: Capacity,
    /// The bounds of each run.
    pub run_limits: RunLimits,
    /// The bounds of each town's buffer.
    pub bounds: Bounds,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("listen", &self.listen).field("work_dir", &self.work_dir).finish_non_exhaustive()
    }
}

impl Config {
    /// Reads the variables of [`setting`]. The error is a sentence for a person.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let port = u16::try_from(setting::PORT.read(&variable)?).map_err(|error| error.to_string())?;
        let host = match variable(setting::HOST.name) {
            None => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Some(text) => text.parse().map_err(|_| format!("CONTROL_HOST: expected an IP address, not {text:?}"))?,
        };
        let seconds = |setting: NumberSetting| setting.read(&variable).map(Duration::from_secs);
        let waiting_max = seconds(setting::WAITING_SECONDS)?;
        let lease = seconds(setting::LEASE_SECONDS)?;
        let (capacity, run_limits) = (Capacity::read(&variable)?, RunLimits::read(&variable)?);
        let public_key = match variable(setting::PUBLIC_KEY.name).as_deref().map(str::trim) {
            None | Some("") => Err("is not set"),
            Some(text) => PublicControlKey::parse(text).ok_or("is not 64 hexadecimal digits"),
        };
        let public_key = public_key.map_err(|problem| {
            format!("CONTROL_PUBLIC_KEY {problem}; make a pair with `npm run key`: the Worker has the other half")
        })?;
        let own_program =
            std::env::current_exe().map_err(|error| format!("cannot tell where this program is: {error}"))?;
        let work_dir = work_dir(&variable, port)?;
        let keep_days = setting::KEEP_DAYS.read(&variable)?;
        let users = variable(setting::AGENT_USERS.name).filter(|text| !text.trim().is_empty());
        let users = users.map(|text| Users::read(&text, &work_dir)).transpose()?;
        let sandbox = Sandbox::read(&variable, &work_dir)?;
        if users.is_some() && matches!(sandbox, Sandbox::Bubblewrap(_)) {
            return Err("CONTROL_SANDBOX: bubblewrap and CONTROL_AGENT_USERS do the same; set one of them".to_owned());
        }
        Ok(Self {
            listen: SocketAddr::new(host, port),
            public_key,
            users,
            sandbox,
            work_dir,
            work_dir_kept: Duration::from_secs(keep_days * SECONDS_PER_DAY),
            own_program,
            waiting_max,
            lease,
            capacity,
            run_limits,
            bounds: Bounds::default(),
        })
    }

    /// Whether no run can reach another run or this server.
    pub fn are_apart(&self) -> bool {
        self.users.is_some() || matches!(self.sandbox, Sandbox::Bubblewrap(_))
    }
}

/// The folder of runs: the setting, or by default a folder in the person's own state, where no other user can put
/// anything first. Each port has its own folder, because two servers cannot share one.
fn work_dir(variable: impl Fn(&str) -> Option<String>, port: u16) -> Result<PathBuf, String> {
    let path = |name: &str| variable(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    if let Some(work_dir) = path(setting::WORK_DIR.name) {
        return Ok(work_dir);
    }
    let state = path("XDG_STATE_HOME").filter(|state| state.is_absolute());
    let state = state.or_else(|| Some(path("HOME")?.join(".local/state")));
    let state = state.ok_or("CONTROL_WORK_DIR: name the folder in which agents are to work, since HOME names none")?;
    Ok(state.join("townwatch").join(format!("control-{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Permissions;

    /// The public half of RFC 8032, test 1.
    const KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        let all = [&[("HOME", "/home/me")], variables].concat();
        Config::read(|name| all.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_missing_or_broken_key_is_refused_by_name() {
        for key in ["", " ", "d75a", &KEY[1..], &KEY.to_uppercase(), &KEY.replace('d', "x")] {
            assert!(read(&[("CONTROL_PUBLIC_KEY", key)]).unwrap_err().starts_with("CONTROL_PUBLIC_KEY is"), "{key:?}");
        }
        assert!(read(&[("CONTAINER_TOKEN", "9f2c41d07be8a6355c")]).is_err(), "a token is no key");
        let config = read(&[("CONTROL_PUBLIC_KEY", KEY)]).unwrap();
        assert_eq!((config.listen.to_string().as_str(), config.users.is_none()), ("127.0.0.1:8788", true));
    }

    #[test]
    fn a_bad_number_is_refused_by_name() {
        for (name, value) in [
            ("CONTROL_PORT", "70000"),
            ("CONTROL_PORT", "x"),
            ("CONTROL_HOST", "here"),
            ("CONTROL_WAITING_SECONDS", "-1"),
            ("CONTROL_LEASE_SECONDS", "0"),
            ("CONTROL_LEASE_SECONDS", "soon"),
            ("CONTROL_AGENT_USERS", "agents"),
            ("CONTROL_KEEP_DAYS", "0"),
            ("CONTROL_SANDBOX", "yes"),
            ("CONTROL_RUNS_MAX", "0"),
            ("CONTROL_RUNS_MAX", "many"),
            ("CONTROL_DISK_FREE_MIN_BYTES", "1 GB"),
            ("CONTROL_RUN_FILE_BYTES_MAX", "134217727"),
            ("CONTROL_RUN_MEMORY_BYTES_MAX", "-1"),
            ("CONTROL_RUN_PROCESSES_MAX", "1023"),
            ("CONTROL_RUN_PROCESSES_MAX", "4194305"),
        ] {
            assert!(read(&[("CONTROL_PUBLIC_KEY", KEY), (name, value)]).unwrap_err().starts_with(name));
        }
    }

    #[test]
    fn runs_work_where_a_person_keeps_state_and_each_port_has_its_own() {
        let work_dir = |variables: &[(&str, &str)]| {
            let config = read(&[&[("CONTROL_PUBLIC_KEY", KEY)], variables].concat()).unwrap();
            config.work_dir.to_str().unwrap().to_owned()
        };
        assert_eq!(work_dir(&[]), "/home/me/.local/state/townwatch/control-8788");
        assert_eq!(work_dir(&[("XDG_STATE_HOME", "/s"), ("CONTROL_PORT", "8798")]), "/s/townwatch/control-8798");
        assert_eq!(work_dir(&[("XDG_STATE_HOME", "not/whole")]), "/home/me/.local/state/townwatch/control-8788");
        assert_eq!(work_dir(&[("CONTROL_WORK_DIR", "/work")]), "/work");
        assert!(read(&[("CONTROL_PUBLIC_KEY", KEY), ("HOME", "")]).unwrap_err().starts_with("CONTROL_WORK_DIR"));
    }

    #[test]
    fn agents_ask_unless_it_is_said_that_there_is_a_sandbox() {
        let permissions = |variables: &[(&str, &str)]| {
            read(&[&[("CONTROL_PUBLIC_KEY", KEY)], variables].concat()).unwrap().sandbox.permissions()
        };
        for off in [&[][..], &[("CONTROL_SANDBOX", "")], &[("CONTROL_SANDBOX", "0")]] {
            assert_eq!(permissions(off), Permissions::Ask, "{off:?}");
        }
        assert_eq!(permissions(&[("CONTROL_SANDBOX", "1")]), Permissions::All);
    }
}

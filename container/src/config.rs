//! What the environment sets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use townwatch::core::settings::secret_problem;

use crate::buffer::Bounds;

/// The port where `CONTROL_PORT` names none.
const PORT_DEFAULT: u16 = 8788;
/// How long an agent whose turn is over is waited for where `CONTROL_WAITING_SECONDS` says nothing: time to read what it
/// did and to tell it more, and not so much that it costs.
const WAITING_DEFAULT: Duration = Duration::from_mins(5);
/// The settings of a control server.
#[derive(Clone)]
pub struct Config {
    /// Where it listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// What every caller has to show.
    pub token: String,
    /// Under it each run gets a working directory of its own.
    pub work_dir: PathBuf,
    /// This program, which prints recordings as a child process.
    pub own_program: PathBuf,
    /// An agent that takes messages waits so long for the next one; then its run has completed.
    pub waiting_max: Duration,
    /// The bounds of each town's buffer.
    pub bounds: Bounds,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("listen", &self.listen).field("work_dir", &self.work_dir).finish_non_exhaustive()
    }
}

impl Config {
    /// Reads `CONTROL_PORT`, `CONTROL_HOST`, `CONTROL_WORK_DIR`, `CONTROL_WAITING_SECONDS` and `CONTAINER_TOKEN`; what is wrong, for a person.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let port = match variable("CONTROL_PORT") {
            None => PORT_DEFAULT,
            Some(text) => text.parse().map_err(|_| format!("CONTROL_PORT: expected 0 to 65535, not {text:?}"))?,
        };
        let host = match variable("CONTROL_HOST") {
            None => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Some(text) => text.parse().map_err(|_| format!("CONTROL_HOST: expected an IP address, not {text:?}"))?,
        };
        let waiting_max = match variable("CONTROL_WAITING_SECONDS") {
            None => WAITING_DEFAULT,
            Some(text) => text
                .parse::<u32>()
                .map(|seconds| Duration::from_secs(seconds.into()))
                .map_err(|_| format!("CONTROL_WAITING_SECONDS: expected a number of seconds, not {text:?}"))?,
        };
        let token = variable("CONTAINER_TOKEN").map(|token| token.trim().to_owned()).unwrap_or_default();
        let problem = if token.is_empty() { Some("is not set".to_owned()) } else { secret_problem(&token) };
        if let Some(problem) = problem {
            return Err(format!(
                "CONTAINER_TOKEN {problem}; set it to a random secret, the same as the Worker's (openssl rand -hex 32)"
            ));
        }
        let own_program =
            std::env::current_exe().map_err(|error| format!("cannot tell where this program is: {error}"))?;
        let work_dir =
            variable("CONTROL_WORK_DIR").map_or_else(|| std::env::temp_dir().join("townwatch-control"), PathBuf::from);
        Ok(Self {
            listen: SocketAddr::new(host, port),
            token,
            work_dir,
            own_program,
            waiting_max,
            bounds: Bounds::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "9f2c41d07be8a6355c";

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        Config::read(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_missing_or_sample_token_is_refused_by_name() {
        for token in [
            "",
            " ",
            "changeme",
            "CHANGE-ME",
            "<token>",
            "your-token-here",
            "k3y",
            "fifteen-letters",
            "k3y with spaces in it",
        ] {
            assert!(read(&[("CONTAINER_TOKEN", token)]).unwrap_err().contains("CONTAINER_TOKEN"), "{token:?}");
        }
        let too_short = read(&[("CONTAINER_TOKEN", "k3y")]).unwrap_err();
        assert!(too_short.starts_with("CONTAINER_TOKEN is shorter than 16 characters"), "{too_short}");
        assert_eq!(read(&[("CONTAINER_TOKEN", TOKEN)]).unwrap().listen.to_string(), "127.0.0.1:8788");
    }

    #[test]
    fn a_bad_number_is_refused_by_name() {
        for (name, value) in [
            ("CONTROL_PORT", "70000"),
            ("CONTROL_PORT", "x"),
            ("CONTROL_HOST", "here"),
            ("CONTROL_WAITING_SECONDS", "-1"),
        ] {
            assert!(read(&[("CONTAINER_TOKEN", TOKEN), (name, value)]).unwrap_err().starts_with(name));
        }
    }

    #[test]
    fn the_token_is_not_shown() {
        assert!(!format!("{:?}", read(&[("CONTAINER_TOKEN", TOKEN)]).unwrap()).contains(TOKEN));
    }
}

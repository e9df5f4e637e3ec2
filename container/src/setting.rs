//! The settings: one table with the names, defaults and bounds of all of them. PROTOCOL.md's and the scripts' tables
//! are made from it.

use townwatch_protocol::id::POSITION_MAX;

/// A setting that is a whole number.
#[derive(Debug)]
pub struct NumberSetting {
    /// The variable that sets it.
    pub name: &'static str,
    /// The value where nothing is set.
    pub default: u64,
    /// The smallest value.
    pub min: u64,
    /// The largest value.
    pub max: u64,
    /// The setting's purpose.
    pub meaning: &'static str,
}

/// A setting that is a text. Its value is checked where it is used.
#[derive(Debug)]
pub struct TextSetting {
    /// The variable that sets it.
    pub name: &'static str,
    /// The value where nothing is set, in words.
    pub default: &'static str,
    /// The setting's purpose.
    pub meaning: &'static str,
}

impl NumberSetting {
    /// Reads the variable. A wrong value is refused with the variable's name.
    pub(crate) fn read(&self, variable: &impl Fn(&str) -> Option<String>) -> Result<u64, String> {
        let Self { name, default, min, max, .. } = self;
        let Some(text) = variable(name) else { return Ok(*default) };
        let wrong = || format!("{name}: expected a whole number from {min} to {max}, not {text:?}");
        text.parse().ok().filter(|number| (min..=max).contains(&number)).ok_or_else(wrong)
    }
}

macro_rules! numbers {
    ($(#[doc = $meaning:literal] $constant:ident = $name:literal, $default:expr, $min:expr, $max:expr;)+) => {
        $(#[doc = concat!("`", $name, "`:", $meaning)] pub const $constant: NumberSetting =
            NumberSetting { name: $name, default: $default, min: $min, max: $max, meaning: $meaning };)+
        /// The numbers, in the order of the documents.
        pub const NUMBERS: &[NumberSetting] = &[$($constant),+];
    };
}

/// The largest value of a setting in seconds or days, 2^32 - 1. A larger one is refused when the server starts.
const SECONDS_MAX: u64 = u32::MAX as u64;

// The reasons for these defaults:
// - port: the image opens this one.
// - waiting: time to read an agent's result and to send it more, and not so much that it costs.
// - lease: a town asks at least every four minutes, and after five minutes without an answer its runs are lost for it.
// - runs: a machine on which one person works has memory for some dozens of agents. Each run has a thread that watches
//   its files, and there are at most 512 such threads.
// - free disk: two spools of a town, and some space for files of agents.
// - bounds of a run: beyond the needs of a large build, which are its largest file, a linker's memory, and `make -j 64`
//   with some threads in each. Below the smallest values no agent starts, and the server itself, which has the same
//   bounds, has no space for its spool and its threads. Linux has no more process ids than the largest value.
numbers! {
    /// the port on which it listens; 0 picks a free one
    PORT = "CONTROL_PORT", 8788, 0, u16::MAX as u64;
    /// how long an agent whose turn is over is waited for; then its run has completed
    WAITING_SECONDS = "CONTROL_WAITING_SECONDS", 300, 0, SECONDS_MAX;
    /// how long the runs of a town that asks for nothing go on
    LEASE_SECONDS = "CONTROL_LEASE_SECONDS", 900, 1, SECONDS_MAX;
    /// how many days the directory of a run stays after its end
    KEEP_DAYS = "CONTROL_KEEP_DAYS", 7, 1, SECONDS_MAX;
    /// runs that are open at once, of all towns together
    RUNS_MAX = "CONTROL_RUNS_MAX", 64, 1, 400;
    /// no run starts where less disk is free; 0: not looked at
    DISK_FREE_MIN_BYTES = "CONTROL_DISK_FREE_MIN_BYTES", 512 << 20, 0, POSITION_MAX;
    /// the largest file that a run may write
    RUN_FILE_BYTES_MAX = "CONTROL_RUN_FILE_BYTES_MAX", 64 << 30, 128 << 20, POSITION_MAX;
    /// memory of all processes of a run together, where a cgroup holds them
    RUN_MEMORY_BYTES_MAX = "CONTROL_RUN_MEMORY_BYTES_MAX", 16 << 30, 64 << 20, POSITION_MAX;
    /// processes and threads of a run together, where a cgroup or a user of its own holds them
    RUN_PROCESSES_MAX = "CONTROL_RUN_PROCESSES_MAX", 4_096, 1_024, 4 << 20;
}

macro_rules! texts {
    ($(#[doc = $meaning:literal] $constant:ident = $name:literal, $default:literal;)+) => {
        $(#[doc = concat!("`", $name, "`:", $meaning)]
        pub const $constant: TextSetting = TextSetting { name: $name, default: $default, meaning: $meaning };)+
        /// The texts, in the order of the documents.
        pub const TEXTS: &[TextSetting] = &[$($constant),+];
    };
}

texts! {
    /// what verifies that a call is the Worker's: 64 hexadecimal digits
    PUBLIC_KEY = "CONTROL_PUBLIC_KEY", "none: it does not start";
    /// the IP address on which it listens
    HOST = "CONTROL_HOST", "127.0.0.1";
    /// the folder in which each run gets a directory
    WORK_DIR = "CONTROL_WORK_DIR", "`$XDG_STATE_HOME/townwatch/control-<port>`";
    /// the sandbox of agents: `1` (the server is in one with all that it runs) or `bubblewrap` (each run gets one)
    SANDBOX = "CONTROL_SANDBOX", "none";
    /// folders that a run in bubblewrap may read besides, `:` between
    SANDBOX_READABLE = "CONTROL_SANDBOX_READABLE", "none";
    /// users of which each run gets one, `20000-20499` say
    AGENT_USERS = "CONTROL_AGENT_USERS", "none: agents run as the server's user";
}

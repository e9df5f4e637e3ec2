//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use townwatch::id::{AgentId, RigId, TownId};

/// Watch coding agents work, and let others watch yours.
#[derive(Debug, Parser)]
#[command(name = "townwatch", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what happens in a town, or to one agent of it, as it happens.
    ///
    /// With --agent it ends with the agent's run, and with the run's exit code: 0 completed; the agent's own code where
    /// it failed with one; 128 + n where signal n ended it; else 1. 2 is also what a refused key or a wrong argument gives.
    Tail(TailArguments),
    /// Send a town what an agent prints on its way through a pipe.
    ///
    /// claude -p … --output-format stream-json --verbose | townwatch send --rig RIG --agent me
    ///
    /// The input passes through to standard output unless that is a terminal. Nothing here waits for the network: what
    /// the server has not taken yet is kept on disk, 256 MiB at most, and what is left at the end the next `send` of the
    /// same agent sends. The exit code is 0 if every event was sent or kept, 1 if some were lost, 2 if the server refused.
    Send(SendArguments),
}

/// Where the server is, and the right to ask it.
#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// The server's address.
    #[arg(long, env = "TOWNWATCH_URL", default_value = "http://localhost:8787")]
    pub(crate) url: String,
    /// A file that holds the key, instead of a variable.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "The key is read from TOWNWATCH_API_KEY, or from the file of --key-file.")]
pub(crate) struct TailArguments {
    /// The town; not needed where there is only one.
    #[arg(long, env = "TOWNWATCH_TOWN", value_parser = town_id)]
    pub(crate) town: Option<TownId>,
    /// Only this agent. It need not have started yet.
    #[arg(long, value_parser = agent_id)]
    pub(crate) agent: Option<AgentId>,
    /// Begin after the event with this id, instead of with the oldest.
    #[arg(long, value_name = "ID")]
    pub(crate) from: Option<u64>,
    /// Begin with the newest N events.
    #[arg(long, value_name = "N", conflicts_with = "from")]
    pub(crate) tail: Option<u64>,
    /// Print each event as the line of JSON that it is on the wire.
    #[arg(long)]
    pub(crate) json: bool,
    /// Go on with the agent's next run, instead of ending with this one.
    #[arg(long)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The key is read from TOWNWATCH_TOKEN (an agent's token), else from TOWNWATCH_API_KEY, or from the file of --key-file."
)]
pub(crate) struct SendArguments {
    /// The rig that the agent works in.
    #[arg(long, value_parser = rig_id)]
    pub(crate) rig: RigId,
    /// The agent, as it is registered there.
    #[arg(long, value_parser = agent_id)]
    pub(crate) agent: AgentId,
    /// What the input is. Without it the first line decides: an object with a `type` is Claude Code's.
    #[arg(long)]
    pub(crate) format: Option<Format>,
    /// Pass the input through to standard output also where that is a terminal.
    #[arg(long)]
    pub(crate) tee: bool,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

/// What an agent prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Format {
    /// `claude --output-format stream-json --verbose`.
    ClaudeCode,
    /// `codex exec --json`.
    Codex,
    /// `gemini --output-format stream-json`.
    Gemini,
    /// Any text: each line is one output.
    Process,
}

fn town_id(text: &str) -> Result<TownId, &'static str> {
    TownId::parse(text).ok_or(TownId::EXPECTED)
}

fn rig_id(text: &str) -> Result<RigId, &'static str> {
    RigId::parse(text).ok_or(RigId::EXPECTED)
}

fn agent_id(text: &str) -> Result<AgentId, &'static str> {
    AgentId::parse(text).ok_or(AgentId::EXPECTED)
}

//! The command line.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use townwatch_protocol::id::{AgentId, RigId, TownId};
use townwatch_protocol::runtime::Runtime;

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
    /// List what the agents of a town ask, whole, each with the command that answers it.
    Questions(QuestionsArguments),
    /// Answer what an agent asks.
    ///
    /// townwatch answer REQUEST once|always|reject [--text "why not"]      a permission
    ///
    /// townwatch answer REQUEST --choose 2                                 a question: option 2
    ///
    /// townwatch answer REQUEST --choose 1 --choose 2,3 --choose "mine"    one of three parts: one --choose for each
    ///
    /// In a terminal, without an answer, it shows the question and asks you part by part. The exit code is 0 if the agent has
    /// the answer, 1 if the server cannot be reached, 2 if it was refused: because somebody else answered first, say.
    Answer(AnswerArguments),
    /// Send a town what an agent prints on its way through a pipe.
    ///
    /// claude -p … --output-format stream-json --verbose | townwatch send --rig RIG --agent me
    ///
    /// The input passes through to standard output unless that is a terminal. Nothing here waits for the network: what
    /// the server has not taken yet is kept on disk, 256 MiB at most, and what is left at the end the next `send` of the
    /// same agent sends. Once a minute without an event the town is told that the agent is there. Where the run is
    /// stopped from the town, this ends, and with it what writes into the pipe.
    ///
    /// The exit code is 0 if every event was sent or kept, 1 if some were lost, 2 if the server refused, 3 if the run was
    /// stopped from the town, or counted as lost there.
    Send(SendArguments),
}

/// The server's address and key.
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
#[command(after_help = "The key is read from TOWNWATCH_API_KEY, or from the file of --key-file.")]
pub(crate) struct QuestionsArguments {
    /// The town; not needed where there is only one.
    #[arg(long, env = "TOWNWATCH_TOWN", value_parser = town_id)]
    pub(crate) town: Option<TownId>,
    /// Only this agent's.
    #[arg(long, value_parser = agent_id)]
    pub(crate) agent: Option<AgentId>,
    /// Print each question as a line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "The key is read from TOWNWATCH_API_KEY, or from the file of --key-file.")]
pub(crate) struct AnswerArguments {
    /// The question, as `townwatch questions` names it; not needed where only one is open.
    #[arg(value_name = "REQUEST")]
    pub(crate) request_id: Option<String>,
    /// `once` (or `allow`), `always` or `reject`.
    pub(crate) answer: Option<String>,
    /// The agent that asks.
    #[arg(long, value_parser = agent_id)]
    pub(crate) agent: Option<AgentId>,
    /// Options by their numbers, as 2 or 1,3, or by their own words; or other words, where they are an answer. Of a
    /// question of several parts: one --choose for each, in their order.
    #[arg(long, value_name = "OPTION")]
    pub(crate) choose: Vec<String>,
    /// Words with it: why not, say, or the answer itself.
    #[arg(long, value_name = "WORDS")]
    pub(crate) text: Option<String>,
    /// The town; not needed where there is only one.
    #[arg(long, env = "TOWNWATCH_TOWN", value_parser = town_id)]
    pub(crate) town: Option<TownId>,
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
    /// What the input is. Without it the first line that only one of these programs prints decides; banners, the lines of
    /// a wrapper (npm's `> agent@1.0.0 start`) and blank lines before it do not, and are shown as they are. Behind a
    /// thousand lines of text it is text. Qwen Code prints Claude Code's format, and is read so.
    #[arg(long, value_parser = formats())]
    pub(crate) format: Option<Runtime>,
    /// Pass the input through to standard output also where that is a terminal.
    #[arg(long)]
    pub(crate) tee: bool,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

/// The formats that can be read from a pipe, each by the name of the runtime whose program prints it.
fn formats() -> impl TypedValueParser<Value = Runtime> {
    let format = |runtime: &Runtime| {
        let output = runtime.properties().piped_output?;
        Some(PossibleValue::new(runtime.as_str()).help(output))
    };
    let names = PossibleValuesParser::new(Runtime::ALL.iter().filter_map(format));
    names.try_map(|name| Runtime::parse(&name).ok_or("no such format"))
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

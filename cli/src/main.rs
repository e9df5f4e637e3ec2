//! `townwatch tail` watches a town or one of its agents from a terminal; `townwatch questions` and `townwatch answer` list
//! what agents ask and answer it; `townwatch send` sends a town what an agent prints.
//!
//! In reading order: [`arguments`]; [`server`] (requests and what their failures mean), [`town`] and [`backoff`]; [`tail`]
//! (one stream, resumed for as long as it takes); [`questions`]; [`send`] (standard input → events → spool → server).

mod arguments;
mod backoff;
mod notice;
mod questions;
mod send;
mod server;
mod tail;
mod town;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Tail(arguments) => tail::run(&arguments),
        Command::Questions(arguments) => questions::list(&arguments),
        Command::Answer(arguments) => questions::answer(&arguments),
        Command::Send(arguments) => send::run(&arguments),
    };
    ExitCode::from(result.unwrap_or_else(|problem| {
        notice::say(&problem);
        REFUSED
    }))
}

/// The exit code where a person has to change something first, as for wrong arguments.
const REFUSED: u8 = 2;
/// The exit code of `send` where the town has ended the run.
const RUN_ENDED: u8 = 3;

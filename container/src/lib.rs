//! The control server: runs coding agents, reads what they print and hands it to the town as events.
//!
//! In reading order: [`app`] (the routes, behind `caller`: who may ask) and [`control`] (what they share; [`capacity`]: what it takes on); [`town`], [`run`] and [`buffer`] (events between
//! an agent and its town, with [`spool`] beyond memory, [`previews`], and `pictures` beside them); [`executor`] and `execution` (one run's process in its [`room`] of the [`work_dirs`] (below `folders` of this server's alone), as one of the [`users`] or in a [`sandbox`]: [`checkout`],
//! [`environment`], [`group`] of `processes` under a [`mark`], in a [`confinement`] of [`run_limits`] and, where there is one, a [`cgroup`], [`leftovers`], [`lease`], [`lines`], [`stderr`], `stdin`, [`command`]); `served` (the same for an agent that is a server: [`loopback`], [`sse`]); [`runtimes`] (how each program is started) and [`normalise`] (what its lines mean).

pub mod app;
pub mod body;
pub mod buffer;
mod caller;
pub mod capacity;
pub mod cgroup;
pub mod checkout;
pub mod command;
pub mod config;
pub mod confinement;
pub mod control;
pub mod environment;
mod execution;
pub mod executor;
pub mod files;
mod folders;
pub mod group;
pub mod health;
pub mod lease;
pub mod leftovers;
pub mod log;
pub mod loopback;
pub mod mark;
mod outcome;
pub mod page;
mod peer;
mod pictures;
pub mod previews;
mod printed;
mod processes;
pub mod room;
pub mod run;
pub mod run_limits;
pub mod runtimes;
pub mod sandbox;
pub mod seal;
mod served;
mod setting;
pub mod spool;
pub mod stderr;
mod stdin;
pub mod town;
pub mod unended;
pub mod users;
pub mod work_dirs;

//! The control server: runs coding agents, reads what they print and hands it to the town as events.
//!
//! In reading order:
//!
//! - the routes: [`app`], over `request` and `response`, behind `caller` (who may ask), over [`control`] (what they share) and
//!   [`capacity`] (what is taken on);
//! - events between an agent and its town: [`town`], [`run`], [`buffer`], with [`spool`] beyond memory, [`previews`] of what is
//!   being typed, `pictures`, and `attribution` of changes to calls;
//! - one run: [`executor`] starts its program; `life` decides how it is waited for, how it is made to end and what its end is
//!   called, by the orders of `stop`, too; `execution` drives a process by it, `served` a server. A process is told what to do by
//!   [`command`] and `stdin`, and read by `printed`, [`stderr`] and [`runtimes`] (how each program is started); [`files`]
//!   watches what becomes of its directory;
//! - where it runs: its [`room`] in the [`work_dirs`] (below `folders` of this server alone), its [`environment`] and
//!   [`checkout`], as one of the [`users`] or in a [`sandbox`];
//! - how it ends with all that it started: its [`group`] of `processes` under a [`mark`], in a [`confinement`] of
//!   [`run_limits`] and, where there is one, a [`cgroup`]; [`orphans`] of it; [`leftovers`] of a server before this one; the
//!   [`lease`].

pub mod app;
mod attribution;
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
mod life;
pub mod log;
pub mod loopback;
pub mod mark;
pub mod orphans;
mod outcome;
pub mod page;
mod peer;
mod pictures;
pub mod previews;
mod printed;
mod processes;
mod request;
mod response;
pub mod room;
pub mod run;
pub mod run_limits;
pub mod runtimes;
pub mod sandbox;
pub mod seal;
mod search_path;
mod served;
pub mod setting;
pub mod spool;
pub mod stderr;
mod stdin;
mod stop;
pub mod town;
pub mod unended;
pub mod users;
pub mod work_dirs;

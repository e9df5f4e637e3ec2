//! The control server: it runs coding agents, reads their output, and gives it to the town as events.
//!
//! In reading order:
//!
//! - the routes: [`app`], with `request` and `response`, behind `caller` (the check of the caller), over [`control`]
//!   (the shared state) and [`capacity`] (the bounds on open runs);
//! - the events between an agent and its town: [`town`], [`run`], and [`buffer`], with [`spool`] beyond memory,
//!   [`previews`] of texts that are being typed, `pictures`, and `attribution` of changes to calls;
//! - one run: [`executor`] starts its program. `life` decides how long it is waited for, how it is made to end and what
//!   its end is called, also by the orders of `stop`. `execution` runs a process by these decisions, and `served` runs
//!   a server. A process is told what to do by [`command`] and `stdin`, and read by `printed`, [`stderr`] and
//!   [`runtimes`] (the start of each program). [`files`] watches its directory;
//! - the place of a run: its [`room`] in the [`work_dirs`] (below `folders` of this server alone), its [`environment`]
//!   and [`checkout`], as one of the [`users`] or in a [`sandbox`];
//! - the end of a run with all its processes: its [`group`] of `processes` under a [`mark`], in a [`confinement`] of
//!   [`run_limits`] and, where there is one, a [`cgroup`]; its [`orphans`]; the [`leftovers`] of a server before this
//!   one; the [`lease`].

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

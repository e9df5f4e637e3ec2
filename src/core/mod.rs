//! The decisions, pure: no `worker`, no clock, no randomness. Time and fresh ids come in as arguments; what has to
//! happen comes out as data.
//!
//! In reading order: the tables ([`store`], [`schema`]); what lies in them ([`log`], [`agents`], [`runs`],
//! [`tickets`], with the [`permit`] and the [`resumption`] of what they opened); how events come in ([`cut`], [`reducer`], [`ingest`], from the [`relay`] and by [`forwarding`], with their
//! [`images`] and within their [`budgets`], or not: `posted_silence`; what goes where the tables take too much: `space`); how they go out ([`cursor`], [`viewers`] with their [`flow`] and [`frames`],
//! [`streams`] with their [`ending`], [`pages`]); and the objects that hold it all ([`town`], with
//! [`starting`], [`deletion`] and [`archive`], [`rig`] and [`account`] with its [`sessions`]). A town's calls to its control server are signed ([`signed_call`], by a
//! [`control_key`], each once: [`replays`]). What it all costs an instance counts ([`metrics`]).

pub mod account;
pub mod agent_right;
pub mod agent_tokens;
pub mod agents;
mod allowance;
pub mod archive;
mod audience;
pub mod auth;
pub mod body;
pub mod browser;
pub mod budgets;
pub mod control_key;
pub mod cookie;
pub mod cursor;
pub mod cut;
pub mod deletion;
mod elision;
pub mod ended_runs;
mod ended_sessions;
pub mod ending;
pub mod envelope;
pub mod flow;
pub mod forwarding;
pub mod frames;
pub mod git_url;
pub mod grantor;
pub mod hexadecimal;
mod history;
mod holds;
pub mod images;
pub mod ingest;
pub mod json_scan;
pub mod keepalive;
pub mod known_sessions;
pub mod log;
pub mod mayor;
pub mod metrics;
pub mod origin;
pub mod pages;
pub mod permit;
pub mod posted_end;
mod posted_silence;
mod posting;
mod previews;
pub mod query;
pub mod range;
pub mod reader;
pub mod reducer;
pub mod relay;
pub mod replays;
pub mod resumption;
pub mod rig;
mod rig_archive;
pub mod rig_deletion;
mod rig_outbox;
mod rig_space;
mod rigs;
pub mod route;
pub mod runs;
pub mod schema;
pub mod sessions;
pub mod settings;
pub mod signed_call;
pub mod silence;
pub mod source_answer;
mod source_life;
mod space;
pub mod starting;
mod state_list;
mod states;
pub mod store;
pub mod stream_query;
pub mod streams;
mod talk;
pub mod tickets;
pub mod town;
mod viewer;
pub mod viewers;
pub mod wrong_keys;

//! The decisions of a town, a rig and an account, over a real SQLite: one file a concept. `cargo test --test core budgets`
//! runs one.

#![allow(unreachable_pub)] // a test binary has no outside
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod agent_tokens;
mod archive;
mod auth;
mod budgets;
mod control_response;
mod cursor;
mod cut;
mod deletion;
mod desk;
mod elision;
mod ended_runs;
mod flat;
mod flow;
mod git_url;
mod history;
mod images;
mod ingest;
mod keepalive;
mod limits;
mod mayor;
mod metrics;
mod object_calls;
mod old_rows;
mod open_work;
mod other_containers;
mod pace;
mod pages;
mod permit;
mod posted_silence;
mod previews;
mod pulled;
mod questions;
mod range;
mod reader;
mod reduced;
mod reducer;
mod relay;
mod requests;
mod resume_cases;
mod resuming;
mod resumption;
mod rig;
mod rig_archive;
mod route;
mod run_bounds;
mod run_rate;
mod server_frames;
mod sessions;
mod settings;
mod signed_call;
mod space;
mod sqlite;
mod starting;
mod state_list;
mod stop_orders;
mod store;
mod story;
mod tickets;
mod usage;
mod viewers;
mod working_time;

//! The real program on a free port, with real child processes.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)] // test helpers

mod callers;
mod claude;
mod common;
mod executor;
mod files;
mod lease;
#[cfg(target_os = "linux")]
mod leftovers;
#[cfg(target_os = "linux")]
mod limits;
mod permissions;
mod previews;
mod questions;
mod redaction;
mod relay;
mod requests;
mod served;
mod stand_ins;

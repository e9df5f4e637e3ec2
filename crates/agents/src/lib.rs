//! The output of coding agents as events: pure functions, for a program that runs an agent or has its output.
//!
//! In reading order: bytes as [`lines`] or as messages of an event stream ([`sse`]); their secrets redacted
//! ([`redact`]); the meaning of a line, one folder a program ([`normalise`], with [`json`], [`cut`], [`summary`]); the
//! reason of a failure ([`failure_reason`]); and [`recordings`] of real agents.

pub mod cut;
pub mod failure_reason;
pub mod json;
pub mod lines;
pub mod normalise;
pub mod recordings;
pub mod redact;
pub mod sse;
pub mod summary;

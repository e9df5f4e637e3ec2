//! What coding agents print, as events: pure, for whoever runs an agent or is given what one printed.
//!
//! In reading order: bytes as [`lines`] or as messages of an event stream ([`sse`]); secrets out of them ([`redact`]); what a
//! line means, one folder a program ([`normalise`], with [`json`], [`cut`], [`summary`]); why a program failed
//! ([`failure_reason`]); and [`recordings`] of real ones.

pub mod cut;
pub mod failure_reason;
pub mod json;
pub mod lines;
pub mod normalise;
pub mod recordings;
pub mod redact;
pub mod sse;
pub mod summary;

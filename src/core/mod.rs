//! The decisions, pure: no `worker`, no clock, no randomness. Time and fresh ids come in as arguments; what has to
//! happen comes out as data.

pub mod auth;
pub mod body;
pub mod envelope;
pub mod query;
pub mod route;
pub mod settings;
pub mod store;
pub mod stream_query;

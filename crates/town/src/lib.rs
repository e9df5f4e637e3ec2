//! The decisions of a town, a rig and an account, pure: no clock, no randomness, no I/O. Time and fresh ids come in as
//! arguments; what has to happen comes out as data.
//!
//! In reading order: the tables ([`store`], [`schema`]); what happened ([`log`]) to whom ([`agents`]), from the [`relay`] or by
//! way of a [`rig`]; how it goes out ([`reading`], [`viewers`]); who may do what ([`access`], [`account`]); and the object
//! that holds it all ([`town`]), behind its routes ([`route`], [`mayor`]) and [`settings`]. What it costs an instance counts
//! ([`metrics`]).

pub mod access;
pub mod account;
pub mod agents;
mod decision;
pub mod git_url;
pub mod input;
mod joined_rows;
pub mod log;
pub mod mayor;
pub mod metrics;
pub mod reading;
pub mod relay;
pub mod rig;
pub mod route;
pub mod schema;
pub mod settings;
pub mod store;
pub mod town;
pub mod viewers;

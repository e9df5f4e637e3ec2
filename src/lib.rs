//! The Worker: the edge, and the only code that uses the crate `worker`. It decodes, asks the core and performs; it
//! makes no decision.
//!
//! In reading order: requests from outside ([`worker`], which forwards to the objects over [`objects`]); the parts of
//! an object ([`config`], [`platform`], [`http`], [`sql_store`], [`socket`], [`upstream`] with its [`control_request`]
//! and its [`container`]); and the objects: [`account_object`], [`rig_class`] with its object, and [`town_class`] with its object, its
//! routes, its streams and its relay.

#![cfg(target_arch = "wasm32")]

#[allow(missing_docs)] // of the methods that the macro adds
pub mod account_object;
mod archive;
mod callers;
pub mod config;
pub mod container;
mod container_routes;
pub mod control_request;
mod deletion;
mod event_waiters;
pub mod http;
mod images;
mod js;
mod log;
mod mayor_routes;
pub mod objects;
pub mod platform;
mod posted_end;
mod pulled;
mod relay_turn;
#[allow(missing_docs)]
pub mod rig_class;
mod rig_deletion;
mod rig_delivery;
mod rig_notices;
mod rig_object;
mod session;
pub mod socket;
pub mod sql_store;
mod stop_orders;
mod streams;
mod timer;
#[allow(missing_docs)]
pub mod town_class;
mod town_clock;
mod town_effects;
mod town_object;
mod town_routes;
mod town_streams;
pub mod upstream;
pub mod worker;

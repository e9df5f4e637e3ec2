//! The edge: the only code that names `worker`. It decodes, asks the core and performs; it decides nothing.
//!
//! In reading order: what comes in ([`worker`], which forwards to the objects over [`objects`]); what an object is made
//! of ([`config`], [`fresh`], [`http`], [`sql_store`], [`socket`], [`upstream`] with its [`container`]); the objects.

pub mod account_object;
pub mod config;
pub mod container;
pub mod fresh;
pub mod http;
mod js;
pub mod objects;
pub mod rig_object;
mod session;
pub mod socket;
pub mod sql_store;
mod streams;
pub mod town_object;
pub mod upstream;
pub mod worker;

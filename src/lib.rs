//! Townwatch: watch coding agents work.
//!
//! In reading order: the words ([`id`], [`time`], [`event`], [`image`], [`error`], [`limits`]), the wire ([`protocol`]), what
//! finds secrets ([`redact`]), the decisions ([`core`], pure), and the edge (wasm32 only), which decodes, asks the core and performs.

pub mod core;
#[cfg(target_arch = "wasm32")]
pub mod edge;
pub mod error;
pub mod event;
pub mod id;
pub mod image;
mod integer;
pub mod limits;
pub mod protocol;
pub mod redact;
pub mod time;

#[cfg(test)]
mod openapi;
#[cfg(test)]
mod typescript;

//! The contract between the parts of Townwatch.
//!
//! In reading order: the words ([`id`], [`time`], [`event`], [`runtime`], [`image`], [`error`], [`limits`]); every request, answer
//! and frame ([`wire`], [`state_text`]); how they are read ([`query`], [`body`], [`envelope`]); calls between our
//! objects ([`calls`], [`agent_right`]); and calls to a control server ([`signed_call`], by a [`control_key`], each
//! once: [`replays`]).

pub mod agent_right;
pub mod body;
pub mod calls;
pub mod control_key;
pub mod envelope;
pub mod error;
pub mod event;
pub mod hexadecimal;
pub mod id;
pub mod image;
mod integer;
pub mod limits;
pub mod query;
pub mod replays;
pub mod runtime;
pub mod signed_call;
pub mod state_text;
pub mod time;
pub mod wire;
mod wire_enum;

//! Access: keys and codes of operators and browsers ([`auth`], [`cookie`], [`browser`], [`origin`]), tokens of agents,
//! [`tickets`] of streams with the [`permit`] that each becomes, and the [`grantor`] of each.

pub mod auth;
pub mod browser;
pub mod cookie;
pub mod grantor;
pub mod origin;
pub mod permit;
pub mod tickets;

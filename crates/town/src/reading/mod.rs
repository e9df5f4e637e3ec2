//! How the log is read: pages of REST ([`pages`], [`range`]) and streams of events ([`streams`]), by one [`cursor`] and one
//! [`reader`], until their [`ending`]; what a request asks ([`stream_query`]) and how it goes on ([`resumption`]).

pub mod cursor;
pub mod ending;
pub mod pages;
pub mod range;
pub mod reader;
pub mod resumption;
pub mod stream_query;
pub mod streams;

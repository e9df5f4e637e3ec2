//! The ways to read the log. Pages of REST and long poll are in [`pages`], ranges as lines in [`range`], event streams
//! in [`reader`], and sockets in [`streams`]. Each reader begins where [`cursor`] lets it, reads by one `log_position`,
//! and stops with an [`ending`]. The request's query is read by [`stream_query`]; [`resumption`] lets an event stream
//! go on.

pub mod cursor;
pub mod ending;
pub(crate) mod log_position;
pub mod pages;
pub mod range;
pub mod reader;
pub mod resumption;
pub mod stream_query;
pub mod streams;

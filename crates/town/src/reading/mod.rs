//! How the log is read: pages of REST and long poll ([`pages`]), ranges as lines ([`range`]), event streams ([`reader`]) and sockets
//! ([`streams`]), all from where [`cursor`] lets them begin, by one `log_position`, until their [`ending`]; what a request asks
//! ([`stream_query`]) and how it goes on ([`resumption`]).

pub mod cursor;
pub mod ending;
pub(crate) mod log_position;
pub mod pages;
pub mod range;
pub mod reader;
pub mod resumption;
pub mod stream_query;
pub mod streams;

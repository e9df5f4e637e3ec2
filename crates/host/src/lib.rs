//! What a program that runs agents or reads what they print knows of its own machine: the clock, a directory and its
//! repository ([`place_of`]), the secrets that a run knows ([`known`]), the names of signals.

mod clock;
mod credentials;
mod known;
mod place;
mod signal;

pub use clock::now;
pub use known::known;
pub use place::place_of;
pub use signal::signal_name;

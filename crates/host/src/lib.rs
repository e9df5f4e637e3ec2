//! Facts about its own machine, for a program that runs agents or reads their output: the clock, a directory and its
//! repository ([`run_context_of`]), the secrets that a run knows ([`known()`]), the names of signals.

mod clock;
mod credentials;
mod known;
mod run_context;
mod signal;

pub use clock::now;
pub use known::known;
pub use run_context::run_context_of;
pub use signal::signal_name;

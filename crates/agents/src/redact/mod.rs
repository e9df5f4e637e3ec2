//! Secrets of what agents print go before anything is stored or sent: each becomes `‹redacted:kind›`.
//!
//! How one is found is in [`townwatch_redaction`]. Here is what is more for output: lines that belong to a key
//! ([`key_lines`]), texts that are told in parts ([`open_text`], [`typing`]), and the count of it all for those who watch
//! ([`run`]).

mod key_lines;
mod open_text;
mod run;
mod typing;

pub use townwatch_redaction::{Redactor, SecretValues, is_redacted};

pub use self::key_lines::KeyLines;
pub use self::run::Redaction;

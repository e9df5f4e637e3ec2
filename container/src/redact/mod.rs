//! Secrets of what agents print go before anything is stored or sent: each becomes `‹redacted:kind›`.
//!
//! How one is found is in [`townwatch_redaction`]. Here is what a run adds to that: which values it knows, in its variables
//! and in the files of its HOME ([`known`], [`credentials`]), lines that belong to a key ([`key_lines`]), texts that are
//! told in parts ([`open_text`], [`typing`]), and the count of it all for those who watch ([`run`]).

mod credentials;
mod key_lines;
mod known;
mod open_text;
mod run;
mod typing;

pub use townwatch_redaction::{Redactor, SecretValues, is_redacted};

pub use self::key_lines::KeyLines;
pub use self::known::known;
pub use self::run::Redaction;

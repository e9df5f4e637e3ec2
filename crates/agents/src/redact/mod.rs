//! Redaction of an agent's output, before it is stored or sent: each secret becomes `‹redacted:kind›`.
//!
//! The search for secrets is in [`townwatch_redaction`]. This module adds, for output: private keys over several lines
//! ([`key_lines`]), texts that come in parts ([`open_text`], [`typing`]), and the counts that viewers see ([`run`]).

mod key_lines;
mod open_text;
mod run;
mod typing;

pub use townwatch_redaction::{Redactor, SecretValues, is_redacted};

pub use self::key_lines::KeyLines;
pub use self::run::Redaction;

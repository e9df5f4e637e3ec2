//! Whatever Codex prints.
#![no_main]

mod output;

libfuzzer_sys::fuzz_target!(|output: &[u8]| output::read(townwatch_protocol::runtime::Runtime::Codex, output));

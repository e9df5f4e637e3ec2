//! `townwatch-bindgen worker|page MODULE FOLDER`: writes the JavaScript through which a compiled module is called, and the module as
//! that JavaScript wants it, to a folder.
//!
//! This is the program `wasm-bindgen`, less all that the builds here do not ask of it, so that it is compiled in seconds and in
//! exactly the version that Cargo.lock has for the modules themselves.

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [user, module, folder] = arguments.as_slice() else {
        bail!("usage: townwatch-bindgen worker|page MODULE FOLDER");
    };
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).omit_default_module_path(false);
    match user.as_str() {
        // A panic ends an instance of the module; the next call gets a new one (src/shim.mjs).
        "worker" => bindgen.module(true)?.out_name("index").reset_state_function(true).force_enable_abort_handler(true),
        "page" => bindgen.web(true)?,
        other => bail!("there is no `{other}`: worker or page"),
    };
    bindgen.generate(folder).with_context(|| format!("binding {module}"))
}

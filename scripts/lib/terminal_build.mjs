// The terminal model as WebAssembly for the page: compiled, bound, made small, and held to its size.

import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { buildUnlessFresh } from "./freshness.mjs";
import { inRoot } from "./paths.mjs";
import { Problem } from "./problem.mjs";
import { ask, run } from "./run.mjs";
import { cargoTools } from "./rust_tools.mjs";

/** @import { Env } from "./types.d.ts" */

/** Where it is put; dashboard/vite.config.ts takes it from there. */
export const TERMINAL = "target/terminal";
/** Compressed, with the code around it. */
export const TERMINAL_MAX_BYTES = 40 * 1024;

const INPUTS = ["Cargo.toml", "Cargo.lock", "terminal/Cargo.toml", "terminal/src", "package-lock.json"];
const COMPILED = "target/wasm32-unknown-unknown/page/townwatch_terminal.wasm";
const MODULE = "townwatch_terminal_bg.wasm";
/** What the compiler uses. With all features wasm-opt writes what browsers of today refuse. */
const FEATURES = ["bulk-memory", "bulk-memory-opt", "sign-ext", "nontrapping-float-to-int", "mutable-globals", "reference-types", "multivalue"];

/**
 * Builds it unless it is fresh.
 *
 * @param {{ env: Env }} options
 */
export function buildTerminal({ env }) {
  const versions = [ask("rustc", ["--version"], env), ...cargoTools().map((tool) => tool.version), env.RUSTFLAGS].join(" ");
  return buildUnlessFresh({ name: "terminal", inputs: INPUTS, outputs: [TERMINAL], versions }, async () => {
    // The paths below are the project's, whatever a shell says.
    const { CARGO_TARGET_DIR, ...plain } = env;
    const crate = ["-p", "townwatch-terminal", "--target", "wasm32-unknown-unknown"];
    await run("cargo", ["build", "--profile", "page", "--locked", ...crate], { env: plain });
    const bind = ["--target", "web", "--no-typescript", "--out-dir", inRoot(TERMINAL), inRoot(COMPILED)];
    await run(env.WASM_BINDGEN_BIN ?? "wasm-bindgen", bind, { env });
    const module = inRoot(TERMINAL, MODULE);
    const features = FEATURES.map((feature) => `--enable-${feature}`);
    await run(env.WASM_OPT_BIN ?? "wasm-opt", ["-Oz", ...features, module, "-o", module], { env });
    holdSize();
  });
}

/** Bytes, compressed, of all that a browser loads for it. */
export function terminalBytes(folder = inRoot(TERMINAL)) {
  const sizes = fs.readdirSync(folder).map((name) => gzipSync(fs.readFileSync(path.join(folder, name)), { level: 9 }).length);
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

function holdSize() {
  const bytes = terminalBytes();
  if (bytes <= TERMINAL_MAX_BYTES) return;
  throw new Problem(`the page's terminal is ${bytes} bytes (compressed); its budget is ${TERMINAL_MAX_BYTES}`, {
    remedy: "leave out of terminal/ what the page does not need",
  });
}

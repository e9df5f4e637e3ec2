// The terminal model as WebAssembly for the page: compiled, bound, made small, and held to its size.

import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { bind } from "./bindgen.mjs";
import { buildUnlessFresh } from "./freshness.mjs";
import { inRoot, TARGET } from "./paths.mjs";
import { Problem } from "./problem.mjs";
import { ask, run } from "./run.mjs";
import { WASM } from "./rust_tools.mjs";
import { optimise } from "./wasm_opt.mjs";

/** @import { Env } from "./types.d.ts" */

/** Where it is put; dashboard/vite.config.ts takes it from there. */
export const TERMINAL = "target/terminal";
/** Compressed, with the code around it. */
export const TERMINAL_MAX_BYTES = 40 * 1024;

const SCRIPTS = ["bindgen", "wasm_opt", "terminal_build"].map((name) => `scripts/lib/${name}.mjs`);
const INPUTS = ["Cargo.toml", "Cargo.lock", "terminal/Cargo.toml", "terminal/src", "tools", "package-lock.json", ...SCRIPTS];
const COMPILED = path.join(TARGET, WASM, "page/townwatch_terminal.wasm");
const MODULE = "townwatch_terminal_bg.wasm";

/**
 * Builds it unless it is fresh.
 *
 * @param {{ env: Env }} options
 */
export function buildTerminal({ env }) {
  const versions = [ask("rustc", ["--version"], env), env.RUSTFLAGS].join(" ");
  return buildUnlessFresh({ name: "terminal", inputs: INPUTS, outputs: [TERMINAL], versions }, async () => {
    await run("cargo", ["build", "--profile", "page", "--locked", "-p", "townwatch-terminal", "--target", WASM], { env });
    await bind("page", COMPILED, inRoot(TERMINAL), { env });
    await optimise(inRoot(TERMINAL, MODULE), { env, args: ["-Oz"] });
    holdSize();
  });
}

/** Whether it was never built here. */
export const terminalIsNew = () => !fs.existsSync(inRoot(TERMINAL, MODULE));

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

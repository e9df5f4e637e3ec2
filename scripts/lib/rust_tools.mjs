// Rust and its WASM target.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { inRoot } from "./paths.mjs";
import { Problem } from "./problem.mjs";
import { ask, run } from "./run.mjs";

/** @import { Env } from "./types.d.ts" */

/** The target of what runs in the Worker and in the page. */
export const WASM = "wasm32-unknown-unknown";
const INSTALL_RUST = "install Rust:  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh";

/** The folder of cargo where a shell does not know it yet, just after Rust was installed. */
export const CARGO_BIN = path.join(process.env.CARGO_HOME || path.join(os.homedir(), ".cargo"), "bin");

/**
 * Checks the compiler and adds the WASM target where it is missing.
 *
 * @param {Env} env
 */
export async function rust(env) {
  const version = ask("rustc", ["--version"], env)?.match(/\d+\.\d+/)?.[0];
  if (!version || !ask("cargo", ["--version"], env)) throw new Problem("Rust is not installed", { remedy: INSTALL_RUST });
  const wanted = fs.readFileSync(inRoot("Cargo.toml"), "utf8").match(/^rust-version = "(\d+\.\d+)/m)?.[1] ?? "";
  if (isOlder(version, wanted)) {
    throw new Problem(`Rust ${version} is too old, ${wanted} is needed`, { remedy: "update it:  rustup update stable" });
  }
  if (!ask("cc", ["--version"], env)) {
    const remedy = process.platform === "darwin" ? "xcode-select --install" : "sudo apt-get install build-essential";
    throw new Problem("there is no C compiler (cc), which Rust links with", { remedy: `install it:  ${remedy}` });
  }
  await wasmTarget(env);
}

/** @param {Env} env */
async function wasmTarget(env) {
  const library = ask("rustc", ["--print", "target-libdir", "--target", WASM], env);
  if (library && fs.existsSync(library)) return;
  if (!ask("rustup", ["--version"], env)) {
    throw new Problem(`this Rust has no ${WASM} target, and there is no rustup to add it`, { remedy: INSTALL_RUST });
  }
  await run("rustup", ["target", "add", WASM], { env, remedy: "is the network there?" });
}

/**
 * Whether version `a` (`1.90`) is below `b`.
 *
 * @param {string} a
 * @param {string} b
 */
export function isOlder(a, b) {
  const [x, y] = [a, b].map((text) => text.split(".").map(Number));
  const at = y.findIndex((part, index) => (x[index] ?? 0) !== part);
  return at >= 0 && (x[at] ?? 0) < y[at];
}

// Makes a module smaller and quicker, with no more of WebAssembly than the compiler uses: with all features wasm-opt writes
// what runtimes and browsers of today refuse.

import { inRoot } from "./paths.mjs";
import { run } from "./run.mjs";

/** @import { Env } from "./types.d.ts" */

const FEATURES = ["bulk-memory", "bulk-memory-opt", "sign-ext", "nontrapping-float-to-int", "mutable-globals", "reference-types", "multivalue"];

/**
 * Rewrites a module in its place.
 *
 * @param {string} module
 * @param {{ env: Env, args: readonly string[], features?: readonly string[] }} options
 */
export async function optimise(module, { env, args, features = [] }) {
  const enabled = [...FEATURES, ...features].map((feature) => `--enable-${feature}`);
  await run(inRoot("node_modules/.bin/wasm-opt"), [...args, ...enabled, module, "-o", module], { env });
}

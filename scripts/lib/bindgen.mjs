// tools/bindgen: what wasm-bindgen's command line would do, compiled with the rest in the version that Cargo.lock has.

import path from "node:path";
import { DEVELOP, TARGET } from "./paths.mjs";
import { run } from "./run.mjs";

/** @import { Env } from "./types.d.ts" */

export const BINDGEN_CRATE = "townwatch-bindgen";

/**
 * Binds a compiled module for its user. Whatever is bound, this is compiled in the profile of development, once.
 *
 * @param {"worker" | "page"} user
 * @param {string} module
 * @param {string} folder
 * @param {{ env: Env }} options
 */
export async function bind(user, module, folder, { env }) {
  await run("cargo", ["build", "--profile", DEVELOP, "--locked", "-p", BINDGEN_CRATE], { env });
  await run(path.join(TARGET, DEVELOP, BINDGEN_CRATE), [user, module, folder], { env });
}

// The Worker: compiled, bound, and bundled with src/shim.mjs to `build/index.js` and its module. What counts is that it is small
// and quick where it is deployed, and that it is built soon where it is worked on.

import fs from "node:fs";
import path from "node:path";
import { bind } from "./bindgen.mjs";
import { buildUnlessFresh } from "./freshness.mjs";
import { DEV_ROOT, DEVELOP, inRoot, ROOT, TARGET } from "./paths.mjs";
import { ask, run } from "./run.mjs";
import { WASM } from "./rust_tools.mjs";
import { optimise } from "./wasm_opt.mjs";

/** @import { Tools } from "./types.d.ts" */

const SCRIPTS = ["bindgen", "wasm_opt", "worker_build"].map((name) => `scripts/lib/${name}.mjs`);
/** What it is made of; the tools are in it by their versions. */
export const WORKER_INPUTS = ["Cargo.toml", "Cargo.lock", "src", "crates", "migrations", "tools", "package-lock.json", ...SCRIPTS];

const JAVASCRIPT = "index.js";
const MODULE = "index_bg.wasm";
/** What wasm-bindgen uses beside what the compiler does, for calls that may throw. */
const OF_BINDINGS = ["exception-handling"];

/**
 * Builds the one that is tested and deployed. Returns whether there was anything to do.
 *
 * @param {Tools} tools
 */
export const buildWorker = (tools) => build({ name: "worker", profile: "release", root: ROOT }, tools);

/**
 * Builds the one of `npm run dev`, in a folder of its own, entrance and all.
 *
 * @param {Tools} tools
 */
export const buildDevWorker = (tools) => build({ name: "dev-worker", profile: DEVELOP, root: DEV_ROOT }, tools);

/** Whether it was never built here, which takes longest. */
export const workerIsNew = () => !fs.existsSync(inRoot("build", JAVASCRIPT));

/** The same of that of `npm run dev`. */
export const devWorkerIsNew = () => !fs.existsSync(path.join(DEV_ROOT, "build", JAVASCRIPT));

/**
 * @param {{ name: string, profile: string, root: string }} what
 * @param {Tools} tools
 */
function build({ name, profile, root }, { env }) {
  const folder = path.join(root, "build");
  const versions = [ask("rustc", ["--version"], env), env.RUSTFLAGS].join(" ");
  return buildUnlessFresh({ name, inputs: WORKER_INPUTS, outputs: [path.relative(ROOT, root === ROOT ? folder : root)], versions }, async () => {
    const bound = inRoot(".wrangler/bound", name);
    await compile(profile, env);
    fs.rmSync(bound, { recursive: true, force: true });
    await bind("worker", path.join(TARGET, WASM, profile, "townwatch.wasm"), bound, { env });
    const module = path.join(bound, MODULE);
    // The names of functions stay, for the stack of a panic.
    if (profile !== DEVELOP) await optimise(module, { env, args: ["-O", "--debuginfo"], features: OF_BINDINGS });
    fs.mkdirSync(folder, { recursive: true });
    fs.copyFileSync(module, path.join(folder, MODULE));
    await bundle(path.join(bound, JAVASCRIPT), path.join(folder, JAVASCRIPT), env);
    if (root === ROOT) return;
    fs.mkdirSync(path.join(root, "src"), { recursive: true });
    fs.copyFileSync(inRoot("src/entrance.mjs"), path.join(root, "src/entrance.mjs"));
  });
}

/**
 * @param {string} profile
 * @param {Tools["env"]} env
 */
async function compile(profile, env) {
  const crate = ["--lib", "-p", "townwatch", "--target", WASM];
  // Futures by js-sys, as the crate `worker` has them, not by a crate of their own.
  await run("cargo", ["build", "--profile", profile, "--locked", ...crate], { env: { ...env, WASM_BINDGEN_USE_JS_SYS: "1" } });
}

/**
 * @param {string} bindings
 * @param {string} outfile
 * @param {Tools["env"]} env
 */
async function bundle(bindings, outfile, env) {
  // The platform has a module of WASM as an import like any other.
  const written = fs.readFileSync(bindings, "utf8");
  fs.writeFileSync(bindings, written.replace(/^import source /m, "import "));
  const external = [`./${MODULE}`, "cloudflare:*"].map((name) => `--external:${name}`);
  const args = [inRoot("src/shim.mjs"), "--bundle", "--minify", "--format=esm", `--alias:wasm-bindings=${bindings}`, ...external, `--outfile=${outfile}`, "--log-level=warning"];
  await run(inRoot("node_modules/.bin/esbuild"), args, { env });
}

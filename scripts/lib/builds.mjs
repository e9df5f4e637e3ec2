// How each of the parts is built.

import fs from "node:fs";
import { holdFirstView } from "./first_view.mjs";
import { buildUnlessFresh } from "./freshness.mjs";
import { COMMAND_LINE, CONTROL_SERVER, inRoot } from "./paths.mjs";
import { Problem } from "./problem.mjs";
import { ask, run } from "./run.mjs";
import { cargoTools } from "./rust_tools.mjs";
import { buildTerminal, TERMINAL } from "./terminal_build.mjs";

/** @import { Env, Tools } from "./types.d.ts" */

/** What each part is made of, beside the tools. */
export const WORKER_INPUTS = ["Cargo.toml", "Cargo.lock", "src", "crates", "migrations"];
export const DASHBOARD_INPUTS = ["dashboard", "package-lock.json"];

/**
 * Compiles the Worker to `build/index.js` and its WASM. Returns whether there was anything to do.
 *
 * @param {Tools} options
 */
export function buildWorker({ workerBuild, env }) {
  const versions = [ask("rustc", ["--version"], env), ...cargoTools().map((tool) => tool.version), env.RUSTFLAGS].join(" ");
  const what = { name: "worker", inputs: WORKER_INPUTS, outputs: ["build"], versions };
  // Without a backtrace of worker-build's own below the compiler's words.
  const quiet = { ...env, RUST_BACKTRACE: "0" };
  return buildUnlessFresh(what, () => run(workerBuild, ["--release", "--locked"], { env: quiet }));
}

/** Whether the Worker was never built here, which takes longest. */
export const workerIsNew = () => !fs.existsSync(inRoot("build/index.js"));

/**
 * Compiles the control server and the command line. cargo itself knows what is up to date.
 *
 * @param {{ env: Env }} options
 */
export const buildPrograms = ({ env }) =>
  run("cargo", ["build", "--release", "--locked", "-p", "townwatch-control", "-p", "townwatch-cli"], { env });

/** Whether one of them was never built here. */
export const programsAreNew = () => ![CONTROL_SERVER, COMMAND_LINE].every((program) => fs.existsSync(program));

/**
 * Bundles the dashboard to `dist/`. Returns whether there was anything to do.
 *
 * @param {Tools} options
 */
export async function buildDashboard({ node, env }) {
  if (!fs.existsSync(inRoot("dashboard/index.html"))) {
    throw new Problem("dashboard/index.html is missing", { remedy: "is this a whole checkout?  git status" });
  }
  await buildTerminal({ env });
  const what = { name: "dashboard", inputs: [...DASHBOARD_INPUTS, TERMINAL], outputs: ["dist"], versions: "" };
  return buildUnlessFresh(what, async () => {
    await run(node, [inRoot("node_modules/vite/bin/vite.js"), "build", "dashboard"], { env });
    holdFirstView();
  });
}

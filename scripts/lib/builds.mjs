// How each of the parts is built. The Worker: worker_build.mjs.

import fs from "node:fs";
import { BINDGEN_CRATE } from "./bindgen.mjs";
import { holdFirstView } from "./first_view.mjs";
import { buildUnlessFresh } from "./freshness.mjs";
import { COMMAND_LINE, CONTROL_SERVER, DEV_CONTROL_SERVER, DEVELOP, inRoot } from "./paths.mjs";
import { Problem } from "./problem.mjs";
import { run } from "./run.mjs";
import { buildTerminal, TERMINAL } from "./terminal_build.mjs";

/** @import { Env, Tools } from "./types.d.ts" */

/** What the dashboard is made of, beside the tools. */
export const DASHBOARD_INPUTS = ["dashboard", "package-lock.json"];

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
 * Compiles the control server of `npm run dev`, and with it what binds the Worker: both are native, so cargo does them at once.
 *
 * @param {{ env: Env }} options
 */
export const buildDevControl = ({ env }) =>
  run("cargo", ["build", "--profile", DEVELOP, "--locked", "-p", "townwatch-control", "-p", BINDGEN_CRATE], { env });

/** Whether that was never built here. */
export const devControlIsNew = () => !fs.existsSync(DEV_CONTROL_SERVER);

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

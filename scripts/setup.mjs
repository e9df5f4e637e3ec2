// Everything the other scripts need, installed once and kept. Works on a fresh machine, before any `npm install`;
// where all is there it takes part of a second and needs no network.

import path from "node:path";
import { isMain, main } from "./lib/main.mjs";
import { findNode, installPackages, packagesAreInstalled } from "./lib/npm_packages.mjs";
import { inRoot } from "./lib/paths.mjs";
import { Problem } from "./lib/problem.mjs";
import { CARGO_BIN, rust } from "./lib/rust_tools.mjs";
import { stepper } from "./lib/steps.mjs";

/** @import { Env, Tools } from "./lib/types.d.ts" */

/** How many steps `setUp` takes. */
export const SETUP_STEPS = 2;

/**
 * Sets up and returns `{node, wrangler(args), env}`: a Node for wrangler, its command line, and an environment in which
 * cargo and the packages' commands are found.
 */
export async function setUp({ step = stepper(SETUP_STEPS) } = {}) {
  if (process.platform === "win32") {
    throw new Problem("Townwatch is developed on Linux or macOS", {
      remedy: "On Windows use WSL2 (wsl --install) and start again inside it.",
    });
  }
  const env = { ...process.env, PATH: [process.env.PATH, CARGO_BIN].join(path.delimiter) };
  await step("checking the tools", () => rust(env));
  const first = !packagesAreInstalled();
  const title = first ? "installing the npm packages" : "checking the npm packages";
  await step(title, async () => first && installPackages(env), first ? "30 s" : "");
  return environment(env);
}

/**
 * @param {Env} base
 * @returns {Tools}
 */
function environment(base) {
  const node = findNode();
  const PATH = [path.dirname(node), inRoot("node_modules/.bin"), base.PATH].join(path.delimiter);
  return {
    node,
    wrangler: (args) => [node, [inRoot("node_modules/wrangler/bin/wrangler.js"), ...args]],
    env: {
      ...base,
      PATH,
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_SEND_ERROR_REPORTS: "false",
      WRANGLER_HIDE_BANNER: "true", // and its look for a newer version
      WRANGLER_LOG_PATH: inRoot(".wrangler/logs"),
    },
  };
}

if (isMain(import.meta)) await main(async () => void (await setUp()));

// `npm run build` builds everything that is deployed; `npm run build -- worker` (or programs, dashboard) one part. wrangler runs
// `--quiet worker` before it deploys, and in `npm run dev` `--quiet dev-worker` at first and when a source file changed.

import { buildDashboard, buildDevControl, buildPrograms, devControlIsNew, programsAreNew } from "./lib/builds.mjs";
import { isMain, main } from "./lib/main.mjs";
import { Problem } from "./lib/problem.mjs";
import { stepper, timeSince } from "./lib/steps.mjs";
import { terminalIsNew } from "./lib/terminal_build.mjs";
import { buildDevWorker, buildWorker, devWorkerIsNew, workerIsNew } from "./lib/worker_build.mjs";
import { SETUP_STEPS, setUp } from "./setup.mjs";

/** @import { Step, Tools } from "./lib/types.d.ts" */

/** @type {{ [name: string]: { title: string, build: (tools: Tools) => unknown, about: () => string | false } }} */
const PARTS = {
  worker: { title: "building the Worker", build: buildWorker, about: () => workerIsNew() && "2 min" },
  programs: { title: "building the control server and the command line", build: buildPrograms, about: () => programsAreNew() && "2 min" },
  dashboard: { title: "building the dashboard", build: buildDashboard, about: () => terminalIsNew() && "15 s" },
  "dev-control": { title: "building the control server", build: buildDevControl, about: () => devControlIsNew() && "2 min" },
  "dev-worker": { title: "building the Worker", build: buildDevWorker, about: () => devWorkerIsNew() && "2 min" },
};

/** What is tested, measured and deployed. */
export const SERVED_PARTS = ["worker", "programs", "dashboard"];

/** What `npm run dev` runs: the same, less quick and sooner built. What binds the Worker comes with the control server. */
export const DEV_PARTS = ["dev-control", "dev-worker", "dashboard"];

/**
 * Builds what is named, each as a step.
 *
 * @param {Tools} tools
 * @param {Step} step
 * @param {readonly string[]} names
 */
export async function buildAll(tools, step, names) {
  for (const name of names) {
    const { title, build, about } = PARTS[name];
    await step(title, () => build(tools), about() || "");
  }
}

/**
 * A step that says something only if there was anything to do.
 *
 * @template T
 * @param {string} title
 * @param {() => T | Promise<T>} work
 */
async function newsOnly(title, work) {
  const started = Date.now();
  const result = await work();
  if (result === true) console.log(`${title} took ${timeSince(started)}`);
  return result;
}

/** @param {readonly string[]} args */
async function build(args) {
  const wanted = args.filter((arg) => arg !== "--quiet");
  const unknown = wanted.find((name) => !(name in PARTS));
  if (unknown) throw new Problem(`there is no part ${unknown}`, { remedy: `parts: ${Object.keys(PARTS).join(", ")}` });
  const names = wanted.length > 0 ? wanted : SERVED_PARTS;
  const step = args.includes("--quiet") ? newsOnly : stepper(SETUP_STEPS + names.length);
  await buildAll(await setUp({ step }), step, names);
}

if (isMain(import.meta)) await main(() => build(process.argv.slice(2)));

// The groups of tests, in the order in which they run: quick ones first.

import fs from "node:fs";
import path from "node:path";
import { mutations } from "../mutations.mjs";
import { fromCargo, fromReporter, judged, NONE } from "./counts.mjs";
import { filesOf } from "./freshness.mjs";
import { COMMAND_LINE, CONTROL_SERVER, inRoot } from "./paths.mjs";
import { runShown } from "./run.mjs";

/** @import { TestTools, TestGroup, GroupResult } from "./types.d.ts" */

/** Some files start `npm run dev`, which would build its parts meanwhile. */
const EVERY_PART = ["worker", "programs", "dashboard", "dev-control", "dev-worker"];

/**
 * Each group: what it builds first, and how it runs, which resolves to its counts and why it failed if no test says.
 * One that is `alone` has the machine for itself and runs before the others; one that is `aside` minds no load: it runs while the
 * others do, and is shown when it has ended.
 *
 * @type {{ [name: string]: TestGroup }}
 */
export const GROUPS = {
  rival: { builds: ["worker"], alone: true, run: rivalBench },
  scripts: { builds: [], run: (tools) => nodeTests("scripts", tools) },
  dashboard: { builds: ["dashboard"], run: (tools) => nodeTests("dashboard", tools) },
  rust: { builds: [], sandbox: true, run: rustTests },
  mutations: { builds: [], aside: true, run: mutationTests },
  worker: { builds: EVERY_PART, sandbox: true, run: (tools) => nodeTests("worker", tools) },
  clients: { builds: ["worker", "programs", "dashboard"], others: true, run: (tools) => nodeTests("clients", tools) },
  live: { builds: ["worker", "programs", "dashboard"], run: (tools) => nodeTests("live", tools) },
  e2e: { builds: EVERY_PART, browser: true, run: browserTests },
  soak: { builds: ["worker", "programs", "dashboard"], aside: true, run: (tools) => nodeTests("soak", tools) },
};

/**
 * Files at once. Those with a Worker wait for something most of their time; of those with a browser only some do.
 *
 * @type {{ [name: string]: number }}
 */
const AT_ONCE = { worker: 4, clients: 2, live: 3, e2e: 2, soak: 1 };

/** @type {{ [name: string]: [folder: string, ending: string] }} */
const FILES = {
  scripts: ["tests/scripts", ".test.mjs"],
  dashboard: ["dashboard", ".test.ts"],
  worker: ["tests/worker", ".test.mjs"],
  clients: ["tests/clients", ".test.mjs"],
  live: ["tests/live", ".test.mjs"],
  e2e: ["tests/e2e", ".test.mjs"],
  soak: ["tests/soak", ".test.mjs"],
};

/** @param {string} name */
const filesOfGroup = (name) => filesOf([FILES[name][0]], (file) => file.endsWith(FILES[name][1]));

/** @param {TestTools} tools */
async function rustTests({ env }) {
  const color = process.stdout.isTTY ? { CARGO_TERM_COLOR: "always" } : {};
  const args = ["test", "--workspace", "--locked", "--no-fail-fast"];
  const { code, output } = await runShown("cargo", args, { env: { ...env, ...color } });
  return judged(fromCargo(output), code);
}

/**
 * The comparison with the rival counts as one test: passed unless a ratio is worse than it landed. Only Linux tells what it measures.
 *
 * @param {TestTools} tools
 */
async function rivalBench({ node, env }) {
  if (process.platform !== "linux") return judged({ ...NONE, skipped: 1 }, 0);
  const { code } = await runShown(node, [inRoot("bench/rival.bench.mjs"), "--short"], { env });
  return judged({ ...NONE, passed: code === 0 ? 1 : 0 }, code);
}

/**
 * Each mutation counts as a test: passed if the simulation noticed it.
 *
 * @param {TestTools} tools
 */
async function mutationTests({ env, show = true }) {
  let output = "";
  /** @param {string} line */
  const say = (line) => {
    output += `${line}\n`;
    if (show) console.log(line);
  };
  try {
    return { ...judged(await mutations(env, ({ gate }) => gate === true, say), 0), output };
  } catch (problem) {
    say(`${problem}`);
    return { ...judged(NONE, 1), output };
  }
}

/**
 * @param {string} name
 * @param {TestTools} tools
 * @returns {Promise<GroupResult>}
 */
async function nodeTests(name, { node, env, show }) {
  const files = filesOfGroup(name);
  // Without a file `node --test` would look for some itself.
  if (files.length === 0) return judged(NONE, 0);
  const counted = inRoot(`.wrangler/tests/${name}.jsonl`);
  fs.mkdirSync(path.dirname(counted), { recursive: true });
  const args = [
    ...["--test", "--disable-warning=ExperimentalWarning", ...(name in AT_ONCE ? [`--test-concurrency=${AT_ONCE[name]}`] : [])],
    ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
    ...[`--test-reporter=${inRoot("scripts/lib/count_reporter.mjs")}`, `--test-reporter-destination=${counted}`],
    ...files,
  ];
  fs.rmSync(counted, { force: true });
  const { code, output } = await runShown(node, args, { env: { ...env, CONTROL_SERVER, COMMAND_LINE }, show });
  return { ...judged(fs.existsSync(counted) ? fromReporter(fs.readFileSync(counted, "utf8")) : NONE, code), output };
}

/**
 * Without a browser each file counts as skipped: how many tests it holds only a browser could tell.
 *
 * @param {TestTools} tools
 */
function browserTests({ chromium, missing, ...tools }) {
  const files = filesOfGroup("e2e");
  if (chromium) return nodeTests("e2e", { ...tools, env: { ...tools.env, CHROMIUM: chromium } });
  console.log(`skipped, ${files.length} files: ${missing}`);
  return judged({ ...NONE, skipped: files.length }, 0);
}

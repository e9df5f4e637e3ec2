// `npm test` runs all tests, `npm test -- rust worker` some groups. The last line is `N passed, N failed, N skipped`.

import { buildAll } from "./build.mjs";
import { bubblewrap } from "./lib/bubblewrap.mjs";
import { chromium } from "./lib/chromium.mjs";
import { line, NONE, sum } from "./lib/counts.mjs";
import { main } from "./lib/main.mjs";
import { otherClients } from "./lib/other_clients.mjs";
import { Problem } from "./lib/problem.mjs";
import { stepper, timeSince } from "./lib/steps.mjs";
import { GROUPS } from "./lib/test_groups.mjs";
import { SETUP_STEPS, setUp } from "./setup.mjs";

/** @import { TestGroup, Tools } from "./lib/types.d.ts" */

/** @param {readonly string[]} wanted */
async function test(wanted) {
  const unknown = wanted.filter((name) => !(name in GROUPS));
  const all = Object.keys(GROUPS);
  if (unknown.length > 0) throw new Problem(`there is no group ${unknown.join(", ")}`, { remedy: `groups: ${all.join(", ")}` });
  const names = all.filter((name) => wanted.length === 0 || wanted.includes(name));
  const tools = await prepared(names.map((name) => GROUPS[name])).catch(notEvenPrepared);
  if (!tools) return 1;
  /** @param {string} name */
  const isAside = (name) => GROUPS[name].aside && names.length > 1;
  const results = [];
  for (const name of names.filter((name) => GROUPS[name].alone)) results.push(await group(name, tools));
  const asides = names.filter(isAside).map((name) => aside(name, tools));
  for (const name of names.filter((name) => !isAside(name) && !GROUPS[name].alone)) results.push(await group(name, tools));
  for (const waiting of asides) results.push(await waiting());
  for (const { name, counts, failure } of results) console.log(`${name}: ${line(counts)}${failure ? ` (${failure})` : ""}`);
  const total = sum(results.map(({ counts }) => counts));
  console.log(line(total));
  return total.failed > 0 ? 1 : 0;
}

/**
 * Sets up and builds what the groups need.
 *
 * @param {readonly TestGroup[]} groups
 */
async function prepared(groups) {
  const builds = [...new Set(groups.flatMap(({ builds }) => builds))];
  const browser = groups.some(({ browser }) => browser);
  const others = groups.some(({ others }) => others);
  const sandbox = groups.some(({ sandbox }) => sandbox);
  const step = stepper(SETUP_STEPS + builds.length + [others, browser, sandbox].filter(Boolean).length);
  const tools = await setUp({ step });
  await buildAll(tools, step, builds);
  const clients = others ? await step("looking for the clients that others wrote", () => otherClients(tools.env), "1 min at first") : {};
  const env = { ...tools.env, ...clients };
  if (sandbox) await step("looking for bubblewrap", () => bubblewrap(env));
  return { ...tools, env, ...(browser && (await step("looking for Chromium", () => chromium(env)))) };
}

/**
 * What failed before the first test counts as one, so that the last line is there whatever happens.
 *
 * @param {unknown} problem
 */
function notEvenPrepared(problem) {
  console.error(`\n${problem instanceof Problem ? problem : problem instanceof Error ? problem.stack : problem}`);
  console.log(line({ ...NONE, failed: 1 }));
}

/**
 * @param {string} name
 * @param {Tools} tools
 */
async function group(name, tools) {
  const started = Date.now();
  console.log(`\n── ${name}`);
  const result = await GROUPS[name].run(tools);
  console.log(`── ${name}: ${line(result.counts)} (${timeSince(started)})`);
  return { name, ...result };
}

/**
 * Begins a group; what it gives waits for its end and shows what it printed.
 *
 * @param {string} name
 * @param {Tools} tools
 */
function aside(name, tools) {
  const started = Date.now();
  console.log(`\n── ${name}: begins now, and is shown after the others`);
  const running = Promise.resolve(GROUPS[name].run({ ...tools, show: false })).then((result) => ({ ...result, took: timeSince(started) }));
  return async () => {
    const { output, took, ...result } = await running;
    console.log(`\n── ${name}\n${output}── ${name}: ${line(result.counts)} (${took}, beside the others)`);
    return { name, ...result };
  };
}

await main(() => test(process.argv.slice(2)));

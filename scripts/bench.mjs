// `npm run bench` sets up, builds, and runs every benchmark of bench/, or those that are named: `npm run bench -- latency`.
// What stands behind `rival` are rows and options of that one: `npm run bench -- rival ingest`.

import path from "node:path";
import { buildAll, SERVED_PARTS } from "./build.mjs";
import { filesOf } from "./lib/freshness.mjs";
import { main } from "./lib/main.mjs";
import { CONTROL_SERVER, inRoot } from "./lib/paths.mjs";
import { Problem } from "./lib/problem.mjs";
import { runShown } from "./lib/run.mjs";
import { stepper } from "./lib/steps.mjs";
import { SETUP_STEPS, setUp } from "./setup.mjs";

/** @param {string} file */
const nameOf = (file) => path.basename(file, ".bench.mjs");

const TAKES_WORDS = "rival";

/** @param {readonly string[]} words */
async function bench(words) {
  const own = words.includes(TAKES_WORDS) ? words.indexOf(TAKES_WORDS) + 1 : words.length;
  const [wanted, rest] = [words.slice(0, own), words.slice(own)];
  const all = filesOf(["bench"], (file) => file.endsWith(".bench.mjs"));
  const files = all.filter((file) => wanted.length === 0 || wanted.includes(nameOf(file)));
  if (files.length === 0) throw new Problem("there is no such benchmark", { remedy: `benchmarks: ${all.map(nameOf).join(", ") || "none"}` });
  const step = stepper(SETUP_STEPS + SERVED_PARTS.length);
  const tools = await setUp({ step });
  await buildAll(tools, step, SERVED_PARTS);
  for (const file of files) {
    console.log(`\n── ${nameOf(file)}`);
    const { code } = await runShown(tools.node, [inRoot(file), ...(nameOf(file) === TAKES_WORDS ? rest : [])], { env: { ...tools.env, CONTROL_SERVER } });
    if (code !== 0) throw new Problem(`${file} failed (${code})`);
  }
}

await main(() => bench(process.argv.slice(2)));

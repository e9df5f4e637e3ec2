// Townwatch beside its rival, the same hot paths as Durable Objects in TypeScript (rival/README.md):
//
//   npm run bench -- rival                      all rows; some names of SECTIONS after it: only those
//   npm run bench -- rival --short              what CI runs: fails where a ratio is worse than it landed, measured in quiet
//   npm run bench -- rival --short --land       keeps the ratios as those that landed
//
// Each pair is one run of either, in the order ABBA. A ratio is ours by the rival's, the median of the pairs; its spread is from the
// least to the greatest. Beside it stand the target, the share of the machine that others had, and its load average.

import { Comparison, TooLate } from "./rival/lib/comparison.mjs";
import { buildRival } from "./rival/lib/contenders.mjs";
import { isQuiet, land, worse, worseWords } from "./rival/lib/landed.mjs";
import { header, line } from "./rival/lib/table.mjs";
import { growth } from "./rival/rows/growth.mjs";
import { back, history, page } from "./rival/rows/history.mjs";
import { cap, ingest } from "./rival/rows/ingest.mjs";
import { latency } from "./rival/rows/latency.mjs";
import { memory } from "./rival/rows/memory.mjs";
import { rows } from "./rival/rows/rows.mjs";
import { start } from "./rival/rows/start.mjs";
import { stdout } from "./rival/rows/stdout.mjs";

const SECTIONS = { ingest, cap, latency, history, page, back, stdout, rows, memory, start, growth };
/** What is counted comes first: that can be judged on any machine. */
const SHORT = ["rows", "start", "ingest", "page", "history", "back", "latency", "cap"];

const options = new Set(process.argv.slice(2).filter((one) => one.startsWith("--")));
const named = process.argv.slice(2).filter((one) => !one.startsWith("--"));
const isShort = options.has("--short");
const unknown = [...named.filter((name) => !(name in SECTIONS)), ...[...options].filter((one) => !["--short", "--land"].includes(one))];
if (unknown.length > 0) {
  console.error(`there is no ${unknown.join(", ")}; rows: ${Object.keys(SECTIONS).join(", ")}; options: --short, --land`);
  process.exit(2);
}
if (options.has("--land") && !isShort) {
  console.error("--land keeps the ratios of the short form: --short --land");
  process.exit(2);
}

const wanted = named.length > 0 ? named : isShort ? SHORT : Object.keys(SECTIONS);
process.exit(await run());

async function run() {
  await buildRival();
  console.log(header());
  const comparison = new Comparison({ isShort, show: (row) => console.log(line(row)) });
  try {
    const sectionOf = await measured(comparison, wanted);
    return isShort ? await judged(comparison, sectionOf) : 0;
  } finally {
    await comparison.stop();
  }
}

/** Measures these sections; gives the section of each row. */
async function measured(comparison, names) {
  const sectionOf = new Map();
  const left = [];
  for (const name of names) {
    try {
      await SECTIONS[name](comparison);
    } catch (problem) {
      if (!(problem instanceof TooLate)) throw problem;
      left.push(name);
    }
    for (const row of comparison.rows) if (!sectionOf.has(row.name)) sectionOf.set(row.name, name);
  }
  if (left.length > 0) console.log(`left out for want of time, in whole or in part: ${left.join(", ")}`);
  return sectionOf;
}

/** A row that is worse is measured once more, and fails if it is worse again. */
async function judged(comparison, sectionOf) {
  const { rows } = comparison;
  console.log(`${rows.filter(isQuiet).length} of ${rows.length} rows were measured in quiet, or counted; the others are shown and not judged`);
  if (options.has("--land")) {
    console.log(`${land(rows)} ratios have landed`);
    return 0;
  }
  const suspects = new Set(worse(rows).map(({ name }) => name));
  if (suspects.size === 0) return 0;
  const again = [...new Set([...suspects].map((name) => sectionOf.get(name)))];
  console.log(`worse by more than a tenth, so once more: ${[...suspects].join("; ")}`);
  comparison.restart();
  await measured(comparison, again);
  const found = worse(comparison.rows).filter(({ name }) => suspects.has(name));
  for (const row of found) console.error(`worse by more than a tenth, twice: ${worseWords(row)}`);
  return found.length > 0 ? 1 : 0;
}

// `npm run screenshots`: pictures of every page in `.wrangler/screenshots`, by day and by night, wide and on a phone;
// `npm run screenshots -- town` only those whose names begin so, `-- --readme` the two in `docs/`.

import { buildAll, SERVED_PARTS } from "./build.mjs";
import { chromium } from "./lib/chromium.mjs";
import { main } from "./lib/main.mjs";
import { CONTROL_SERVER, inRoot } from "./lib/paths.mjs";
import { Problem } from "./lib/problem.mjs";
import { runShown } from "./lib/run.mjs";
import { stepper } from "./lib/steps.mjs";
import { SETUP_STEPS, setUp } from "./setup.mjs";

/** @param {readonly string[]} wanted */
async function screenshots(wanted) {
  const step = stepper(SETUP_STEPS + SERVED_PARTS.length + 1);
  const tools = await setUp({ step });
  await buildAll(tools, step, SERVED_PARTS);
  const found = await step("looking for Chromium", () => chromium(tools.env));
  if (found.chromium === undefined) throw new Problem(found.missing);
  const env = { ...tools.env, CONTROL_SERVER, CHROMIUM: found.chromium };
  return (await runShown(tools.node, [inRoot("tests/e2e/screenshots.mjs"), ...wanted], { env })).code;
}

await main(() => screenshots(process.argv.slice(2)));

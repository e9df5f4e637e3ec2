// `npm run link` prints a new link to what `npm run dev` runs; `npm run link -- /towns/…` one to that page.

import { readDevVars } from "./lib/dev_vars.mjs";
import { link, pathOf } from "./lib/link.mjs";
import { main } from "./lib/main.mjs";
import { ports } from "./lib/ports.mjs";
import { Problem } from "./lib/problem.mjs";

await main(async () => {
  const path = pathOf(process.argv[2]);
  const vars = readDevVars();
  if (!vars.TOWNWATCH_API_KEY) throw new Problem("there is no key yet", { remedy: "npm run dev  makes one" });
  console.log(await link(`http://127.0.0.1:${ports().port}`, vars, path));
  console.error("It signs one browser in, once, within a minute.");
});

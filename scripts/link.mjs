// `npm run link` prints the link of `npm run dev` again.

import { readDevVars } from "./lib/dev_vars.mjs";
import { link } from "./lib/link.mjs";
import { main } from "./lib/main.mjs";
import { ports } from "./lib/ports.mjs";
import { Problem } from "./lib/problem.mjs";

await main(async () => {
  const vars = readDevVars();
  if (!vars.TOWNWATCH_API_KEY) throw new Problem("there is no key yet", { remedy: "npm run dev  makes one" });
  console.log(link(ports().port, vars));
});

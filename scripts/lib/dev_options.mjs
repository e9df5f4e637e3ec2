// What may be said behind `npm run dev --`.

import { Problem } from "./problem.mjs";
import { SANDBOXES } from "./sandbox.mjs";

const OPTIONS = ["--sandbox", "--replace", "--inspect"];
const NAMED = Object.fromEntries(SANDBOXES.map((name) => [`--sandbox=${name}`, name]));

/**
 * `{sandbox, replace, inspect}`: the sandbox by its name, `any` or `none`; of the others whether they were said.
 *
 * @param {readonly string[]} args
 */
export function devOptions(args) {
  const unknown = args.find((arg) => !OPTIONS.includes(arg) && !(arg in NAMED));
  if (unknown) {
    const remedy = `npm run dev, or npm run dev -- with one of ${OPTIONS.join(", ")} (--sandbox=${SANDBOXES.join(" or ")})`;
    throw new Problem(`there is no option ${unknown}`, { remedy });
  }
  const [anySandbox, replace, inspect] = OPTIONS.map((option) => args.includes(option));
  const sandbox = args.map((arg) => NAMED[arg]).find(Boolean) ?? (anySandbox ? "any" : "none");
  if (sandbox !== "none" && inspect) {
    throw new Problem("a debugger shows the Worker's memory and secrets to whoever reaches this machine's loopback, and an agent in a sandbox may", {
      remedy: "leave --sandbox or --inspect away",
    });
  }
  return { sandbox, replace, inspect };
}

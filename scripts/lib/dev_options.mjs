// What may be said behind `npm run dev --`.

import { Problem } from "./problem.mjs";

const OPTIONS = ["--sandbox", "--replace", "--inspect"];

/** `{sandbox, replace, inspect}`, each whether it was said. */
export function devOptions(args) {
  const unknown = args.find((arg) => !OPTIONS.includes(arg));
  if (unknown) throw new Problem(`there is no option ${unknown}`, { remedy: `npm run dev, or npm run dev -- with one of ${OPTIONS.join(", ")}` });
  const [sandbox, replace, inspect] = OPTIONS.map((option) => args.includes(option));
  if (sandbox && inspect) {
    throw new Problem("a debugger shows the Worker's memory and secrets to whoever reaches this machine's loopback, and an agent in a sandbox does", {
      remedy: "leave --sandbox or --inspect away",
    });
  }
  return { sandbox, replace, inspect };
}

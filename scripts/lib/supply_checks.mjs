// What is asked of others about what they wrote: whether npm packages are signed by those who published them, and whether
// a fault is known of a crate. Both are asked of places that are no package registry; where one cannot be reached, that is
// said, and nothing fails.

import { ask, commandLine, runShown } from "./run.mjs";
import { Problem } from "./problem.mjs";

const NOT_INSTALLED = "cargo-deny is not installed (cargo install cargo-deny --locked)";
const CARGO_DENY = ["deny", "--workspace", "--locked"];
/** One try: npm would otherwise wait for minutes. */
const ONE_TRY = ["--fetch-retries=0", "--fetch-timeout=20000"];

/** Each with whether it needs cargo-deny. Licences and sources are told by the lock file alone. */
export const SUPPLY_CHECKS = [
  { title: "licences and sources of crates", command: "cargo", args: [...CARGO_DENY, "--offline", "check", "licenses", "bans", "sources"] },
  { title: "known faults of crates", command: "cargo", args: [...CARGO_DENY, "check", "advisories"] },
  { title: "signatures of npm packages", command: "npm", args: ["audit", "signatures", ...ONE_TRY] },
];

/** Whether an answer only says that its place cannot be reached. */
export const isUnreachable = (output) =>
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|UNABLE_TO_GET_ISSUER)|failed to fetch advisory|could not resolve host|couldn't connect to server/i.test(output);

/** Runs one of them, as a step of its own. */
export async function checkSupply({ title, command, args }, step, env) {
  if (command === "cargo" && !ask("cargo", ["deny", "--version"], env)) {
    await step(`skipping ${title}: ${NOT_INSTALLED}`, async () => {});
    return;
  }
  const { code, output } = await runShown(command, args, { env, show: false });
  if (code !== 0 && isUnreachable(output)) {
    await step(`skipping ${title}: what knows of them cannot be reached from here`, async () => {});
    return;
  }
  await step(`checking ${title}`, async () => {
    if (code !== 0) throw new Problem(`failed: ${commandLine(command, args)} (${code})`, { output });
  });
}

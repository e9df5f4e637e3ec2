// What is asked of others about what they wrote: whether npm packages are signed by those who published them, and whether
// a fault is known of a crate. Both are asked of places that are no package registry; where one cannot be reached, that is
// said, and nothing fails.

import { Problem } from "./problem.mjs";
import { ask, commandLine, runShown } from "./run.mjs";

/** @import { Env, Step } from "./types.d.ts" */

const NOT_INSTALLED = "cargo-deny is not installed (cargo install cargo-deny --locked)";
const CARGO_DENY = ["deny", "--workspace", "--locked"];
/** One try: npm would otherwise wait for minutes. */
const ONE_TRY = ["--fetch-retries=0", "--fetch-timeout=20000"];

/**
 * Licences and sources are told by the lock file alone, so that any failure is a fault. The others ask a place that may be
 * out of reach, closed by a proxy or copied in part by a mirror, each with words of its own; `fault` is what they print of
 * a fault that was found, and only that fails.
 */
export const SUPPLY_CHECKS = [
  { title: "licences and sources of crates", command: "cargo", args: [...CARGO_DENY, "--offline", "check", "licenses", "bans", "sources"], fault: /^/ },
  { title: "known faults of crates", command: "cargo", args: [...CARGO_DENY, "check", "advisories"], fault: /^(error|warning)\[(vulnerability|unmaintained|unsound|yanked|notice)\]/m },
  { title: "signatures of npm packages", command: "npm", args: ["audit", "signatures", ...ONE_TRY], fault: /packages? ha(s|ve) (an )?(invalid|missing) (registry signature|attestation)/ },
];

/**
 * The first line of a program's output that says why, for example `npm error code ENOTFOUND`.
 *
 * @param {string} output
 */
const reasonOf = (output) => output.split("\n").map((line) => line.trim()).find((line) => /error|fail|cannot|could not/i.test(line)) ?? "it gave no reason";

/**
 * Runs one of them, as a step of its own.
 *
 * @param {(typeof SUPPLY_CHECKS)[number]} options
 * @param {Step} step
 * @param {Env} env
 */
export async function checkSupply({ title, command, args, fault }, step, env) {
  if (command === "cargo" && !ask("cargo", ["deny", "--version"], env)) {
    await step(`skipping ${title}: ${NOT_INSTALLED}`, async () => {});
    return;
  }
  const { code, output } = await runShown(command, args, { env, show: false });
  if (code !== 0 && !fault.test(output)) {
    await step(`skipping ${title}: what knows of them did not answer here (${reasonOf(output)})`, async () => {});
    return;
  }
  await step(`checking ${title}`, async () => {
    if (code !== 0) throw new Problem(`failed: ${commandLine(command, args)} (${code})`, { output });
  });
}

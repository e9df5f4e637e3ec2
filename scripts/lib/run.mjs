// Runs one command to its end.

import { spawnSync } from "node:child_process";
import { startChild } from "./children.mjs";
import { ROOT } from "./paths.mjs";
import { Problem } from "./problem.mjs";

/** @import { Env } from "./types.d.ts" */

/** As long as a quick command may take: the engine of a container may be there and answer nothing. */
const QUICK_MS = 30_000;

/**
 * Runs a command with its output kept; a failure becomes a Problem with that output.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Env, remedy?: string }} [options]
 */
export async function run(command, args, { env = process.env, remedy = "" } = {}) {
  const { code, output } = await runShown(command, args, { env, show: false });
  if (code !== 0) throw new Problem(`failed: ${commandLine(command, args)} (${code})`, { remedy, output });
  return output;
}

/**
 * Runs a command, shows its output as it comes unless told not to, and returns it with the exit code.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Env, show?: boolean }} [options]
 * @returns {Promise<{ code: number | string | null | undefined, output: string }>}
 */
export function runShown(command, args, { env = process.env, show = true } = {}) {
  return new Promise((resolve) => {
    const child = startChild(command, args, { env, cwd: ROOT });
    let output = "";
    /** @param {NodeJS.WriteStream} target */
    const collect = (target) => (/** @type {string} */ chunk) => {
      output += chunk;
      if (show) target.write(chunk);
    };
    child.stdout.setEncoding("utf8").on("data", collect(process.stdout));
    child.stderr.setEncoding("utf8").on("data", collect(process.stderr));
    child.on("error", (/** @type {NodeJS.ErrnoException} */ error) => resolve({ code: error.code, output: output + error.message }));
    child.on("close", (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

/**
 * What a quick command prints, trimmed; undefined where it fails, does not exist, or is not quick.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Env} [env]
 */
export function ask(command, args, env = process.env) {
  /** @type {import("node:child_process").SpawnSyncOptionsWithStringEncoding} */
  const options = { env, cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: QUICK_MS };
  const { status, stdout } = spawnSync(command, args, options);
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * A command as one would type it.
 *
 * @param {string} command
 * @param {readonly string[]} args
 */
export const commandLine = (command, args) => [command, ...args].join(" ");

// How a script starts and ends.

import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { endAllChildren, endWithSignals, isEnding } from "./children.mjs";
import { Problem } from "./problem.mjs";

/** @import { ExitCode } from "./types.d.ts" */

/**
 * Whether a module is the script that was started, not one that is imported.
 *
 * @param {ImportMeta} meta
 */
export const isMain = (meta) => fs.realpathSync(process.argv[1]) === fileURLToPath(meta.url);

/**
 * Runs a script: what it returns is the exit code (nothing is 0); a Problem is shown in its words, with exit code 1.
 * However it ends, the processes it started end with it. `codeForSignal`: the exit code after Ctrl-C and its like.
 *
 * @param {() => ExitCode | Promise<ExitCode>} run
 * @param {{ codeForSignal?: (number: number) => number }} [options]
 */
export async function main(run, { codeForSignal } = {}) {
  endWithSignals(codeForSignal);
  try {
    process.exitCode = (await run()) ?? 0;
  } catch (error) {
    // What we end ourselves fails, too.
    if (!isEnding()) console.error(`\n${error instanceof Problem ? error : error instanceof Error ? error.stack : error}`);
    process.exitCode = 1;
  }
  await endAllChildren();
}

// The real programs from npm, installed once into a folder outside the checkout. They are hundreds of megabytes, so only
// CI does that by itself; elsewhere TOWNWATCH_AGENTS=1 asks for it.

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";

const INSTALL_MS = 180_000;
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "townwatch/agents");

export const PACKAGES = {
  opencode: { name: "opencode-ai", version: "1.18.33" },
  kilo: { name: "@kilocode/cli", version: "7.7.7" },
};

/** The tests of a program; where it is missing they are one test that is skipped and says why. */
export const testsOf = (missing, name, tests) => (missing === undefined ? describe(name, tests) : it(name, { skip: missing }));

/** `{bin}`, the folder that has the program's command; or `{missing}`, why it cannot be had. */
export async function installed(program) {
  const { name, version } = PACKAGES[program];
  if (!process.env.CI && process.env.TOWNWATCH_AGENTS !== "1") return { missing: `${name} is only run in CI or with TOWNWATCH_AGENTS=1` };
  const directory = join(CACHE, `${program}-${version}`);
  const bin = join(directory, "node_modules/.bin");
  if (existsSync(join(bin, program))) return { bin };
  const making = `${directory}.${process.pid}`;
  try {
    mkdirSync(making, { recursive: true });
    const args = ["install", "--prefix", making, "--no-audit", "--no-fund", "--no-save", `${name}@${version}`];
    await promisify(execFile)("npm", args, { timeout: INSTALL_MS, cwd: making });
    rmSync(directory, { recursive: true, force: true });
    renameSync(making, directory);
    return existsSync(join(bin, program)) ? { bin } : { missing: `${name} ${version} has no command ${program}` };
  } catch (problem) {
    rmSync(making, { recursive: true, force: true });
    return { missing: `${name} ${version} cannot be installed: ${String(problem.stderr ?? problem.message).trim().split("\n").at(-1)}` };
  }
}

// The real agents, from npm, each in a version that is pinned, in a folder of its own outside the checkout.
//
// They are 100 to 400 MB each, so tests with them are asked for: TOWNWATCH_AGENTS=all, or names as in
// TOWNWATCH_AGENTS=codex,gemini. CI asks for all. What cannot be had in 3 minutes is skipped, and the skip says why.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * The programs by their commands. The image installs the same. `npm run types` writes them from the table of runtimes.
 * @type {{ [command: string]: { package: string, version: string, has_install_script: boolean } }}
 */
export const PROGRAMS = JSON.parse(readFileSync(new URL("../../container/programs.json", import.meta.url), "utf8"));
const INSTALL_MS_MAX = 180_000;
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "townwatch/agents");

/** The version that is pinned. */
export const versionOf = (name) => PROGRAMS[name].version;

/** The folder with the agent's command, or `missing`, which says why there is none. */
export async function agentFromNpm(name) {
  const { TOWNWATCH_AGENTS: asked = process.env.CI ? "all" : "" } = process.env;
  if (asked !== "all" && !asked.split(",").includes(name)) {
    return { bin: "", missing: `the real ${name} is not asked for; TOWNWATCH_AGENTS=${name} installs and runs it` };
  }
  const folder = join(CACHE, `${name}-${versionOf(name)}`);
  const bin = join(folder, "node_modules/.bin");
  if (!existsSync(bin)) {
    const { package: packageName, version, has_install_script } = PROGRAMS[name];
    const wanted = `${packageName}@${version}`;
    // Said either way: under `npm run` npm inherits what this project's `.npmrc` says of its own packages.
    const problem = await install(wanted, folder, [`--ignore-scripts=${!has_install_script}`]);
    if (problem !== null) return { bin: "", missing: `${wanted} could not be had from npm: ${problem}` };
  }
  return { bin, missing: undefined };
}

/** Installs beside the folder first, so that a folder that is there is whole. Gives what went wrong, or null. */
async function install(wanted, folder, options) {
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  const args = ["install", "--prefix", unfinished, ...options, "--no-audit", "--no-fund", "--loglevel=error", wanted];
  const npm = spawn("npm", args, { stdio: ["ignore", "ignore", "pipe"], timeout: INSTALL_MS_MAX, killSignal: "SIGKILL" });
  let errors = "";
  npm.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
  const [code, signal] = await new Promise((resolve) => {
    npm.once("error", (error) => resolve([error.message, null]));
    npm.once("close", (...how) => resolve(how));
  });
  if (code === 0 && !existsSync(folder)) renameSync(unfinished, folder);
  rmSync(unfinished, { recursive: true, force: true });
  if (code === 0) return null;
  if (signal !== null) return `it took longer than ${INSTALL_MS_MAX / 1000} s`;
  return errors.trim().split("\n").at(-1) || `npm ended with ${code}`;
}

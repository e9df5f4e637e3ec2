// A small repository that an agent works on, with the configuration of OpenCode and Kilo in it.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { temporaryDirectory } from "../worker/processes.mjs";

/** What an order needs to work in a clone of it, with nothing of this machine's user. */
export function repository(config) {
  const directory = temporaryDirectory();
  const git = (...args) => execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd: directory });
  writeFileSync(join(directory, "README.md"), "# Scratch\n\nÜnïcödé ✓\n");
  for (const name of ["opencode.json", "kilo.json"]) writeFileSync(join(directory, name), JSON.stringify(config));
  git("init", "--quiet", "--initial-branch=main");
  git("add", ".");
  git("commit", "--quiet", "-m", "start");
  const home = temporaryDirectory();
  return { git_url: `file://${directory}`, env_vars: { HOME: home, XDG_CONFIG_HOME: join(home, "config"), XDG_DATA_HOME: join(home, "data"), XDG_CACHE_HOME: join(home, "cache"), XDG_STATE_HOME: join(home, "state") } };
}

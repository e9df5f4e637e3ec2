// Bubblewrap, by which each agent of development gets a sandbox of its own.

import { aptInstall } from "./apt.mjs";
import { Problem } from "./problem.mjs";
import { ask } from "./run.mjs";

/** @import { Env } from "./types.d.ts" */

/** A sandbox in which nothing happens: with users, processes and files of its own. */
const TRIAL = ["--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"];

/** @param {Env} env */
const isInstalled = (env) => ask("bwrap", ["--version"], env) !== undefined;
/** @param {Env} env */
const works = (env) => ask("bwrap", TRIAL, env) !== undefined;

/**
 * Installs it for the tests where apt-get can; they say themselves what they skip.
 *
 * @param {Env} env
 */
export async function bubblewrap(env) {
  if (!isInstalled(env)) await aptInstall("bubblewrap", env);
}

/**
 * Why agents cannot be shut in here, and what to do; or nothing.
 *
 * @param {Env} env
 * @param {NodeJS.Platform} platform
 */
export function bubblewrapObstacle(env, platform) {
  if (platform !== "linux") {
    const remedy = "run all of it in a virtual machine with Linux";
    return new Problem("--sandbox needs bubblewrap, which is there for Linux only", { remedy });
  }
  if (!isInstalled(env)) {
    const remedy = "sudo apt-get install bubblewrap (or sudo dnf install bubblewrap, sudo pacman -S bubblewrap), and start again";
    return new Problem("--sandbox needs bubblewrap, which is not installed", { remedy });
  }
  if (!works(env)) {
    const remedy =
      "allow user namespaces: `bwrap --unshare-user --ro-bind / / true` says what is in the way. On Ubuntu 24.04 and newer it is " +
      "sysctl kernel.apparmor_restrict_unprivileged_userns, in a container what started it";
    return new Problem("bubblewrap is installed, but this system does not let it make a sandbox", { remedy });
  }
  return undefined;
}

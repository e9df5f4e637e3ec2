// Installing a package of the system, where that asks nobody for a password.

import { ask, run } from "./run.mjs";

/** @import { Env } from "./types.d.ts" */

/**
 * Installs it if apt-get is there and may; gives what went wrong.
 *
 * @param {string} name
 * @param {Env} env
 */
export async function aptInstall(name, env) {
  const sudo = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  const canInstall = ask("apt-get", ["--version"]) && (sudo.length === 0 || ask("sudo", ["-n", "true"]) !== undefined);
  if (!canInstall) return undefined;
  try {
    await apt(sudo, ["update"], env);
    await apt(sudo, ["install", "-y", "--no-install-recommends", name], env);
  } catch (problem) {
    return `installing ${name} did not work:\n${problem}`;
  }
  return undefined;
}

/**
 * @param {readonly string[]} sudo
 * @param {readonly string[]} args
 * @param {Env} env
 */
function apt(sudo, args, env) {
  const [command, ...rest] = [...sudo, "apt-get", ...args];
  return run(command, rest, { env: { ...env, DEBIAN_FRONTEND: "noninteractive" } });
}

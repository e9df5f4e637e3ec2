// The clients and generators that others wrote, which tests/clients holds against the Worker: npm packages beside the tests,
// and Python's in a folder of the cache. None is a part of Townwatch.

import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { CACHE, inRoot } from "./paths.mjs";
import { ask, run } from "./run.mjs";

/** @import { Env } from "./types.d.ts" */

const FOLDER = inRoot("tests/clients");
const REQUIREMENTS = path.join(FOLDER, "requirements.txt");
const PYTHON_MIN = "3.10";

/**
 * Installs them where they are not; gives the environment by which the tests find Python's, or know why they are not there.
 *
 * @param {Env} env
 */
export async function otherClients(env) {
  await npmPackages(env);
  const { python, missing } = await pythonPackages(env);
  return python ? { CLIENTS_PYTHON: python } : { CLIENTS_PYTHON_MISSING: missing };
}

/** @param {Env} env */
async function npmPackages(env) {
  const [lock, stamp] = ["package-lock.json", "node_modules/.townwatch-lock-hash"].map((name) => path.join(FOLDER, name));
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === hashOf(lock)) return;
  const args = ["--prefix", FOLDER, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await run("npm", args, { env, remedy: "is the network there?" });
  fs.writeFileSync(stamp, hashOf(lock));
}

/**
 * A Python that has the packages: `{python}`, or `{missing}`, which says why and what to do.
 *
 * @param {Env} env
 */
async function pythonPackages(env) {
  // Named by what it holds: one folder for all copies of the project.
  const folder = path.join(CACHE, `clients-${hashOf(REQUIREMENTS).slice(0, 16)}`);
  const [python, stamp] = [path.join(folder, "bin/python"), path.join(folder, "complete")];
  if (fs.existsSync(stamp)) return { python };
  const newEnough = `import sys; sys.exit(sys.version_info < (${PYTHON_MIN.replace(".", ", ")}))`;
  if (ask("python3", ["-c", newEnough], env) === undefined) return { missing: `there is no python3 of ${PYTHON_MIN} or newer` };
  if (ask("python3", ["-c", "import venv, ensurepip"], env) === undefined) {
    return { missing: "python3 cannot make environments; install its part for that (sudo apt-get install python3-venv)" };
  }
  try {
    await run("python3", ["-m", "venv", "--clear", folder], { env });
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS];
    await run(python, pip, { env, remedy: "is the network there?" });
  } catch (problem) {
    return { missing: `installing Python's clients did not work:\n${problem}` };
  }
  fs.writeFileSync(stamp, "");
  return { python };
}

/** @param {string} file */
const hashOf = (file) => createHash("sha256").update(fs.readFileSync(file)).digest("hex");

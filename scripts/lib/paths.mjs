// Where things are. Everything that lasts lies in the project's folder or in one cache folder.

import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/**
 * The path of something in the project.
 *
 * @param {string[]} parts
 */
export const inRoot = (...parts) => path.join(ROOT, ...parts);

const cacheHome = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");

/** What is kept between runs and shared by all copies of the project. */
export const CACHE = path.join(cacheHome, "townwatch");

/** Cargo's target folder. */
export const TARGET = path.resolve(ROOT, process.env.CARGO_TARGET_DIR || "target");

/** The control server, once built. */
export const CONTROL_SERVER = path.join(TARGET, "release", "townwatch-control");

/** The command line, once built. */
export const COMMAND_LINE = path.join(TARGET, "release", "townwatch");

/** The profile of Cargo.toml in which `npm run dev` builds. */
export const DEVELOP = "develop";

/** The control server of `npm run dev`, once built. */
export const DEV_CONTROL_SERVER = path.join(TARGET, DEVELOP, "townwatch-control");

/** Where the Worker of `npm run dev` is built: a folder like the project's, so that `src/entrance.mjs` finds `build/` there, too. */
export const DEV_ROOT = inRoot(".wrangler/develop");

/** The program that runs the Worker of local development. */
export const DEV_WORKER = inRoot("scripts/lib/dev_worker.mjs");

/** The secrets of local development. */
export const DEV_VARS = inRoot(".dev.vars");

// A Chromium for the browser tests.

import fs from "node:fs";
import path from "node:path";
import { aptInstall } from "./apt.mjs";

/** @import { Env } from "./types.d.ts" */

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const APPLICATIONS = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** Where Chromium is: named by CHROMIUM, on PATH, or where macOS keeps it; else undefined. */
export function findChromium({ CHROMIUM, PATH } = process.env) {
  if (CHROMIUM) return fs.existsSync(CHROMIUM) ? CHROMIUM : undefined;
  const onPath = (PATH ?? "").split(path.delimiter).flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  return [...onPath, ...APPLICATIONS].find((file) => fs.existsSync(file));
}

/**
 * Finds Chromium or installs it where apt-get can; `{chromium}` or `{missing}`, which says why and what to do.
 *
 * @param {Env} env
 */
export async function chromium(env) {
  const found = findChromium(env);
  if (found) return { chromium: found };
  if (env.CHROMIUM) return { missing: `CHROMIUM names ${env.CHROMIUM}, which is not there` };
  const problem = await aptInstall("chromium", env);
  if (problem) return { missing: problem };
  const installed = findChromium(env);
  if (installed) return { chromium: installed };
  return { missing: "there is no Chromium; install it (sudo apt-get install chromium) or name one: CHROMIUM=/path npm test" };
}

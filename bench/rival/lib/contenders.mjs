// The two that are compared: Townwatch as it is built, and the rival, each under a workerd of its own.

import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { BareWorker } from "../../../tests/worker/bare_worker.mjs";
import { startWorld } from "../../../tests/worker/harness.mjs";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const OUT = join(ROOT, ".wrangler/rival");
export const RIVAL_SCRIPT = join(OUT, "worker.js");
export const OURS_WASM = join(ROOT, "build/index_bg.wasm");
/** In the order of a pair; the next pair has them the other way round. */
export const NAMES = ["ours", "rival"];

class RivalWorker extends BareWorker {
  modules = { rootPath: OUT, modulesRoot: OUT, modules: [{ type: "ESModule", path: RIVAL_SCRIPT }] };
  objects = { TOWN: "Town", RIG: "Rig" };
}

/** Bundles the rival, as wrangler would. */
export async function buildRival() {
  await build({
    entryPoints: [fileURLToPath(new URL("../src/worker.ts", import.meta.url))],
    outfile: RIVAL_SCRIPT,
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2024",
    external: ["cloudflare:workers"],
    logLevel: "warning",
  });
}

/** Starts one; `options` as of `startWorld`. Without `control: true` it has no control server. */
export function startContender(name, options = {}) {
  return startWorld({ control: false, ...options, ...(name === "ours" ? { bare: true } : { worker: RivalWorker }) });
}

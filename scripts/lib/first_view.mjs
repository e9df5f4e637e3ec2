// How much JavaScript a browser loads before the dashboard shows anything.

import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { inRoot } from "./paths.mjs";
import { Problem } from "./problem.mjs";

export const FIRST_VIEW_MAX_BYTES = 120 * 1024;

/** Bytes, compressed, of the scripts that `dist/index.html` names and of all that they import at once. */
export function firstViewBytes(dist = inRoot("dist")) {
  const page = fs.readFileSync(path.join(dist, "index.html"), "utf8");
  const wanted = [...page.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map(([, file]) => file);
  const seen = new Map();
  for (let file = wanted.pop(); file !== undefined; file = wanted.pop()) {
    if (seen.has(file)) continue;
    const code = fs.readFileSync(path.join(dist, file), "utf8");
    seen.set(file, gzipSync(code, { level: 9 }).length);
    // `import("…")` waits until it is needed, and does not count.
    for (const [, name] of code.matchAll(/(?:^|[;}\s])(?:import|export)(?:[^"'()]*?from)?\s*["'](\.[^"']+)["']/g)) {
      wanted.push(path.join(path.dirname(file), name));
    }
  }
  return [...seen.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Fails where it is more than the budget. */
export function holdFirstView() {
  const bytes = firstViewBytes();
  if (bytes <= FIRST_VIEW_MAX_BYTES) return;
  /** @param {number} value */
  const kib = (value) => `${(value / 1024).toFixed(1)} KiB`;
  throw new Problem(`the first view loads ${kib(bytes)} of JavaScript (compressed); its budget is ${kib(FIRST_VIEW_MAX_BYTES)}`, {
    remedy: "load what is not needed at once with import()",
  });
}

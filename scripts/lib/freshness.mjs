// Whether something built is still what its inputs make: told by content, so a checkout or a touched file changes nothing.

import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { inRoot, ROOT } from "./paths.mjs";
import { Problem } from "./problem.mjs";

const STAMPS = inRoot(".wrangler/built");

/**
 * Builds unless `outputs` are what an earlier build made of the same `inputs`. Both are files or folders in the project;
 * `versions` is any text that changes the result. Returns whether it built.
 *
 * @param {{ name: string, inputs: readonly string[], outputs: readonly string[], versions: string }} options
 * @param {() => unknown} build
 */
export async function buildUnlessFresh({ name, inputs, outputs, versions }, build) {
  const missing = inputs.filter((input) => !fs.existsSync(inRoot(input)));
  if (missing.length > 0) {
    throw new Problem(`${missing.join(", ")}: what ${name} is made of is not there`, { remedy: "is this a whole checkout?  git status" });
  }
  const stamp = path.join(STAMPS, name);
  const wanted = () => digest([...inputs, ...outputs], versions);
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === wanted()) return false;
  const before = digest(inputs, versions);
  fs.rmSync(stamp, { force: true });
  await build();
  // What changed during the build may or may not be in it.
  if (digest(inputs, versions) === before) {
    fs.mkdirSync(STAMPS, { recursive: true });
    fs.writeFileSync(stamp, wanted());
  }
  return true;
}

/**
 * All files below the folders, and the files themselves, sorted, as paths in the project.
 *
 * @param {readonly string[]} parts
 * @param {(file: string) => boolean} [keep]
 * @returns {string[]}
 */
export function filesOf(parts, keep = () => true) {
  const files = parts.flatMap((part) => {
    const stat = fs.statSync(inRoot(part), { throwIfNoEntry: false });
    if (!stat?.isDirectory()) return stat ? [part] : [];
    const inside = fs.readdirSync(inRoot(part)).filter((name) => name !== "node_modules");
    return filesOf(inside.map((name) => path.join(part, name)));
  });
  return files.filter(keep).sort();
}

/**
 * @param {readonly string[]} parts
 * @param {string} versions
 */
function digest(parts, versions) {
  const hash = createHash("sha256").update(versions);
  for (const file of filesOf(parts)) {
    const content = fs.readFileSync(path.join(ROOT, file));
    hash.update(`\n${file} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

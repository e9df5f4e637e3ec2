// A patch's own lines, for those who show them as they show differences.

import type { DiffLine } from "../worker/messages.ts";

/** Headers are holes that have a name. */
export function patchLines(patch: string): DiffLine[] {
  return patch.split("\n").map((line) => {
    if (/^(@@|\*\*\*|---|\+\+\+|diff |index )/.test(line)) return { kind: "hole", text: line };
    const kind = line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "same";
    return { kind, text: line.slice(1) };
  });
}

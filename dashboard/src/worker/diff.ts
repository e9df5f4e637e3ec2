// The lines that differ, with a few around them.

import { structuredPatch } from "diff";
import type { DiffLine } from "./messages.ts";

const CONTEXT_LINES = 3;
/** Beyond so many differing lines, what was there and what is there now are shown one after the other. */
const EDITS_MAX = 2_000;

export function diffLines(before: string, after: string): DiffLine[] {
  // Whether the last line has an end of its own is no difference that one wants to see.
  const patch = structuredPatch("", "", ended(before), ended(after), "", "", { context: CONTEXT_LINES, maxEditLength: EDITS_MAX });
  if (patch === undefined) {
    const all = (text: string, kind: DiffLine["kind"]): DiffLine[] => text.split("\n").map((line) => ({ kind, text: line }));
    return [...all(before, "removed"), ...all(after, "added")];
  }
  return patch.hunks.flatMap((hunk, index) => [
    ...(index > 0 ? [{ kind: "hole", text: "" } as const] : []),
    ...hunk.lines.map((line) => ({ kind: kindOf(line), text: line.slice(1) })),
  ]);
}

function ended(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

function kindOf(line: string): DiffLine["kind"] {
  if (line.startsWith("+")) return "added";
  return line.startsWith("-") ? "removed" : "same";
}

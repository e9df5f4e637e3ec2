// What a call changed in a file, line by line.

import { useState } from "preact/hooks";
import type { CallChange } from "../client/call_changes.ts";
import { isLockFile } from "../client/call_changes.ts";
import { patchLines } from "../client/patch_lines.ts";
import { countWords } from "../client/sentences.ts";
import { visibleText } from "../client/visible_text.ts";
import type { DiffLine } from "../worker/messages.ts";
import { useWork } from "./work.ts";

/** More begin folded. */
const LINES_MAX = 400;

interface DiffViewProps {
  readonly change: CallChange;
  /** Whether a long one begins folded. */
  readonly folds?: boolean;
}

export function DiffView({ change, folds = true }: DiffViewProps) {
  const [open, setOpen] = useState(!isLockFile(change.path));
  return (
    <figure class="diff">
      {change.path !== "" && (
        <figcaption>
          <code>{visibleText(change.path)}</code>
          {!open && (
            <button type="button" class="text-button" onClick={() => setOpen(true)}>
              Show the lock file
            </button>
          )}
        </figcaption>
      )}
      {open && <Change change={change} lines_max={folds ? LINES_MAX : Infinity} />}
    </figure>
  );
}

function Change({ change, lines_max }: { change: CallChange; lines_max: number }) {
  switch (change.kind) {
    case "texts":
      return <Texts before={change.before} after={change.after} lines_max={lines_max} />;
    case "whole":
      return <Lines lines={linesOf(change.after, "added")} lines_max={lines_max} />;
    case "patch":
      return <Lines lines={patchLines(change.patch)} lines_max={lines_max} />;
  }
}

function Texts({ before, after, lines_max }: { before: string; after: string; lines_max: number }) {
  const lines = useWork({ kind: "diff", before, after });
  return <Lines lines={lines ?? [...linesOf(before, "removed"), ...linesOf(after, "added")]} lines_max={lines_max} />;
}

function linesOf(text: string, kind: DiffLine["kind"]): DiffLine[] {
  const lines = text.split("\n");
  // A line feed ends the last line and begins none.
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => ({ kind, text: line }));
}

const marks = { same: " ", added: "+", removed: "−", hole: "⋯" } as const;
const spoken = { same: "", added: "added: ", removed: "removed: ", hole: "" } as const;

function Lines({ lines, lines_max }: { lines: readonly DiffLine[]; lines_max: number }) {
  const [opened, setWhole] = useState(false);
  const whole = opened || lines.length <= lines_max * 1.2;
  const shown = whole ? lines : lines.slice(0, lines_max);
  return (
    <>
      <div class="diff-lines" tabIndex={0}>
        {shown.map(({ kind, text }, index) => (
          <div key={index} class={`diff-line ${kind}`}>
            <span class="diff-mark" aria-hidden="true">
              {marks[kind]}
            </span>
            <span class="hidden">{spoken[kind]}</span>
            <span class="diff-text">{visibleText(text.replace(/\r$/, ""))}</span>
          </div>
        ))}
      </div>
      {!whole && (
        <button type="button" class="text-button" onClick={() => setWhole(true)}>
          Show all {countWords(lines.length, "line", "lines")}
        </button>
      )}
    </>
  );
}

// What a call changed in a file, line by line.

import { useState } from "preact/hooks";
import { isLockFile } from "../client/call_changes.ts";
import type { CallChange } from "../client/call_changes.ts";
import { patchLines } from "../client/patch_lines.ts";
import { countWords } from "../client/sentences.ts";
import { visibleText } from "../client/visible_text.ts";
import type { DiffLine } from "../worker/messages.ts";
import { useWork } from "./work.ts";

/** More begin folded. */
const LINES_MAX = 400;

export function DiffView({ change }: { change: CallChange }) {
  const [open, setOpen] = useState(!isLockFile(change.path));
  return (
    <figure class="diff">
      <figcaption>
        <code>{visibleText(change.path)}</code>
        {!open && (
          <button type="button" class="text-button" onClick={() => setOpen(true)}>
            Show the lock file
          </button>
        )}
      </figcaption>
      {open && <Change change={change} />}
    </figure>
  );
}

function Change({ change }: { change: CallChange }) {
  switch (change.kind) {
    case "texts":
      return <Texts before={change.before} after={change.after} />;
    case "whole":
      return <Lines lines={linesOf(change.after, "added")} />;
    case "patch":
      return <Lines lines={patchLines(change.patch)} />;
  }
}

function Texts({ before, after }: { before: string; after: string }) {
  const lines = useWork({ kind: "diff", before, after });
  return <Lines lines={lines ?? [...linesOf(before, "removed"), ...linesOf(after, "added")]} />;
}

function linesOf(text: string, kind: DiffLine["kind"]): DiffLine[] {
  const lines = text.split("\n");
  // A line feed ends the last line and begins none.
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => ({ kind, text: line }));
}

const marks = { same: " ", added: "+", removed: "−", hole: "⋯" } as const;
const spoken = { same: "", added: "added: ", removed: "removed: ", hole: "" } as const;

function Lines({ lines }: { lines: readonly DiffLine[] }) {
  const [whole, setWhole] = useState(lines.length <= LINES_MAX * 1.2);
  const shown = whole ? lines : lines.slice(0, LINES_MAX);
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

// What all rows have in common: time, icon, indentation, and parts that open on demand.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Row } from "../client/row.ts";
import { bytesWords } from "../client/sentences.ts";
import { clockTime, momentWords } from "./format.ts";
import { Icon } from "./icons.tsx";
import type { IconName } from "./icons.tsx";

interface RowFrameProps {
  readonly row: Row;
  readonly icon: IconName;
  readonly tone?: string;
  readonly extra?: string;
  readonly children: ComponentChildren;
}

/** Time, icon and the row's own content, indented under the call that a sub-agent works for. */
export function RowFrame({ row, icon, tone = "plain", extra = "", children }: RowFrameProps) {
  return (
    <div class={`row ${row.kind} ${tone} depth-${row.depth} ${extra}`}>
      <time dateTime={row.at} title={momentWords(row.at)}>
        {clockTime(row.at)}
      </time>
      <Icon name={icon} />
      <div class="row-body">{children}</div>
    </div>
  );
}

/** A sentence that opens to show more; what is folded is not in the document at all. */
export function Fold({ sentence, mono = false, children }: { sentence: ComponentChildren; mono?: boolean; children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class={mono ? "fold mono" : "fold"} aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="fold-sentence">{sentence}</span>
        <Icon name="chevron" class="chevron" />
      </button>
      {open && <div class="folded">{children}</div>}
    </>
  );
}

export function CutMark({ bytes }: { bytes: number }) {
  return bytes === 0 ? null : <p class="cut">{bytesWords(bytes)} more are in the log and were left out here.</p>;
}

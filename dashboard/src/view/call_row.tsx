// A tool call and its result in one row: the sentence, how it went, and both in full on demand.

import { withoutAnsi } from "../client/ansi_mark.ts";
import type { CallOutcome, CallRow as Call } from "../client/row.ts";
import { durationWords, fileSentence } from "../client/sentences.ts";
import { visibleText } from "../client/visible_text.ts";
import { CallDetail } from "./call_detail.tsx";
import { Icon, toolIcon } from "./icons.tsx";
import { Fold, RowFrame } from "./row_frame.tsx";

export function CallRow({ row, inside, inGroup }: { row: Call; inside: InsideProps | null; inGroup: boolean }) {
  const failed = typeof row.outcome === "object" && !row.outcome.success;
  return (
    <RowFrame row={row} icon={toolIcon(row.category)} tone={failed ? "bad" : "plain"} extra={`${row.category}${inGroup ? " in-group" : ""}`}>
      <Fold
        name={row.key}
        sentence={
          <>
            <span class="summary">{visibleText(row.summary)}</span> <Outcome outcome={row.outcome} />
          </>
        }
      >
        {() => <CallDetail row={row} />}
      </Fold>
      {failed && typeof row.outcome === "object" && <p class="failure">{visibleText(firstLine(row.outcome.content))}</p>}
      {row.files.map((file) => (
        <p key={file.path} class="file-line">
          {visibleText(fileSentence(file))}
        </p>
      ))}
      {inside !== null && (
        <button type="button" class="text-button inside-button" aria-expanded={!inside.closed} onClick={inside.toggle}>
          {inside.closed ? "Show what its sub-agent did" : "Hide what its sub-agent did"}
        </button>
      )}
    </RowFrame>
  );
}

/** The rows of a call's sub-agent, and whether they are hidden. */
export interface InsideProps {
  readonly closed: boolean;
  readonly toggle: () => void;
}

export function Outcome({ outcome }: { outcome: CallOutcome }) {
  if (outcome === "open") return <span class="outcome open">running</span>;
  if (outcome === "abandoned") return <span class="outcome">no result</span>;
  return (
    <span class={outcome.success ? "outcome good" : "outcome bad"}>
      <Icon name={outcome.success ? "check" : "cross"} />
      <span class="hidden">{outcome.success ? "succeeded" : "failed"}</span>
      {outcome.duration_ms > 0 && <span class="duration">{durationWords(outcome.duration_ms)}</span>}
    </span>
  );
}

function firstLine(content: string): string {
  const line = withoutAnsi(content.slice(0, 2_000)).trim().split("\n", 1)[0] ?? "";
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

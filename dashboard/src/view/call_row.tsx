// A tool call and its result in one row: the sentence, how it went, and both in full on demand.

import type { CallOutcome, Row } from "../client/row.ts";
import { bytesWords, durationWords, fileSentence } from "../client/sentences.ts";
import { Icon, toolIcon } from "./icons.tsx";
import { CutMark, Fold, RowFrame } from "./row_frame.tsx";

type Call = Extract<Row, { kind: "call" }>;

export function CallRow({ row }: { row: Call }) {
  const failed = typeof row.outcome === "object" && !row.outcome.success;
  return (
    <RowFrame row={row} icon={toolIcon(row.category)} tone={failed ? "bad" : "plain"}>
      <Fold
        sentence={
          <>
            <span class="summary">{row.summary}</span> <Outcome outcome={row.outcome} />
          </>
        }
      >
        <p class="part">
          {row.tool} <span class="soft">was given</span>
        </p>
        <pre>{typeof row.input === "string" ? row.input : JSON.stringify(row.input, null, 2)}</pre>
        {typeof row.outcome === "object" && (
          <>
            <p class="part">
              {row.outcome.success ? "Result" : "Error"} <span class="soft">{bytesWords(row.outcome.content_length)}</span>
            </p>
            <pre class="result">{row.outcome.content === "" ? "(empty)" : row.outcome.content}</pre>
          </>
        )}
        <CutMark bytes={row.cut} />
      </Fold>
      {failed && typeof row.outcome === "object" && <p class="failure">{firstLine(row.outcome.content)}</p>}
      {row.files.map((file) => (
        <p key={file.path} class="file-line">
          {fileSentence(file)}
        </p>
      ))}
    </RowFrame>
  );
}

function Outcome({ outcome }: { outcome: CallOutcome }) {
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
  const line = content.trim().split("\n", 1)[0] ?? "";
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

// What a call was given and what came of it.

import type { CallRow } from "../client/row.ts";
import { bytesWords } from "../client/sentences.ts";
import { CutMark, PlainText } from "./row_frame.tsx";

export function CallDetail({ row }: { row: CallRow }) {
  const { outcome } = row;
  return (
    <>
      <p class="part">
        {row.tool} <span class="soft">was given</span>
      </p>
      <PlainText text={typeof row.input === "string" ? row.input : (JSON.stringify(row.input, null, 2) ?? "nothing")} />
      {typeof outcome === "object" && (
        <>
          <p class="part">
            {outcome.success ? "Result" : "Error"} <span class="soft">{bytesWords(outcome.content_length)}</span>
          </p>
          {outcome.content === "" ? <p class="soft">Nothing</p> : <PlainText text={outcome.content} />}
        </>
      )}
      <CutMark row={row} bytes={row.cut} />
    </>
  );
}

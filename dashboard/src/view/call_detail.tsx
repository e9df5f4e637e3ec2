// What a call was given and what came of it: a change as a difference, a command as on a terminal, the rest as fields.

import { callChanges } from "../client/call_changes.ts";
import type { CallRow } from "../client/row.ts";
import { bytesWords } from "../client/sentences.ts";
import { visibleText } from "../client/visible_text.ts";
import { DiffView } from "./diff_view.tsx";
import { CutMark, Fold, PlainText } from "./row_frame.tsx";

export function CallDetail({ row }: { row: CallRow }) {
  const { outcome } = row;
  const changes = callChanges(row);
  const succeeded = typeof outcome === "object" && outcome.success;
  return (
    <>
      {changes.length > 0 ? changes.map((change, index) => <DiffView key={index} change={change} />) : <Input row={row} />}
      {typeof outcome === "object" &&
        // What a successful edit says of itself is never news.
        (changes.length > 0 && succeeded ? (
          <Fold name={`${row.key}/result`} sentence={<span class="part">Result</span>}>
            {() => <PlainText text={outcome.content} />}
          </Fold>
        ) : (
          <>
            <p class="part">
              {succeeded ? "Result" : "Error"} <span class="soft">{bytesWords(outcome.content_length)}</span>
            </p>
            {outcome.content === "" ? <p class="soft">Nothing</p> : <PlainText text={outcome.content} terminal={row.category === "Bash"} />}
          </>
        ))}
      <CutMark row={row} bytes={row.cut} />
    </>
  );
}

function Input({ row }: { row: CallRow }) {
  const { input, category, tool } = row;
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return <PlainText text={typeof input === "string" ? input : (JSON.stringify(input, null, 2) ?? "nothing")} />;
  }
  const fields = Object.entries(input);
  const command = category === "Bash" ? fields.find(([name, value]) => name === "command" && typeof value === "string")?.[1] : undefined;
  return (
    <>
      {typeof command === "string" && <pre class="command-line">{visibleText(command)}</pre>}
      <dl class="fields" aria-label={`What ${tool} was given`}>
        {fields
          .filter(([name]) => command === undefined || name !== "command")
          .map(([name, value]) => (
            <Field key={name} name={name} value={value} />
          ))}
      </dl>
    </>
  );
}

/** Texts longer than this have lines of their own. */
const INLINE_CHARACTERS = 120;

function Field({ name, value }: { name: string; value: unknown }) {
  const text = typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
  const isShort = text.length <= INLINE_CHARACTERS && !text.includes("\n");
  return (
    <div class={isShort ? "field-short" : "field-long"}>
      <dt>{visibleText(name)}</dt>
      <dd>{isShort ? <code>{visibleText(text)}</code> : <PlainText text={text} />}</dd>
    </div>
  );
}

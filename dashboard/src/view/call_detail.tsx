// What a call was given and what came of it: a change as a difference, a command as on a terminal, the rest as fields.

import { callChanges } from "../client/call_changes.ts";
import { fieldText } from "../client/event_source.ts";
import { partsOf, stringOf } from "../client/json_text.ts";
import type { CallRow } from "../client/row.ts";
import { bytesWords } from "../client/sentences.ts";
import { visibleText } from "../client/visible_text.ts";
import { DiffView } from "./diff_view.tsx";
import { JsonText, MaybeJson } from "./json_tree.tsx";
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
            {() => <Content row={row} text={outcome.content} />}
          </Fold>
        ) : (
          <>
            <p class="part">
              {succeeded ? "Result" : "Error"} <span class="soft">{bytesWords(outcome.content_length)}</span>
            </p>
            {outcome.content === "" ? <p class="soft">Nothing</p> : <Content row={row} text={outcome.content} />}
          </>
        ))}
      <CutMark row={row} bytes={row.cut} />
    </>
  );
}

function Content({ row, text }: { row: CallRow; text: string }) {
  return <MaybeJson name={`${row.key}/content`} label={`What came of ${row.tool}`} text={text} terminal={row.category === "Bash"} />;
}

function Input({ row }: { row: CallRow }) {
  const call = row.events.find(({ event }) => event === "agent_tool_call");
  const text = (call === undefined ? null : fieldText(call, "input")) ?? "null";
  const label = `What ${row.tool} was given`;
  if (!text.startsWith("{")) return <Value name={`${row.key}/input`} label={label} text={text} />;
  const fields = partsOf(text, 0).map(({ name, start, end }) => ({ name: stringOf(name ?? '""'), text: text.slice(start, end) }));
  const command = row.category === "Bash" ? fields.find((field) => field.name === "command" && field.text.startsWith('"')) : undefined;
  return (
    <>
      {command !== undefined && <pre class="command-line">{visibleText(stringOf(command.text))}</pre>}
      <dl class="fields" aria-label={visibleText(label)}>
        {fields
          .filter((field) => field !== command)
          .map((field, index) => (
            <Field key={index} row={row} {...field} />
          ))}
      </dl>
    </>
  );
}

/** Texts longer than this have lines of their own. */
const INLINE_CHARACTERS = 120;

/** A field's JSON as it came: a string as what it says, a number digit for digit. */
function Field({ row, name, text }: { row: CallRow; name: string; text: string }) {
  const said = text.startsWith('"') ? stringOf(text) : text;
  const isShort = said.length <= INLINE_CHARACTERS && !said.includes("\n") && !isNested(text);
  return (
    <div class={isShort ? "field-short" : "field-long"}>
      <dt>{visibleText(name)}</dt>
      <dd>{isShort ? <code>{visibleText(said)}</code> : <Value name={`${row.key}/input/${name}`} label={name} text={text} />}</dd>
    </div>
  );
}

/** An object, or a list of more than a few plain values. */
function isNested(text: string): boolean {
  return text.startsWith("{") ? text.length > 2 : /^\[.*[[{]/s.test(text);
}

function Value({ name, label, text }: { name: string; label: string; text: string }) {
  return text.startsWith('"') ? <PlainText text={stringOf(text)} /> : <JsonText name={name} label={label} text={text} />;
}

// What the agent says, as one reads a text: its messages, its thoughts folded, and what programs printed.

import { useState } from "preact/hooks";
import type { Typed } from "../client/previews.ts";
import type { Row } from "../client/row.ts";
import { visibleText } from "../client/visible_text.ts";
import { Earlier, useIsWhole } from "./earlier.tsx";
import { clockTime } from "./format.ts";
import { useGrowing } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { Markdown } from "./markdown.tsx";
import { CutMark, Fold } from "./row_frame.tsx";
import { BrokenOff, Said } from "./said.tsx";
import { TerminalRow } from "./terminal_text.tsx";
import { tellerWords } from "./user_message.tsx";
import { VirtualList } from "./virtual_list.tsx";

export function OutputPanel({ rows, typed }: { rows: readonly Row[]; typed: readonly Typed[] }) {
  const [following, follow] = useState(true);
  const isWhole = useIsWhole();
  const shown = rows.filter(({ kind }) => kind === "say" || kind === "user" || kind === "lines" || kind === "run" || kind === "end");
  return (
    <div class="output">
      <VirtualList
        items={useGrowing(shown)}
        guess={(row) => (row.kind === "say" && row.voice === "assistant" ? 40 + row.text.length / 3 : 40)}
        render={(row) => <OutputRow row={row} />}
        following={following}
        follow={follow}
        name="Output"
        live={null}
        above={<Earlier />}
        below={
          <>
            {typed.map(({ message_id, text }) => (
              <div key={message_id} class="message-text typing">
                <p class="said">{visibleText(text)}</p>
              </div>
            ))}
            {isWhole && shown.length === 0 && typed.length === 0 && <p class="nothing">What the agent says appears here.</p>}
          </>
        }
      />
      {!following && (
        <button type="button" class="to-end" onClick={() => follow(true)}>
          To the end
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}

function OutputRow({ row }: { row: Row }) {
  switch (row.kind) {
    case "say":
      return row.voice === "assistant" ? (
        <div class={row.parent === null ? "message-text" : "message-text nested"}>
          {row.parent !== null && <p class="soft">A sub-agent</p>}
          <Markdown text={row.text} />
          {row.broken_off && <BrokenOff />}
          <CutMark row={row} bytes={row.cut} />
        </div>
      ) : (
        <div class="thought">
          <Fold name={`output-${row.key}`} sentence="Thought">
            {() => <p class="said" dir="auto">{visibleText(row.text)}</p>}
          </Fold>
        </div>
      );
    case "user":
      return (
        <div class={`message-text ${row.by === "operator" ? "by-user" : "by-program"}${row.parent === null ? "" : " nested"}`}>
          <p class="soft">{visibleText(tellerWords(row))}</p>
          <Said row={row} text={row.text} />
          <CutMark row={row} bytes={row.cut} />
        </div>
      );
    case "lines":
      return (
        <pre class="lines" tabIndex={0}>
          <TerminalRow row={row} />
        </pre>
      );
    case "run":
      return (
        <div class="run-line">
          <span>{clockTime(row.at)}</span>
        </div>
      );
    case "end":
      return <p class={`output-end ${row.tone}`}>{visibleText(row.text)}</p>;
    default:
      return null;
  }
}

// One row of the activity list. Everything an agent wrote is only ever text here, never markup.

import { Component } from "preact";
import type { Item } from "../client/items.ts";
import type { Row } from "../client/row.ts";
import { countWords } from "../client/sentences.ts";
import { TerminalText } from "./terminal_text.tsx";
import { visibleText } from "../client/visible_text.ts";
import { CallRow } from "./call_row.tsx";
import type { InsideProps } from "./call_row.tsx";
import { clockTime, dayWords } from "./format.ts";
import { GapRow } from "./gap_row.tsx";
import { Icon, toolIcon } from "./icons.tsx";
import { useOpen } from "./open_parts.ts";
import { usePage } from "./page_context.ts";
import { AgentName, CutMark, Fold, PlainText, RowFrame } from "./row_frame.tsx";
import { jsonOf, rawName } from "./row_menu.tsx";

interface ActivityItemProps {
  readonly item: Item;
  readonly inside: InsideProps | null;
  readonly event_id: number | null;
}

export class ActivityItem extends Component<ActivityItemProps> {
  override shouldComponentUpdate(next: ActivityItemProps): boolean {
    const { item, inside, event_id } = this.props;
    if (next.event_id !== event_id || next.inside?.closed !== inside?.closed) return true;
    return next.item !== item && !(next.item.kind === "row" && item.kind === "row" && next.item.row === item.row);
  }

  override render() {
    const { item, inside } = this.props;
    if (item.kind === "group") return <GroupRow item={item} />;
    return (
      <>
        <RowContent row={item.row} inside={inside} inGroup={item.inGroup} />
        <RawJson row={item.row} />
      </>
    );
  }
}

function GroupRow({ item }: { item: Extract<Item, { kind: "group" }> }) {
  const [first] = item.rows;
  const { parts, nameOf } = usePage();
  const [open, toggle] = useOpen(parts, item.key);
  if (first === undefined) return null;
  const names = item.rows.map((row) => row.path?.split("/").at(-1)).filter((name) => name !== undefined);
  return (
    <div class={`row group depth-${first.depth}${nameOf === null ? "" : " named"}`}>
      <span class="row-time">{clockTime(first.at)}</span>
      <AgentName row={first} />
      <Icon name={toolIcon(first.category)} />
      <div class="row-body">
        <button type="button" class="fold" aria-expanded={open} onClick={toggle}>
          <span class="fold-sentence">
            <strong>{visibleText(first.tool)}</strong> ×{item.rows.length}
            <span class="soft group-names"> {visibleText([...new Set(names)].slice(0, 6).join(", "))}</span>
          </span>
          <Icon name="chevron" class="chevron" />
        </button>
      </div>
    </div>
  );
}

/** The events that the row was made of, as they came. */
function RawJson({ row }: { row: Row }) {
  const [open, toggle] = useOpen(usePage().parts, rawName(row));
  if (!open) return null;
  return (
    <div class="raw folded">
      <PlainText text={jsonOf(row)} />
      <button type="button" class="text-button" onClick={toggle}>
        Hide JSON
      </button>
    </div>
  );
}

function RowContent({ row, inside, inGroup }: { row: Row; inside: InsideProps | null; inGroup: boolean }) {
  switch (row.kind) {
    case "run":
      return (
        <div class="run-line">
          <span>
            {dayWords(row.at)}, {clockTime(row.at)}
          </span>
        </div>
      );
    case "say":
      return (
        <RowFrame row={row} icon={row.voice === "assistant" ? "say" : "thinking"} tone={row.voice}>
          {row.voice === "assistant" ? <Said row={row} /> : <Thought row={row} />}
          <CutMark row={row} bytes={row.cut} />
        </RowFrame>
      );
    case "lines":
      return (
        <RowFrame row={row} icon="lines">
          <pre class="lines">
            {row.lines.map((line, index) => (
              <span key={index} class={line.stream}>
                <TerminalText text={line.text.endsWith("\n") ? line.text : `${line.text}\n`} />
              </span>
            ))}
          </pre>
        </RowFrame>
      );
    case "call":
      return <CallRow row={row} inside={inside} inGroup={inGroup} />;
    case "result":
      return (
        <RowFrame row={row} icon="Other" tone={row.result.success ? "plain" : "bad"}>
          <Fold name={row.key} sentence="The result of a call that is not shown here">
            {() => <PlainText text={row.result.content} />}
          </Fold>
          <CutMark row={row} bytes={row.cut} />
        </RowFrame>
      );
    case "note":
      return (
        <RowFrame row={row} icon={row.icon} tone={row.tone} extra={row.system ? "system" : ""}>
          {row.detail === undefined ? (
            <p class="sentence">{visibleText(row.text)}</p>
          ) : (
            <Fold name={row.key} sentence={visibleText(row.text)}>
              {() => <PlainText text={row.detail ?? ""} />}
            </Fold>
          )}
        </RowFrame>
      );
    case "question":
      return (
        <RowFrame row={row} icon="question" tone={row.answered === null ? "warning" : "plain"}>
          <p class="sentence">{visibleText(row.question.detail)}</p>
          <p class="soft">
            {row.answered === null ? "Waits for an answer" : visibleText(`Answered “${row.answered.answer}” by ${row.answered.by}`)}
          </p>
        </RowFrame>
      );
    case "gap":
      return <GapRow row={row} />;
    case "end":
      return (
        <RowFrame row={row} icon={row.tone === "good" ? "check" : row.tone === "bad" ? "cross" : "stop"} tone={row.tone} extra="end-row">
          <p class="sentence">{visibleText(row.text)}</p>
        </RowFrame>
      );
    case "unknown":
      return (
        <RowFrame row={row} icon="unknown">
          <Fold name={row.key} sentence={<code>{visibleText(row.name)}</code>}>
            {() => <PlainText text={JSON.stringify(row.data, null, 2) ?? "nothing"} />}
          </Fold>
        </RowFrame>
      );
  }
}

/** Longer ones begin folded; what an agent says in full is in the output. */
const SAID_CHARACTERS = 420;
const SAID_LINES = 6;

function Said({ row }: { row: Extract<Row, { kind: "say" }> }) {
  const [open, toggle] = useOpen(usePage().parts, row.key);
  const { text } = row;
  const beginning = text.slice(0, SAID_CHARACTERS).split("\n").slice(0, SAID_LINES).join("\n");
  if (open || beginning.length === text.length) return <p class="said" dir="auto">{visibleText(text)}</p>;
  return (
    <>
      <p class="said" dir="auto">{visibleText(beginning)}…</p>
      <button type="button" class="text-button" aria-expanded={false} onClick={toggle}>
        Show all {countWords(text.length, "character", "characters")}
      </button>
    </>
  );
}

function Thought({ row }: { row: Extract<Row, { kind: "say" }> }) {
  const { text } = row;
  const first = text.trimStart().split("\n", 1)[0] ?? "";
  const short = text.trim() === first.trim() && text.length <= 240;
  if (short) return <p class="said" dir="auto">{visibleText(text)}</p>;
  return (
    <Fold name={row.key} sentence={first === "" ? "Thinking" : visibleText(first.slice(0, 240))}>
      {() => <p class="said" dir="auto">{visibleText(text)}</p>}
    </Fold>
  );
}

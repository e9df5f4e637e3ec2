// One row of the activity list. Everything an agent wrote is only ever text here, never markup.

import { Component } from "preact";
import { dataText } from "../client/event_source.ts";
import type { Item } from "../client/items.ts";
import type { Row } from "../client/row.ts";
import { visibleText } from "../client/visible_text.ts";
import { Attachments } from "./attachments.tsx";
import type { InsideProps } from "./call_row.tsx";
import { CallRow, TaskLine } from "./call_row.tsx";
import { clockTime, dayWords } from "./format.ts";
import { GapRow } from "./gap_row.tsx";
import { Icon, toolIcon } from "./icons.tsx";
import { JsonText, MaybeJson } from "./json_tree.tsx";
import { useOpen } from "./open_parts.ts";
import { usePage } from "./page_context.ts";
import { Question } from "./question_row.tsx";
import { AgentName, CutMark, Fold, PlainText, RowFrame } from "./row_frame.tsx";
import { jsonOf, rawName } from "./row_menu.tsx";
import { BrokenOff, Said } from "./said.tsx";
import { TerminalRow } from "./terminal_text.tsx";
import { UserMessage } from "./user_message.tsx";

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
          {row.voice === "assistant" ? <Said row={row} text={row.text} /> : <Thought row={row} />}
          {row.broken_off && <BrokenOff />}
          <CutMark row={row} bytes={row.cut} />
        </RowFrame>
      );
    case "user":
      return <UserMessage row={row} />;
    case "lines":
      return (
        <RowFrame row={row} icon="lines">
          <pre class="lines">
            <TerminalRow row={row} />
          </pre>
        </RowFrame>
      );
    case "call":
      return <CallRow row={row} inside={inside} inGroup={inGroup} />;
    case "task":
      return (
        <RowFrame row={row} icon="Task" tone={row.task.end?.outcome === "failed" ? "bad" : "plain"}>
          <TaskLine task={row.task} />
        </RowFrame>
      );
    case "result":
      return (
        <RowFrame row={row} icon="Other" tone={row.result.success ? "plain" : "bad"}>
          <Fold name={row.key} sentence="The result of a call that is not shown here">
            {() => <MaybeJson name={`${row.key}/content`} label="What came of it" text={row.result.content} terminal={false} />}
          </Fold>
          {row.result.attachments !== undefined && (
            <Attachments name={`${row.key}/attachments`} agent_id={row.agent_id} attachments={row.result.attachments} />
          )}
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
      return <Question row={row} />;
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
            {() => <JsonText name={row.key} label={`The data of ${row.name}`} text={unknownText(row)} />}
          </Fold>
        </RowFrame>
      );
  }
}

/** As it came, where the event is at hand. */
function unknownText(row: Extract<Row, { kind: "unknown" }>): string {
  const [event] = row.events;
  return event === undefined ? "null" : dataText(event);
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

// What all rows have in common: time, icon, indentation, and parts that open on demand.

import type { ComponentChildren } from "preact";
import { useContext, useState } from "preact/hooks";
import { failureWords } from "../client/api.ts";
import { wholeEvent } from "../client/history.ts";
import type { Row } from "../client/row.ts";
import { bytesWords } from "../client/sentences.ts";
import { visibleText } from "../client/visible_text.ts";
import { clockTime, momentWords } from "./format.ts";
import { Sought } from "./highlights.ts";
import type { IconName } from "./icons.tsx";
import { Icon } from "./icons.tsx";
import { Link } from "./link.tsx";
import { Problem } from "./message.tsx";
import { useOpen } from "./open_parts.ts";
import { usePage } from "./page_context.ts";
import { agentPath, eventPath } from "./route.ts";
import { RowMenu } from "./row_menu.tsx";
import { TerminalText } from "./terminal_text.tsx";

interface RowFrameProps {
  readonly row: Row;
  readonly icon: IconName;
  readonly tone?: string;
  readonly extra?: string;
  readonly children: ComponentChildren;
}

/** Time, icon and the row's own content, indented under the call that a sub-agent works for. */
export function RowFrame({ row, icon, tone = "plain", extra = "", children }: RowFrameProps) {
  const { event_id, nameOf } = usePage();
  const isCurrent = event_id !== null && (row.id === event_id || row.events.some((event) => event.id === event_id));
  return (
    <div
      class={`row ${row.kind} ${tone} depth-${row.depth} ${extra}${isCurrent ? " current" : ""}${nameOf === null ? "" : " named"}`}
      aria-current={isCurrent ? "true" : undefined}
    >
      <RowTime row={row} />
      <AgentName row={row} />
      <Icon name={icon} />
      <div class="row-body">{children}</div>
      {row.events.length > 0 && <RowMenu row={row} />}
    </div>
  );
}

/** Whose row it is, where there are several agents' rows. */
export function AgentName({ row }: { row: Row }) {
  const { town_id, nameOf } = usePage();
  if (nameOf === null) return null;
  return (
    <Link to={agentPath(town_id, row.agent_id)} class="row-agent">
      {visibleText(nameOf(row.agent_id))}
    </Link>
  );
}

/** When it happened, and a link to it. */
function RowTime({ row }: { row: Row }) {
  const { town_id, show } = usePage();
  if (row.at === "") return <span class="row-time" />;
  return (
    <a
      class="row-time"
      href={eventPath(town_id, row.agent_id, row.id)}
      title={`${momentWords(row.at)}, event ${row.id}`}
      tabIndex={-1}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        show(row.id, row.agent_id);
      }}
    >
      <time dateTime={row.at}>{clockTime(row.at)}</time>
    </a>
  );
}

interface FoldProps {
  /** Names the part, so that it stays open when its row comes and goes. */
  readonly name: string;
  readonly sentence: ComponentChildren;
  readonly children: () => ComponentChildren;
}

/** A sentence that opens to show more; what is folded is not in the document at all. */
export function Fold({ name, sentence, children }: FoldProps) {
  const [open, toggle] = useOpen(usePage().parts, name);
  return (
    <>
      <button type="button" class="fold" aria-expanded={open} onClick={toggle}>
        <span class="fold-sentence">{sentence}</span>
        <Icon name="chevron" class="chevron" />
      </button>
      {open && <div class="folded">{children()}</div>}
    </>
  );
}

/** Longer texts begin folded. */
const TEXT_CHARACTERS = 20_000;

/** A text as it is, without wrapping it in one piece of a megabyte before anyone asked for that. */
export function PlainText({ text, terminal = false }: { text: string; terminal?: boolean }) {
  const [asked, setWhole] = useState(false);
  const sought = useContext(Sought).toLowerCase();
  const isLong = text.length > TEXT_CHARACTERS;
  const whole = asked || (isLong && sought !== "" && text.toLowerCase().includes(sought, TEXT_CHARACTERS - sought.length));
  const shown = isLong && !whole ? text.slice(0, TEXT_CHARACTERS) : text;
  return (
    <>
      <pre dir="auto" tabIndex={0} class={terminal ? "terminal" : ""}>
        {terminal ? <TerminalText text={shown} /> : visibleText(shown)}
      </pre>
      {isLong && !whole && (
        <button type="button" class="text-button" onClick={() => setWhole(true)}>
          Show all {bytesWords(text.length)}
        </button>
      )}
    </>
  );
}

/** Says that the stream left a part out, and fetches the events whole when asked. */
export function CutMark({ row, bytes }: { row: Row; bytes: number }) {
  const { api, town_id, log } = usePage();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  if (bytes === 0) return null;

  async function fetchWhole(): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      const cut = row.events.filter((event) => (event.cut ?? []).length > 0);
      const whole = await Promise.all(cut.map((event) => wholeEvent(api, town_id, event.id)));
      const found = whole.filter((event) => event !== null);
      if (found.length < cut.length) setProblem("The log does not have it any more.");
      if (found.length > 0) log.insert(found, null);
    } catch (failure) {
      setProblem(failureWords(failure));
    }
    setBusy(false);
  }

  return (
    <p class="cut">
      {bytesWords(bytes)} more are in the log.{" "}
      <button type="button" class="text-button" disabled={busy} onClick={() => void fetchWhole()}>
        {busy ? "Fetching…" : "Show all of it"}
      </button>
      <Problem text={problem} />
    </p>
  );
}

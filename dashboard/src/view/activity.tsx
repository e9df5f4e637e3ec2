// Everything an agent did. It follows the end as long as the reader is there; who scrolled up is left in peace and told
// how much came in meanwhile.

import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import type { Filter } from "../client/filter.ts";
import type { GrowingList } from "../client/growing_list.ts";
import type { Item } from "../client/items.ts";
import { groupsOf, Items } from "../client/items.ts";
import type { Typed } from "../client/previews.ts";
import type { Row } from "../client/row.ts";
import { visibleText } from "../client/visible_text.ts";
import { ActivityItem } from "./activity_row.tsx";
import { Icon } from "./icons.tsx";
import { usePage } from "./page_context.ts";
import { VirtualList } from "./virtual_list.tsx";

interface ActivityProps {
  readonly rows: GrowingList<Row>;
  readonly typed: readonly Typed[];
  readonly filter: Filter;
  /** Whether what comes in is new, so that a screen reader should say it. */
  readonly live: boolean;
  /** What to say where there are no rows; null where nobody knows yet whether there are any. */
  readonly nothing: string | null;
  /** What is said of rows that are not in this tab. */
  readonly above: preact.ComponentChildren;
  /** Counts how often the reader asked to be at the end. */
  readonly toEnd: number;
}

export function Activity({ rows, typed, filter, live, nothing, above, toEnd }: ActivityProps) {
  const { parts, event_id } = usePage();
  const list = useRef<VirtualList<Item>>(null);
  const items = useRef(new Items()).current;
  const [following, setFollowing] = useState(event_id === null);
  const [held, setHeld] = useState<ReadonlyMap<string, string> | null>(null);
  /** The last item when the reader left the end. */
  const left = useRef<string | null>(null);
  const shown = useRef<number | null>(null);
  const [, renderAgain] = useReducer((count: number, _: undefined) => count + 1, 0);

  const open = parts.named("group-");
  const closed = parts.named("inside-");
  const view = useMemo(
    () => ({ filter, open: new Set(open), closed: new Set([...closed].map((name) => name.slice("inside-".length))), held }),
    [filter, open.join(), closed.join(), held],
  );
  items.update(rows, view);
  const all = items.all;

  useEffect(() => parts.listen(() => renderAgain(undefined)), [parts]);
  useEffect(() => {
    if (toEnd > 0) follow(true);
  }, [toEnd]);

  // The event that the address names is shown once, as soon as it is there.
  useEffect(() => {
    if (event_id === null || shown.current === event_id) {
      if (event_id === null) shown.current = null;
      return;
    }
    const item = all.find((one) => itemHas(one, event_id));
    if (item === undefined) return;
    if (item.kind === "group") return parts.set(item.key, true);
    shown.current = event_id;
    follow(false);
    list.current?.show(item.key);
  });

  function follow(next: boolean): void {
    if (next === following) return;
    left.current = next ? null : (items.all.at(-1)?.key ?? null);
    setHeld(next ? null : groupsOf(items.all));
    setFollowing(next);
  }

  /** Who opens a row wants to read it: what it shows must not push it out of sight. */
  function pressed(event: Event): void {
    if (!(event.target instanceof Element) || event.target.closest("button, [role=treeitem]") === null || !following) return;
    list.current?.hold(event.target);
    follow(false);
    // By then the row is open; if the end is still in sight, nothing was left.
    requestAnimationFrame(() => requestAnimationFrame(() => list.current?.isAtEnd && follow(true)));
  }

  const leftAt = left.current === null ? -1 : all.findLastIndex(({ key }) => key === left.current);
  const missed = leftAt < 0 ? 0 : all.length - 1 - leftAt;
  return (
    <div class="activity" onClickCapture={pressed}>
      <VirtualList
        handle={list}
        items={items.list}
        guess={guess}
        render={(item) => <ActivityItem item={item} inside={insideOf(item)} event_id={event_id} />}
        following={following}
        follow={follow}
        name="Activity"
        live={live && following ? "polite" : "off"}
        above={above}
        below={
          <>
            {typed.map(({ message_id, text }) => (
              <div key={message_id} class="row say assistant typing">
                <span class="row-time" />
                <Icon name="say" />
                <div class="row-body">
                  <p class="said">{visibleText(text.length > TYPED_CHARACTERS ? `…${text.slice(-TYPED_CHARACTERS)}` : text)}</p>
                </div>
              </div>
            ))}
            {nothing !== null && all.length === 0 && typed.length === 0 && <p class="nothing">{nothing}</p>}
          </>
        }
      />
      {!following && (
        <button type="button" class="to-end" onClick={() => follow(true)}>
          {missed > 0 ? `Paused · ${missed.toLocaleString("en")} new` : "Paused"}
          <span class="hidden"> Go to the end and follow</span>
          <Icon name="down" />
        </button>
      )}
    </div>
  );

  function insideOf(item: Item) {
    if (item.kind !== "row" || item.row.kind !== "call" || item.row.category !== "Task") return null;
    const name = `inside-${item.row.key}`;
    return { closed: parts.has(name), toggle: () => parts.set(name, !parts.has(name)) };
  }
}

/** A message being typed shows its end. */
const TYPED_CHARACTERS = 2_000;

function itemHas(item: Item, event_id: number): boolean {
  const has = (row: Row): boolean => row.id === event_id || row.events.some((event) => event.id === event_id);
  return item.kind === "group" ? item.rows.some(has) : has(item.row);
}

/** About how high an item is; a line of text has some ninety characters. */
function guess(item: Item): number {
  if (item.kind === "group") return 32;
  const { row } = item;
  switch (row.kind) {
    case "say":
      return row.voice === "assistant" ? 20 + 24 * Math.ceil(Math.min(row.text.length, 420) / 70) : 32;
    case "lines":
      return 24 + Math.min(512, 19 * Math.max(1, row.ended));
    case "call":
      return 32 + 20 * row.files.length + (typeof row.outcome === "object" && !row.outcome.success ? 20 : 0);
    case "run":
      return 43;
    default:
      return 32;
  }
}

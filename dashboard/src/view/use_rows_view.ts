// What every page with a list of rows has: freezing it, finding in it, and the keys that go through it.

import { useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import type { EventLog } from "../client/event_log.ts";
import { passes } from "../client/filter.ts";
import { GrowingList } from "../client/growing_list.ts";
import type { Row } from "../client/row.ts";
import { isProblem } from "../client/row.ts";
import type { OpenParts } from "./open_parts.ts";
import { useShortcuts } from "./shortcuts.ts";
import type { ToolbarProps } from "./toolbar.tsx";
import { useSearch } from "./use_search.ts";
import { useUnsearched } from "./use_unsearched.ts";
import type { SetQuery } from "./use_view_query.ts";
import type { ViewQuery } from "./view_query.ts";

interface RowsViewProps {
  readonly api: Api;
  readonly town_id: string;
  /** Whose log it is; null where it is that of all agents. */
  readonly agent_id: string | null;
  readonly log: EventLog;
  readonly parts: OpenParts;
  readonly query: ViewQuery;
  readonly setQuery: SetQuery;
  /** Whether everything up to now is here. */
  readonly live: boolean;
  /** What the view has to be, too, for a row of the list to be in sight. */
  readonly listed: Partial<ViewQuery>;
}

interface RowsView {
  /** As it is, or as it was when it was frozen. */
  readonly rows: GrowingList<Row>;
  readonly isFrozen: boolean;
  /** Counts how often the reader asked to be at the end. */
  readonly toEnd: number;
  readonly toolbar: ToolbarProps;
}

export function useRowsView({ api, town_id, agent_id, log, parts, query, setQuery, live, listed }: RowsViewProps): RowsView {
  const { filter, text, event_id } = query;
  const [frozen, setFrozen] = useState<{ readonly rows: GrowingList<Row>; readonly added: number } | null>(null);
  const [toEnd, setToEnd] = useState(0);
  const rows = frozen?.rows ?? log.rows.list;
  const { search, found, cut, done } = useSearch(text, rows, filter);
  const unsearched = useUnsearched({ api, town_id, agent_id, log, search, cut, done });

  function freeze(): void {
    setFrozen(frozen === null ? { rows: new GrowingList(log.rows.all), added: log.rows.added } : null);
  }

  function step(list: readonly Row[], by: 1 | -1, isWanted: (row: Row) => boolean): void {
    const row = neighbour(list, event_id, by, (one) => one.kind !== "run" && passes(one, filter) && isWanted(one));
    if (row === null) return;
    if (text !== "" && list === found) parts.set(row.key, true);
    setQuery({ event_id: row.id, ...listed });
  }

  function startLooking(): void {
    // A frozen view would not show what is found.
    setFrozen(null);
    unsearched.start();
  }

  const stepFound = (by: 1 | -1): void => step(found, by, () => true);
  useShortcuts({
    "/": () => document.getElementById("find")?.focus(),
    n: () => stepFound(1),
    N: () => stepFound(-1),
    e: () => step(rows.all, 1, isProblem),
    E: () => step(rows.all, -1, isProblem),
    j: () => step(rows.all, 1, () => true),
    k: () => step(rows.all, -1, () => true),
    Enter: () => {
      const current = event_id === null ? undefined : rows.all.find((row) => row.id === event_id && passes(row, filter));
      return current === undefined ? false : parts.set(current.key, !parts.has(current.key));
    },
    End: () => setToEnd(toEnd + 1),
    " ": freeze,
    w: () => setQuery({ filter: { ...filter, system: !filter.system } }),
    // Where the browser does not let a page copy, the address bar still has it.
    c: () => void navigator.clipboard?.writeText(location.href).catch(() => {}),
    Escape: () => (text !== "" ? setQuery({ text: "" }) : event_id !== null ? setQuery({ event_id: null }) : false),
  });

  return {
    rows,
    isFrozen: frozen !== null,
    toEnd,
    toolbar: {
      text,
      find: (next) => setQuery({ text: next }),
      matches:
        search === null ? null : { count: found.length, at: found.findIndex((row) => row.id === event_id), done: done && live && unsearched.isAll },
      unsearched: search === null ? null : { ...unsearched, start: startLooking },
      step: stepFound,
      filter,
      setFilter: (next) => setQuery({ filter: next }),
      rows: rows.all,
      waiting: frozen === null ? null : log.rows.added - frozen.added,
      freeze,
    },
  };
}

/** The row after or before the one that is shown, of those that are wanted; around at the ends. */
function neighbour(rows: readonly Row[], event_id: number | null, by: 1 | -1, isWanted: (row: Row) => boolean): Row | null {
  const isBeyond = (row: Row): boolean => event_id === null || (by === 1 ? row.id > event_id : row.id < event_id);
  const first = (is: (row: Row) => boolean): Row | undefined => (by === 1 ? rows.find(is) : rows.findLast(is));
  return first((row) => isBeyond(row) && isWanted(row)) ?? first(isWanted) ?? null;
}

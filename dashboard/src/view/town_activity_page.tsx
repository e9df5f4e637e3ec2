// All that a town's agents do, in one list as it happened.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { passes } from "../client/filter.ts";
import { GrowingList } from "../client/growing_list.ts";
import type { Row } from "../client/row.ts";
import type { TownStore } from "../client/town_store.ts";
import { Activity } from "./activity.tsx";
import { useHighlights } from "./highlights.ts";
import { useChanges, useTitle } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { Link } from "./link.tsx";
import { OpenParts } from "./open_parts.ts";
import { PageContextProvider } from "./page_context.ts";
import type { RowsPage } from "./page_context.ts";
import { go, townPath, useLocation } from "./route.ts";
import { useShortcuts } from "./shortcuts.ts";
import { Toolbar } from "./toolbar.tsx";
import { useSearch } from "./use_search.ts";
import { parseQuery, queryText } from "./view_query.ts";
import type { ViewQuery } from "./view_query.ts";

const NO_ROWS: readonly Row[] = [];

export function TownActivityPage({ api, store, town_id }: { api: Api; store: TownStore; town_id: string }) {
  const log = store.everything;
  useChanges(log.changes);
  useChanges(store.connectionChanges);
  useTitle("All activity");
  useEffect(() => () => store.forgetEverything(), [store]);
  const { pathname, search } = useLocation();
  const query = useMemo(() => parseQuery(search), [search]);
  const parts = useState(() => new OpenParts())[0];
  const root = useRef<HTMLElement>(null);
  const [frozen, setFrozen] = useState<{ readonly rows: GrowingList<Row>; readonly added: number } | null>(null);
  const [toEnd, setToEnd] = useState(0);
  const { filter, text } = query;

  function setQuery(change: Partial<ViewQuery>): void {
    go(pathname + queryText({ ...query, ...change }), "replace");
  }

  const page = useMemo<RowsPage>(
    () => ({
      ...{ api, town_id, log, parts, event_id: query.event_id },
      nameOf: (agent_id) => store.agent(agent_id)?.name ?? agent_id,
      show: (event_id) => setQuery({ event_id }),
    }),
    [api, town_id, log, parts, store, search],
  );
  const rows = frozen?.rows ?? log.rows.list;
  // A hundred thousand rows are only gone through when something is looked for.
  const { found, done } = useSearch(text, text === "" ? NO_ROWS : rows.all.filter((row) => passes(row, filter)));
  useHighlights(root.current, text);
  const at = found.findIndex((row) => row.id === query.event_id);

  function step(by: 1 | -1): void {
    const next = found[(at + by + found.length) % found.length] ?? found[0];
    if (next !== undefined) setQuery({ event_id: next.id });
  }

  useShortcuts({
    "/": () => document.getElementById("find")?.focus(),
    n: () => step(1),
    N: () => step(-1),
    End: () => setToEnd(toEnd + 1),
    w: () => setQuery({ filter: { ...filter, system: !filter.system } }),
  });

  const live = store.connectionState.kind === "live";
  return (
    <PageContextProvider value={page}>
      <main class="agent-page" ref={root}>
        <div class="agent-head">
          <div class="agent-title">
            <Link to={townPath(town_id)} class="back">
              <Icon name="back" />
              <span class="hidden">Back to the town</span>
            </Link>
            <h1>All activity</h1>
            <span class="soft kind">{log.rows.all.length.toLocaleString("en")} rows</span>
          </div>
        </div>
        <Toolbar
          text={text}
          find={(next) => setQuery({ text: next })}
          matches={text.trim() === "" ? null : { count: found.length, at, done }}
          step={step}
          filter={filter}
          setFilter={(next) => setQuery({ filter: next })}
          tools={[]}
          waiting={frozen === null ? null : log.rows.added - frozen.added}
          freeze={() => setFrozen(frozen === null ? { rows: new GrowingList(log.rows.all), added: log.rows.added } : null)}
        />
        <Activity
          rows={rows}
          typed={[]}
          filter={filter}
          live={live && frozen === null}
          nothing={live ? "What the town's agents do appears here." : "Reading the log…"}
          above={null}
          toEnd={toEnd}
        />
      </main>
    </PageContextProvider>
  );
}

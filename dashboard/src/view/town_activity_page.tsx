// All that a town's agents do, in one list as it happened.

import { useMemo, useRef, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import type { TownStore } from "../client/town_store.ts";
import { Activity } from "./activity.tsx";
import { Earlier } from "./earlier.tsx";
import { countOfAll } from "./format.ts";
import { Sought, useHighlights } from "./highlights.ts";
import { useHistory, useLook } from "./history_context.ts";
import { useChanges, useTitle } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { Link } from "./link.tsx";
import { OpenParts } from "./open_parts.ts";
import type { RowsPage } from "./page_context.ts";
import { PageContextProvider } from "./page_context.ts";
import { townPath } from "./route.ts";
import { Toolbar } from "./toolbar.tsx";
import { useRowsView } from "./use_rows_view.ts";
import { useViewQuery } from "./use_view_query.ts";

export function TownActivityPage({ api, store, town_id }: { api: Api; store: TownStore; town_id: string }) {
  const log = store.everything;
  useChanges(log.changes);
  useChanges(store.connectionChanges);
  useTitle("All activity");
  useLook(null);
  const isWhole = useHistory().of(null).standing === "whole";
  const [query, setQuery] = useViewQuery();
  const parts = useState(() => new OpenParts())[0];
  const root = useRef<HTMLElement>(null);
  const live = store.connectionState.kind === "live";
  const view = useRowsView({ api, town_id, agent_id: null, log, parts, query, setQuery, live, listed: {} });
  const page = useMemo<RowsPage>(
    () => ({
      ...{ api, town_id, agent_id: null, log, parts, event_id: query.event_id },
      nameOf: (agent_id) => store.agent(agent_id)?.name ?? agent_id,
      show: (event_id) => setQuery({ event_id }),
    }),
    [api, town_id, log, parts, store, query.event_id],
  );
  useHighlights(root.current, query.text);
  return (
    <PageContextProvider value={page}>
      <Sought.Provider value={query.text.trim()}>
        <main class="agent-page" ref={root}>
          <div class="agent-head">
            <div class="agent-title">
              <Link to={townPath(town_id)} class="back">
                <Icon name="back" />
                <span class="hidden">Back to the town</span>
              </Link>
              <h1>All activity</h1>
              <span class="soft kind">{countOfAll(log.rows.all.length, !isWhole)} rows</span>
            </div>
          </div>
          <Toolbar {...view.toolbar} />
          <Activity
            rows={view.rows}
            typed={[]}
            filter={query.filter}
            live={live && !view.isFrozen}
            nothing={isWhole ? "What the town's agents do appears here." : null}
            above={<Earlier />}
            toEnd={view.toEnd}
          />
        </main>
      </Sought.Provider>
    </PageContextProvider>
  );
}

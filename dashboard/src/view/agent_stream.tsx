// What an agent does, as a list that follows, beside something else than its own page.

import { useMemo, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { NO_FILTER } from "../client/filter.ts";
import type { TownStore } from "../client/town_store.ts";
import { Activity } from "./activity.tsx";
import { Earlier } from "./earlier.tsx";
import { useHistory, useLook } from "./history_context.ts";
import { useChanges } from "./hooks.ts";
import { OpenParts } from "./open_parts.ts";
import type { RowsPage } from "./page_context.ts";
import { PageContextProvider } from "./page_context.ts";
import { eventPath, go } from "./route.ts";

interface AgentStreamProps {
  readonly api: Api;
  readonly store: TownStore;
  readonly town_id: string;
  readonly agent_id: string;
}

export function AgentStream({ api, store, town_id, agent_id }: AgentStreamProps) {
  const log = store.log(agent_id);
  useChanges(log.changes);
  useChanges(store.connectionChanges);
  useLook(agent_id);
  const isWhole = useHistory().of(agent_id).standing === "whole";
  const live = store.connectionState.kind === "live";
  const parts = useState(() => new OpenParts())[0];
  const page = useMemo<RowsPage>(
    () => ({ api, town_id, agent_id, nameOf: null, log, parts, event_id: null, show: (event_id) => go(eventPath(town_id, agent_id, event_id)) }),
    [api, town_id, agent_id, log, parts],
  );
  return (
    <PageContextProvider value={page}>
      <Activity
        rows={log.rows.list}
        typed={log.typed}
        filter={NO_FILTER}
        live={live}
        nothing={isWhole ? "Nothing has happened yet. What it does appears here." : null}
        above={<Earlier />}
        toEnd={0}
      />
    </PageContextProvider>
  );
}

// The page as it is laid out: on a wide screen the activity has a side of its own, on a narrow one it is a tab.

import { useRef } from "preact/hooks";
import { changedFiles } from "../client/files.ts";
import { isNarrow, NO_FILTER, passes } from "../client/filter.ts";
import { isProblem } from "../client/row.ts";
import type { TownStore } from "../client/town_store.ts";
import type { AgentState } from "../protocol/protocol.ts";
import { Activity } from "./activity.tsx";
import { AgentHead } from "./agent_head.tsx";
import { AgentNow } from "./agent_now.tsx";
import { AgentTalk } from "./agent_talk.tsx";
import { Beside, BesideMenu } from "./beside.tsx";
import { Earlier, useIsWhole } from "./earlier.tsx";
import { ErrorsPanel } from "./errors_panel.tsx";
import { FilesPanel } from "./files_panel.tsx";
import { Sought, useHighlights } from "./highlights.ts";
import { useLook } from "./history_context.ts";
import { useChanges, useMedia } from "./hooks.ts";
import { OutputPanel } from "./output_panel.tsx";
import { usePage } from "./page_context.ts";
import { useRuns } from "./run_menu.tsx";
import { useShortcuts } from "./shortcuts.ts";
import { Tabs } from "./tabs.tsx";
import { Toolbar } from "./toolbar.tsx";
import { ToolsPanel } from "./tools_panel.tsx";
import { useMissing } from "./use_missing.ts";
import { useRowsView } from "./use_rows_view.ts";
import type { SetQuery } from "./use_view_query.ts";
import type { Tab, ViewQuery } from "./view_query.ts";
import { TABS } from "./view_query.ts";

interface AgentViewProps {
  readonly store: TownStore;
  readonly agent_id: string;
  readonly agent: AgentState | undefined;
  readonly query: ViewQuery;
  readonly setQuery: SetQuery;
}

const WIDE = "(min-width: 1000px)";
const tabNames: Readonly<Record<Tab, string>> = { activity: "Activity", output: "Output", tools: "Tools", files: "Files", errors: "Errors" };

export function AgentView({ store, agent_id, agent, query, setQuery }: AgentViewProps) {
  const { api, town_id, log, parts } = usePage();
  const { filter, text } = query;
  useChanges(log.changes);
  useChanges(store.connectionChanges);
  useLook(agent_id);
  const isWhole = useIsWhole();
  const live = store.connectionState.kind === "live";
  const isWide = useMedia(WIDE);
  const runs = useRuns(agent_id, agent);
  const root = useRef<HTMLElement>(null);
  const view = useRowsView({ api, town_id, agent_id, log, parts, query, setQuery, live, listed: isWide ? {} : { tab: "activity" } });
  const rows = view.rows.all.filter((row) => passes(row, filter));
  const problems = rows.filter(isProblem);
  const typed = !view.isFrozen && filter.run_id === null && !isNarrow(filter) ? log.typed : [];
  const missing = useMissing(agent_id, query, runs, live, agent !== undefined);
  useHighlights(root.current, text);

  const tabs = TABS.filter((tab) => !isWide || tab !== "activity");
  const chosen = query.tab !== null && tabs.includes(query.tab) ? query.tab : (tabs[0] ?? "output");
  const tabsShown = tabs.map((tab) => ({ tab, name: tabNames[tab], ...countOf(tab) }));

  function countOf(tab: Tab): { count: number; tone?: string } | object {
    if (tab === "errors") return { count: problems.length, tone: "bad" };
    if (tab === "tools") return { count: rows.reduce((sum, row) => sum + Number(row.kind === "call"), 0) };
    if (tab === "files") return { count: changedFiles(rows).length };
    return {};
  }

  const besides = isWide ? query.beside.filter((other) => other !== agent_id) : [];
  function setBeside(beside: readonly string[]): void {
    setQuery({ beside }, "push");
  }

  useShortcuts(Object.fromEntries(tabs.map((tab, index) => [String(index + 1), () => setQuery({ tab }, "push")])));

  const activity = (
    <Activity
      rows={view.rows}
      typed={typed}
      filter={filter}
      live={live && !view.isFrozen}
      nothing={isWhole ? nothingWords(agent !== undefined, filter !== NO_FILTER && log.rows.all.length > 0) : null}
      toEnd={view.toEnd}
      above={<Earlier />}
    />
  );

  return (
    <Sought.Provider value={text.trim()}>
      <main class="agent-page" ref={root}>
        <AgentHead
          api={api}
          town_id={town_id}
          agent={agent}
          runs={runs}
          run_id={filter.run_id}
          chooseRun={(run_id) => setQuery({ filter: { ...filter, run_id }, event_id: null }, "push")}
          changed={(one) => store.changedAgent(one)}
        >
          {isWide && <BesideMenu store={store} agent_id={agent_id} beside={query.beside} setBeside={setBeside} />}
        </AgentHead>
        <Toolbar {...view.toolbar} />
        {missing !== null && (
          <p class="missing" role="status">
            {missing}
          </p>
        )}
        <div class={besides.length > 1 ? "agent-body crowded" : "agent-body"}>
          {isWide && activity}
          {besides.length > 0 ? (
            <Beside api={api} store={store} town_id={town_id} beside={besides} setBeside={setBeside} />
          ) : (
            <Tabs tabs={tabsShown} isMore={!isWhole} chosen={chosen} choose={(tab) => setQuery({ tab }, "push")}>
              {chosen === "activity" && activity}
              {chosen === "output" && <OutputPanel rows={rows} typed={typed} />}
              {chosen === "tools" && (
                <ToolsPanel rows={rows} chosen={filter.tools} choose={(tools) => setQuery({ filter: { ...filter, tools } })} />
              )}
              {chosen === "files" && <FilesPanel rows={rows} />}
              {chosen === "errors" && <ErrorsPanel rows={rows} />}
            </Tabs>
          )}
        </div>
        {agent !== undefined && <AgentNow agent={agent} />}
        {agent !== undefined && <AgentTalk agent={agent} />}
      </main>
    </Sought.Provider>
  );
}

function nothingWords(known: boolean, filtered: boolean): string {
  if (filtered) return "Nothing here fits the filter.";
  return known
    ? "Nothing has happened yet. What this agent does appears here."
    : "This town has no such agent yet. Should one come, what it does appears here.";
}

// The page as it is laid out: on a wide screen the activity has a side of its own, on a narrow one it is a tab.

import { useRef, useState } from "preact/hooks";
import { changedFiles } from "../client/files.ts";
import { isNarrow, NO_FILTER, passes } from "../client/filter.ts";
import { GrowingList } from "../client/growing_list.ts";
import { isProblem } from "../client/row.ts";
import type { Row } from "../client/row.ts";
import { countWords } from "../client/sentences.ts";
import type { TownStore } from "../client/town_store.ts";
import type { AgentState } from "../protocol/protocol.ts";
import { Activity } from "./activity.tsx";
import { AgentHead } from "./agent_head.tsx";
import { AgentNow } from "./agent_now.tsx";
import { AgentTalk } from "./agent_talk.tsx";
import { Beside, BesideMenu } from "./beside.tsx";
import { ErrorsPanel } from "./errors_panel.tsx";
import { FilesPanel } from "./files_panel.tsx";
import { useHighlights } from "./highlights.ts";
import { useChanges, useMedia } from "./hooks.ts";
import { OutputPanel } from "./output_panel.tsx";
import { usePage } from "./page_context.ts";
import { useRuns } from "./run_menu.tsx";
import { useShortcuts } from "./shortcuts.ts";
import { Tabs } from "./tabs.tsx";
import { Toolbar } from "./toolbar.tsx";
import { ToolsPanel } from "./tools_panel.tsx";
import { useMissing } from "./use_missing.ts";
import { useSearch } from "./use_search.ts";
import { TABS } from "./view_query.ts";
import type { Tab, ViewQuery } from "./view_query.ts";

interface AgentViewProps {
  readonly store: TownStore;
  readonly agent_id: string;
  readonly agent: AgentState | undefined;
  readonly query: ViewQuery;
  readonly setQuery: (change: Partial<ViewQuery>, how?: "push" | "replace") => void;
}

const WIDE = "(min-width: 1000px)";
const tabNames: Readonly<Record<Tab, string>> = { activity: "Activity", output: "Output", tools: "Tools", files: "Files", errors: "Errors" };

export function AgentView({ store, agent_id, agent, query, setQuery }: AgentViewProps) {
  const { api, town_id, log, parts } = usePage();
  const { filter, text } = query;
  useChanges(log.changes);
  useChanges(store.connectionChanges);
  const live = store.connectionState.kind === "live";
  const isWide = useMedia(WIDE);
  const runs = useRuns(agent_id, agent);
  const root = useRef<HTMLElement>(null);
  /** What is shown while the view is frozen. */
  const [frozen, setFrozen] = useState<{ readonly rows: GrowingList<Row>; readonly added: number } | null>(null);
  const [toEnd, setToEnd] = useState(0);

  const list = frozen?.rows ?? log.rows.list;
  const { all } = list;
  const rows = all.filter((row) => passes(row, filter));
  const problems = rows.filter(isProblem);
  const typed = frozen === null && filter.run_id === null && !isNarrow(filter) ? log.typed : [];
  const { found, done } = useSearch(text, rows);
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

  function freeze(): void {
    setFrozen(frozen === null ? { rows: new GrowingList(log.rows.all), added: log.rows.added } : null);
  }

  function step(list: readonly Row[], by: 1 | -1): void {
    const row = neighbour(list, query.event_id, by);
    if (row === null) return;
    if (text !== "" && list === found) parts.set(row.key, true);
    setQuery({ event_id: row.id, ...(isWide ? {} : { tab: "activity" }) });
  }

  const current = rows.find((row) => row.id === query.event_id);
  useShortcuts({
    "/": () => document.getElementById("find")?.focus(),
    n: () => step(found, 1),
    N: () => step(found, -1),
    e: () => step(problems, 1),
    E: () => step(problems, -1),
    j: () => step(rows, 1),
    k: () => step(rows, -1),
    Enter: () => (current === undefined ? false : parts.set(current.key, !parts.has(current.key))),
    End: () => setToEnd(toEnd + 1),
    " ": freeze,
    w: () => setQuery({ filter: { ...filter, system: !filter.system } }),
    c: () => void navigator.clipboard?.writeText(location.href),
    Escape: () => (text !== "" ? setQuery({ text: "" }) : query.event_id !== null ? setQuery({ event_id: null }) : false),
    ...Object.fromEntries(tabs.map((tab, index) => [String(index + 1), () => setQuery({ tab }, "push")])),
  });

  const activity = (
    <Activity
      rows={list}
      typed={typed}
      filter={filter}
      live={live && frozen === null}
      nothing={nothingWords(live, agent !== undefined, filter !== NO_FILTER && log.rows.all.length > 0)}
      toEnd={toEnd}
      above={
        <>
          {log.rows.dropped_events > 0 && (
            <p class="dropped">
              {countWords(log.rows.dropped_events, "earlier event is", "earlier events are")} no longer in this tab.{" "}
              <button type="button" class="text-button" disabled={missing.busy} onClick={missing.loadOlder}>
                Fetch them from the log
              </button>
            </p>
          )}
        </>
      }
    />
  );

  return (
    <main class="agent-page" ref={root}>
      <AgentHead
        api={api}
        town_id={town_id}
        agent={agent}
        runs={runs}
        run_id={filter.run_id}
        chooseRun={(run_id) => setQuery({ filter: { ...filter, run_id }, event_id: null }, "push")}
      >
        {isWide && <BesideMenu store={store} agent_id={agent_id} beside={query.beside} setBeside={setBeside} />}
      </AgentHead>
      <Toolbar
        text={text}
        find={(next) => setQuery({ text: next })}
        matches={text.trim() === "" ? null : { count: found.length, at: found.findIndex((row) => row.id === query.event_id), done }}
        step={(by) => step(found, by)}
        filter={filter}
        setFilter={(next) => setQuery({ filter: next })}
        tools={toolsOf(all)}
        waiting={frozen === null ? null : log.rows.added - frozen.added}
        freeze={freeze}
      />
      {missing.words !== null && (
        <p class="missing" role="status">
          {missing.words}
        </p>
      )}
      <div class={besides.length > 1 ? "agent-body crowded" : "agent-body"}>
        {isWide && activity}
        {besides.length > 0 ? (
          <Beside api={api} store={store} town_id={town_id} beside={besides} setBeside={setBeside} />
        ) : (
          <Tabs tabs={tabsShown} chosen={chosen} choose={(tab) => setQuery({ tab }, "push")}>
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
      {/* A question says itself what the agent is at. */}
      {agent !== undefined && agent.question === null && <AgentNow agent={agent} />}
      {agent !== undefined && <AgentTalk agent={agent} />}
    </main>
  );
}

/** The row after or before the one that is shown; around at the ends. */
function neighbour(rows: readonly Row[], event_id: number | null, by: 1 | -1): Row | null {
  const real = rows.filter((row) => row.kind !== "run");
  if (event_id === null) return real.at(by === 1 ? 0 : -1) ?? null;
  const at = by === 1 ? real.findIndex((row) => row.id > event_id) : real.findLastIndex((row) => row.id < event_id);
  return real[at] ?? real.at(by === 1 ? 0 : -1) ?? null;
}

function toolsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap((row) => (row.kind === "call" ? [row.tool] : [])))].sort();
}

function nothingWords(live: boolean, known: boolean, filtered: boolean): string {
  if (filtered) return "Nothing here fits the filter.";
  if (!live) return "Reading the log…";
  return known
    ? "Nothing has happened yet. What this agent does appears here."
    : "This town has no such agent yet. Should one come, what it does appears here.";
}

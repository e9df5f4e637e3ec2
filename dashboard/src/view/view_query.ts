// What the agent's page shows is in its address: another person who opens it sees the same.

import type { CallStatus, Filter, Kind } from "../client/filter.ts";
import { KINDS, NO_FILTER, STATUSES } from "../client/filter.ts";

export const TABS = ["activity", "output", "tools", "files", "errors"] as const;
export type Tab = (typeof TABS)[number];

export interface ViewQuery {
  /** Null: the first that the screen has room for. */
  readonly tab: Tab | null;
  /** An event to show in its context. */
  readonly event_id: number | null;
  /** A text to find. */
  readonly text: string;
  readonly filter: Filter;
  /** Other agents side by side with this one. */
  readonly beside: readonly string[];
}

export const BESIDE_MAX = 3;
const ID = /^[A-Za-z0-9_-]{1,64}$/;

export function parseQuery(search: string): ViewQuery {
  const given = new URLSearchParams(search);
  const words = (name: string): string[] => (given.get(name) ?? "").split(",").filter((word) => word !== "");
  const event_id = Number(given.get("event"));
  const run_id = given.get("run") ?? "";
  const status = given.get("status");
  return {
    tab: TABS.find((tab) => tab === given.get("tab")) ?? null,
    event_id: Number.isSafeInteger(event_id) && event_id > 0 ? event_id : null,
    text: given.get("q") ?? "",
    filter: {
      ...NO_FILTER,
      system: given.get("show") === "all",
      kinds: words("kind").filter((word): word is Kind => (KINDS as readonly string[]).includes(word)),
      tools: given.getAll("tool"),
      status: STATUSES.find((one): one is CallStatus => one === status) ?? null,
      path: given.get("path") ?? "",
      run_id: ID.test(run_id) ? run_id : null,
    },
    beside: words("with").filter((word) => ID.test(word)).slice(0, BESIDE_MAX),
  };
}

/** `?…`, or nothing where all is as usual. */
export function queryText({ tab, event_id, text, filter, beside }: ViewQuery): string {
  const query = new URLSearchParams();
  if (tab !== null) query.set("tab", tab);
  if (filter.run_id !== null) query.set("run", filter.run_id);
  if (filter.system) query.set("show", "all");
  if (filter.kinds.length > 0) query.set("kind", filter.kinds.join(","));
  for (const tool of filter.tools) query.append("tool", tool);
  if (filter.status !== null) query.set("status", filter.status);
  if (filter.path !== "") query.set("path", filter.path);
  if (text !== "") query.set("q", text);
  if (event_id !== null) query.set("event", String(event_id));
  if (beside.length > 0) query.set("with", beside.join(","));
  const written = query.toString();
  return written === "" ? "" : `?${written}`;
}

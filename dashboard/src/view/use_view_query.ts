// The view that the address names, and how to change it.

import { useMemo, useRef } from "preact/hooks";
import { go, useLocation } from "./route.ts";
import type { ViewQuery } from "./view_query.ts";
import { parseQuery, queryText } from "./view_query.ts";

export type SetQuery = (change: Partial<ViewQuery>, how?: "push" | "replace") => void;

export function useViewQuery(): [query: ViewQuery, setQuery: SetQuery] {
  const { pathname, search } = useLocation();
  const parsed = useMemo(() => parseQuery(search), [search]);
  // The same filter stays the same object: whoever went through a hundred thousand rows by it need not do so again.
  const filter = useMemo(() => parsed.filter, [JSON.stringify(parsed.filter)]);
  const query = useMemo(() => ({ ...parsed, filter }), [parsed, filter]);
  // Two changes in one turn are both kept.
  const latest = useRef(query);
  latest.current = query;

  function setQuery(change: Partial<ViewQuery>, how: "push" | "replace" = "replace"): void {
    latest.current = { ...latest.current, ...change };
    go(pathname + queryText(latest.current), how);
  }

  return [query, setQuery];
}

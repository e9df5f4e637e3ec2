// The rows that have the text that one looks for; looked for in slices, so that typing stays smooth.

import { useEffect, useMemo, useReducer } from "preact/hooks";
import type { Filter } from "../client/filter.ts";
import type { GrowingList } from "../client/growing_list.ts";
import type { Row } from "../client/row.ts";
import type { Findings } from "../client/search.ts";
import { Search } from "../client/search.ts";

const SLICE_MS = 6;
const NONE: Findings = { found: [], cut: [], done: true };

/** What was found, and with which search; null while nothing is looked for. */
export function useSearch(text: string, rows: GrowingList<Row>, filter: Filter): Findings & { readonly search: Search | null } {
  const search = useMemo(() => (text.trim() === "" ? null : new Search(text)), [text]);
  const [, renderAgain] = useReducer((count: number, _: undefined) => count + 1, 0);
  const until = performance.now() + SLICE_MS;
  const result = search === null ? NONE : search.find(rows, filter, () => performance.now() > until);
  useEffect(() => {
    if (result.done) return;
    const frame = requestAnimationFrame(() => renderAgain(undefined));
    return () => cancelAnimationFrame(frame);
  });
  return { ...result, search };
}

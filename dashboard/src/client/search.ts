// Finds a text in the rows that a reader wants to see; in slices so that no frame waits for it, and in each frame only in
// what is new since the last.

import { passes } from "./filter.ts";
import type { Filter } from "./filter.ts";
import { countBefore } from "./growing_list.ts";
import type { GrowingList, Mark, Place } from "./growing_list.ts";
import type { Row } from "./row.ts";

/** A row's text beyond this is not searched. */
const ROW_CHARACTERS_MAX = 1024 * 1024;

export class Search {
  readonly query: string;
  readonly #pattern: RegExp;
  /** No row's text is looked at twice. */
  readonly #known = new WeakMap<Row, boolean>();
  #source: GrowingList<Row> | null = null;
  #filter: Filter | null = null;
  #mark: Mark = 0;
  /** The place of the next row to look at. */
  #next: Place = 0;
  readonly #found: Row[] = [];
  readonly #places: Place[] = [];

  constructor(query: string) {
    this.query = query;
    this.#pattern = new RegExp(query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "iu");
  }

  /** The rows that pass and have the text, oldest first, and whether all were looked at before `isOver` said to stop. */
  find(rows: GrowingList<Row>, filter: Filter, isOver: () => boolean): { found: readonly Row[]; done: boolean } {
    this.#keep(rows, filter);
    const end = rows.shifted + rows.all.length;
    for (; this.#next < end; this.#next += 1) {
      const row = rows.all[this.#next - rows.shifted];
      if (row === undefined || !passes(row, filter)) continue;
      let has = this.#known.get(row);
      if (has === undefined) {
        if (isOver()) return { found: this.#found, done: false };
        has = this.has(row);
        this.#known.set(row, has);
      }
      if (!has) continue;
      this.#found.push(row);
      this.#places.push(this.#next);
    }
    return { found: this.#found, done: true };
  }

  /** What was found stays found, but for rows that changed or went. */
  #keep(rows: GrowingList<Row>, filter: Filter): void {
    const isSame = rows === this.#source && filter === this.#filter;
    const same = rows.shifted + (isSame ? rows.sameSince(this.#mark) : 0);
    [this.#source, this.#filter, this.#mark] = [rows, filter, rows.mark()];
    this.#next = Math.max(rows.shifted, Math.min(this.#next, same));
    const gone = countBefore(this.#places, rows.shifted);
    const kept = countBefore(this.#places, this.#next);
    for (const list of [this.#found, this.#places]) {
      list.length = kept;
      list.splice(0, gone);
    }
  }

  has(row: Row): boolean {
    return textsOf(row).some((text) => this.#pattern.test(text.slice(0, ROW_CHARACTERS_MAX)));
  }
}

/** All that a row says, opened. */
export function textsOf(row: Row): string[] {
  switch (row.kind) {
    case "say":
      return [row.text];
    case "lines":
      return row.lines.map((line) => line.text);
    case "call":
      return [
        row.summary,
        row.tool,
        ...strings(row.input),
        ...(typeof row.outcome === "object" ? [row.outcome.content] : []),
        ...row.files.map((file) => file.path),
      ];
    case "result":
      return [row.result.content];
    case "note":
      return [row.text, row.detail ?? ""];
    case "question":
      return [row.question.detail, ...row.question.options];
    case "unknown":
      return [row.name, ...strings(row.data)];
    case "gap":
    case "end":
      return [row.text];
    case "run":
      return [];
  }
}

/** The texts of a JSON value, its fields' names too. */
function strings(value: unknown): string[] {
  const found: string[] = [];
  const rest = [value];
  while (rest.length > 0) {
    const one = rest.pop();
    if (typeof one === "string") found.push(one);
    else if (Array.isArray(one)) rest.push(...(one as unknown[]));
    else if (typeof one === "object" && one !== null) {
      found.push(...Object.keys(one));
      rest.push(...(Object.values(one) as unknown[]));
    } else if (one !== undefined) found.push(String(one));
  }
  return found;
}
